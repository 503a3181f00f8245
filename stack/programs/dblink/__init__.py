"""The link between scheduler and PostgreSQL that can be made slow: a TCP relay with a delay line.

The lab's own, after Toxiproxy's latency toxic. `relay` pairs connections, `delay_line` is the pure
part. It knows nothing of PostgreSQL's protocol, nor why somebody wants it slow. Imports what the
programs share and the loose modules.
"""
