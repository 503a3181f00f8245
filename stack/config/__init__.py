"""The configuration that people edit; to change a rule, a route or a runbook, start here.

`prometheus/` and `loki/` hold rules and their unit tests, `alertmanager/` routes, receivers and
message templates, `promtail/` which logs are collected, `blackbox/` how the scheduler is probed,
`runbooks/` a page for each alert, `grafana/` dashboards and their data sources. One set of files
serves the native instance and, later, Compose: services are addressed by name (`backend:8000`),
durations are the real ones. `audience` says, as data, who must be notified of what; `doit check`
compares it with the routes.

No code but `audience`, which imports no other room. Not here: how a service is started
(`stack.run`) and what `doit check` checks (`stack.check`).
"""
