"""The embedded log store: Loki's HTTP API on an embedded database, with the lab's own LogQL.

    push -> ingest (limits) -> store (log, memtables, segments) <- reader <- engine (logql) <- web

It reads the `loki-config.yml` that Loki would; everything is on one machine and for one tenant.
`ruler/` evaluates the log rules. Not here: the language (`stack.logql`) and how logs get here
(`stack.programs.logship`). Imports `stack.logql`, what the programs share and the loose modules.
"""

TENANT = "fake"
"""What Loki calls its only tenant; it looks for that tenant's rules in a folder of that name."""
