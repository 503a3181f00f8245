"""The lab's own programs, a folder each; `python -m stack.programs.NAME` runs one.

- `scheduler`: the stub Residency Scheduler, which is what the stack monitors
- `worker`: the stub of its background worker
- `dblink`: a relay in front of PostgreSQL that can be made slow
- `simhost`: the simulated host that node_exporter reads
- `cadvisor`: the instance's processes under cAdvisor's metric names
- `inbox`: stands in for Slack, PagerDuty, mail and a heartbeat monitor
- `logship`, `logstore`: stand in for Promtail and Loki where these are not available
- `viewer`: stands in for Grafana where that is not available

Beside them lies what they share: `control` (control files), `logfmt` (log lines), `origin` and
`door` (who may ask), `serving` (listening and HTTP), `lokiproto` (Loki's push messages). Each
program is started by its own service module in `stack/run/services/`, which also says what it is
configured with. Alert rules, faults and traffic live elsewhere.

May import `stack.logql`, `stack.speed` and the loose modules of `stack`; no program imports another
one, and only its own service imports a program.
"""
