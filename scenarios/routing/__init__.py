"""Routing cases: claims about the routing tree, played against a running Alertmanager and inbox.

No rule and no traffic is needed for most: alerts are posted to Alertmanager as Prometheus would
(`poster`), and the inbox is read (`bench`). What is wanted stands in `stack.config.audience`; when,
is derived from the instance's own configuration. A proof is a function that reads aloud, in
`severities`, `inhibition`, `grouping`, `silence`, `repeating`, `outages` or `restarts`; `run` plays
them, side by side where they do not disturb each other, and gives a result for each.

This folder holds no scenario of an alert: those lie beside it, in the folder of their rule file.
"""
