"""The link between scheduler and PostgreSQL that can be made slow: a TCP relay with a delay line.

The lab's own, in the manner of Toxiproxy's latency toxic. `python -m stack.programs.dblink` runs
it. It knows nothing of PostgreSQL's protocol, and nothing of why somebody wants it slow.
"""
