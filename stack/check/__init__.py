"""What `doit check` finds wrong in a configuration, in seconds and without an instance.

`configuration` reads a root once (our own folder, an instance's, somebody else's): `yamlfile` has
files with the line of every node, `routes` and `matchers` the routing tree. Each other module is a
check that yields `Problem`s: `programs` asks promtool and amtool, `logrules` and `logtests` the
lab's own LogQL, the rest what those cannot know. `dashboardfiles` reads dashboards, `grafana` has
the checks of these. `run` puts all together.

Not here: what a check needs from the lab (services, built programs), which is passed in, and what
is printed (`stack.tasks.check`). May import `speed`, `logql`, `config`, the loose modules, and of
`store` what it says of the disk.
"""
