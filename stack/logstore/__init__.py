"""The embedded log store: Loki's HTTP API on an embedded database, with a LogQL engine of its own."""
