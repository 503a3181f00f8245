"""The embedded log store: Loki's HTTP API on an embedded database, with an engine of its own.

    push -> ingest (limits) -> store (log, memtables, segments) <- reader <- engine (logql) <- api

It reads the `loki-config.yml` that Loki would. Everything is on one machine and for one tenant.
"""

TENANT = "fake"
"""What Loki calls its only tenant; it looks for that tenant's rules in a folder of that name."""
