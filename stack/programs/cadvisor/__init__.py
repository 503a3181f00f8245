"""An exporter of the instance's own processes under cAdvisor's metric names and labels.

For an instance without Docker, so that the same rules and dashboards work for both. `descendants`
finds the processes, `census` says which service they belong to and what they use, `containers` says
the same of containers, where the exporter is one of them, `exposition`
writes that down, `fresh` lets scrapes share it, `__main__` answers them. It is given a function
that asks supervisord for PIDs; `__main__` brings one. Not here: which services there are and their
limits (`stack/run/services/cadvisor.py` writes them down). Imports what the programs share and the
loose modules.

Names, units, help texts and labels are those of cAdvisor 0.60.5 (github.com/google/cadvisor,
lib/metrics/prometheus.go and docs/storage/prometheus.md). A service is a container: its `name` is
the service's, its `image` the store path it runs from. Where it differs:

- `container_network_*` is left out: without a network namespace of its own the kernel counts no
  traffic for a process, and any figure would be made up. The same holds for disk and page cache.
- `container_memory_usage_bytes` and `container_memory_working_set_bytes` are equal, since they
  differ only by page cache.
- `container_start_time_seconds` has hundredths, where cAdvisor has whole seconds: at speed, a
  service may restart more than once a second.
- Limits are those that the services declare; the kernel does not enforce them.
"""
