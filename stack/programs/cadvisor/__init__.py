"""An exporter of the instance's own processes under cAdvisor's metric names and labels.

For an instance without Docker, so that the same rules and dashboards serve both. `python -m
stack.programs.cadvisor` runs it. `descendants` finds the processes, `census` says to which service
they belong and what they use, `exposition` writes that down, `fresh` lets scrapes share it.

Names, units, help texts and labels are those of cAdvisor 0.60.5 (github.com/google/cadvisor,
lib/metrics/prometheus.go and docs/storage/prometheus.md). A service is a container: its `name` is
the service's, its `image` the store path it runs from. Where it differs:

- `container_network_*` is left out: without a network namespace of its own the kernel counts no
  traffic for a process, and any figure would be made up. So are disk and page cache.
- `container_memory_usage_bytes` and `container_memory_working_set_bytes` are equal, since they
  differ only by page cache.
- `container_start_time_seconds` has hundredths, where cAdvisor has whole seconds: at speed, a
  service may restart more than once a second.
- Limits are those that the services declare (`stack.run.service`); the kernel does not enforce
  them.
"""
