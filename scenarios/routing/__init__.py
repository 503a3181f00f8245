"""Routing cases: claims about the routing tree, played against a running Alertmanager and inbox.

Most need neither rule nor traffic: alerts are posted to Alertmanager as Prometheus would
(`poster`), and the inbox is read (`bench`). Who must be notified is in `stack.config.audience`;
when, is derived from the instance's own configuration. A case is a function that reads like a
sentence, in `severities`, `inhibition`, `grouping`, `silence`, `repeating`, `outages` or
`restarts`; `run` plays them, side by side where they do not disturb each other.

Not here: scenarios of alerts, which lie in the folder of their rule file. May import `proof`,
`loadgen` and `stack`.
"""
