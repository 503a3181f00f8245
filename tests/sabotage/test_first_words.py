"""One-line breakages from the scrape to the scenario: the first problem of `doit check` names each.

Each row: what is broken, the file, what is replaced by what, the check that sees it, and its words.
The problem is at the line that was broken, in that file, unless the row says where.
"""

import time
from dataclasses import dataclass

import pytest

from stack.check.run import Setup, find_problems
from tests.sabotage.conftest import sampled

pytestmark = pytest.mark.nightly

PROMETHEUS = "prometheus/prometheus.yml"
APPLICATION = "prometheus/rules/application.yml"
DATABASE = "prometheus/rules/database.yml"
HOST = "prometheus/rules/infrastructure.yml"
TESTED = "prometheus/tests/database.yml"
MONITORING = "prometheus/rules/monitoring.yml"
LOGS = "loki/rules/logs.yml"
LOKI = "loki/loki-config.yml"
PROMTAIL = "promtail/promtail-config.yml"
BLACKBOX = "blackbox/blackbox.yml"
DOWN = "../../scenarios/database/postgresql_down.py"
BUSY = "../../scenarios/infrastructure/high_cpu_usage.py"
ERRORS = "../../scenarios/application/high_error_rate.py"

GLOBAL = "  evaluation_interval: 15s\n"
TARGET = '    - static_configs:\n        - targets: ["alertmanager:9093"]'
SENDING = '      static_configs:\n        - targets: ["alertmanager:9093"]'
BACKEND = "  - job_name: backend\n"
ALERTING = "alerting:\n"
NODE = '      - targets: ["node-exporter:9100"]\n'


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    file: str
    old: str
    new: str
    check: str
    says: str
    at: str = ""
    """The file that is named, where it is not the broken one."""


def row(id: str, file: str, old: str, new: str, check: str, says: str, at: str = "") -> Row:
    return Row(id=id, file=file, old=old, new=new, check=check, says=says, at=at)


TABLE = [
    # Rules: metric names.
    row("metric", DATABASE, "pg_up{", "pg_upp{", "metrics/offered",
        "`PostgreSQLDown`: it reads `pg_upp`, which `postgres-exporter` does not offer."),
    row("metric-in-a-range", DATABASE, "pg_stat_database_deadlocks{", "pg_stat_database_deadlock{",
        "metrics/offered", "Did you mean `pg_stat_database_deadlocks`"),
    row("metric-of-another-job", DATABASE, "pg_up{", "probe_success{", "metrics/offered",
        "`blackbox-exporter` offers it."),
    row("metric-of-the-host", HOST, "node_filesystem_avail_bytes", "node_filesystem_availl_bytes",
        "metrics/offered", "`DiskSpaceWarning`: it reads `node_filesystem_availl_bytes`"),
    row("metric-of-containers", HOST, "container_cpu_usage_seconds_total",
        "container_cpu_usage_total", "metrics/offered", "`ContainerCPUHigh`: it reads"),
    row("bucket", APPLICATION, "http_request_duration_seconds_bucket",
        "http_request_duration_second_bucket", "metrics/offered", "`HighLatencyP95`: it reads"),
    row("bucket-without-its-end", APPLICATION, "http_request_duration_seconds_bucket",
        "http_request_duration_seconds", "metrics/offered", "`HighLatencyP95`: it reads"),
    row("counter-without-its-end", APPLICATION, "http_requests_total{", "http_requests{",
        "metrics/offered", "`HighErrorRate`: it reads `http_requests`"),
    row("metric-of-compliance", APPLICATION, "acgme_compliance_violations_total",
        "acgme_violations_total", "metrics/offered", "`ACGMEComplianceViolations`: it reads"),
    row("metric-of-generations", APPLICATION, "schedule_generation_failures_total",
        "schedule_generation_errors_total", "metrics/offered", "`ScheduleGenerationFailures`"),
    row("metric-of-alertmanager", MONITORING, "alertmanager_config_last_reload_successful",
        "alertmanager_config_last_reload_success", "metrics/offered",
        "`AlertmanagerConfigReloadFailed`: it reads"),
    row("recorded-name", HOST, "            instance_name:container_seen:1d\n",
        "              instance_name:containers_seen:1d\n", "metrics/offered",
        "`ContainerDown`: it reads `instance_name:containers_seen:1d`"),
    row("name-that-is-recorded", HOST, "record: instance_name:container_seen:1d",
        "record: instance_name:container_seen:2d", "metrics/offered", "`ContainerDown`", at=HOST),
    # Rules: labels.
    row("job", DATABASE, 'pg_up{job="postgres-exporter"', 'pg_up{job="postgres"',
        "metrics/offered", "`PostgreSQLDown`: it reads job=`postgres`, but no scrape job"),
    row("job-of-another", DATABASE, 'pg_up{job="postgres-exporter"', 'pg_up{job="cadvisor"',
        "metrics/offered", "`pg_up`, which `cadvisor` does not offer"),
    row("job-by-pattern", DATABASE, 'pg_up{job="postgres-exporter"', 'pg_up{job=~"postgres_.*"',
        "metrics/offered", "`PostgreSQLDown`: it reads job=~`postgres_.*`"),
    row("job-of-up", APPLICATION, 'up{job="backend"} == 0', 'up{job="backnd"} == 0',
        "metrics/offered", "`APIServiceDown`: it reads job=`backnd`"),
    row("label-of-a-metric", APPLICATION, 'status=~"5.."', 'stauts=~"5.."', "metrics/offered",
        "`HighErrorRate`: it reads label `stauts` of `http_requests_total`, which has none."),
    row("label-that-is-not-there", APPLICATION, 'path!~"/health.*', 'route!~"/health.*',
        "metrics/offered", "`HighLatencyP95`: it reads label `route`"),
    row("label-of-the-host", HOST, 'mode="idle"', 'mod="idle"', "metrics/offered",
        "`HighCPUUsage`: it reads label `mod`"),
    row("label-of-compose", HOST, "container_label_com_docker_compose_service",
        "container_label_docker_compose_service", "metrics/offered",
        "`instance_name:container_seen:1d`: it reads label"),
    row("instance", APPLICATION, 'instance="backend"}) == 0', 'instance="backend:8000"}) == 0',
        "metrics/offered", "`HealthCheckFailing`: instance=`backend:8000` matches no target"),
    row("grouped-by", DATABASE, "min by (instance) (pg_up", "min by (instanc) (pg_up",
        "metrics/offered", "`PostgreSQLDown`: `min by (instanc)`, but what is there has no"),
    row("grouped-without-le", APPLICATION, "sum by (job, le) (", "sum by (job, lee) (",
        "metrics/offered", "`HighLatencyP95`: `sum by (lee)`"),
    row("grouped-by-the-disk", HOST, "min by (instance, device, mountpoint)",
        "min by (instance, device, mount)", "metrics/offered", "`min by (mount)`"),
    row("joined-on", APPLICATION, "and on (instance)", "and on (instnce)", "metrics/offered",
        "`HealthCheckFailing`: `and on (instnce)`"),
    row("joined-on-the-container", HOST, "and on (instance)\n", "and on (host)\n",
        "metrics/offered", "`ContainerDown`: `and on (host)`"),
    row("label-that-is-shown", DATABASE, "PostgreSQL {{ $labels.instance }} does",
        "PostgreSQL {{ $labels.instnce }} does", "metrics/template",
        "`PostgreSQLDown`: summary shows `$labels.instnce`, a label that the alert does not have."),
    row("label-that-is-aggregated-away", DATABASE, "sum by (instance, datname) (\n",
        "sum by (instance) (\n", "metrics/template", "shows `$labels.datname`"),
    row("label-of-a-container", HOST, "Container {{ $labels.name }} is gone",
        "Container {{ $labels.nme }} is gone", "metrics/template", "`ContainerDown`: summary"),
    row("severity-key", DATABASE, "severity: critical", "severty: critical", "alerts/label",
        "`PostgreSQLDown` has a label `severty`, which no route reads."),
    row("team-key", DATABASE, "team: database", "taem: database", "alerts/label",
        "`PostgreSQLDown` has a label `taem`"),
    row("team-key-in-capitals", DATABASE, "team: database", "Team: database", "alerts/label",
        "Did you mean `team`?"),
    row("name", DATABASE, "alert: PostgreSQLDown", "alert: PostgreSQLDwn", "alerts/renamed",
        "those of `PostgreSQLDown` have no rule."),
    row("name-of-a-log-alert", LOGS, "alert: LogShippingStalled", "alert: LogShipingStalled",
        "alerts/renamed", "those of `LogShippingStalled` have no rule."),
    # Files.
    row("tab", APPLICATION, "      - alert: APIServiceDown", "\t- alert: APIServiceDown",
        "yaml/syntax", "not valid YAML: "),
    row("quote", DATABASE, 'summary: "PostgreSQL', 'summary: "Postgre"SQL', "yaml/syntax",
        "not valid YAML: "),
    row("label-of-a-target", PROMETHEUS, "{instance: loki}", "{instacne: loki}", "scrapes/label",
        "the targets of job `loki` have a label `instacne`"),
    row("tab-in-scrapes", PROMETHEUS, BACKEND, "\t- job_name: backend\n", "yaml/syntax",
        "not valid YAML: "),
    row("pattern-of-rules", PROMETHEUS, "rules/*.yml", "rules/*.yaml", "files/loaded",
        "`rules/*.yaml` in `rule_files` matches no file."),
    # Scrapes.
    row("job-renamed", PROMETHEUS, "job_name: node-exporter", "job_name: node_exporter",
        "metrics/job", "no job is called `node-exporter`, which "),
    row("job-nobody-reads", PROMETHEUS, "job_name: inbox", "job_name: mailbox", "scrapes/job",
        "job `mailbox` is none that the lab knows"),
    row("port-of-another", PROMETHEUS, '["cadvisor:8080"]', '["node-exporter:9100"]',
        "scrapes/target", "job `cadvisor` asks `node-exporter`."),
    row("path", PROMETHEUS, BACKEND, f"{BACKEND}    metrics_path: /metric\n", "scrapes/target",
        "job `backend` asks for `/metric`; `backend` answers at `/metrics`."),
    row("scheme", PROMETHEUS, BACKEND, f"{BACKEND}    scheme: https\n", "scrapes/target",
        "job `backend` speaks https"),
    row("no-target", PROMETHEUS, '["inbox:8025"]', "[]", "scrapes/target",
        "job `inbox` has no target."),
    row("instance-of-the-host", PROMETHEUS, f"{NODE}        labels: {{instance: scheduler-host}}",
        f"{NODE}        labels: {{instance: scheduler}}", "scenarios/labels",
        "has instance `scheduler-host` here; no target that it reads has.", at="scenarios"),
    row("targets-file", PROMETHEUS, "control/load.json", "control/loads.json", "scrapes/target",
        "job `load` reads its targets from `control/loads.json`, which nobody writes."),
    row("prober", PROMETHEUS, "metrics_path: /probe", "metrics_path: /probes", "scrapes/target",
        "`blackbox-exporter` answers at `/probe`"),
    row("module", PROMETHEUS, "module: [readiness]", "module: [readyness]", "blackbox/module",
        "asks for module `readyness`"),
    row("prober-address", PROMETHEUS, "replacement: blackbox-exporter:9115",
        "replacement: backend:8000", "scrapes/target", "job `blackbox-exporter` asks `backend`."),
    row("probed-path", PROMETHEUS, "8000/health/ready", "8000/health/raedy", "scrapes/probe",
        "the probe of job `blackbox-exporter` asks for `/health/raedy`; there `backend` does not"),
    row("probed-without-path", PROMETHEUS, "8000/health/ready", "8000", "scrapes/probe",
        "asks for `/`; there `backend` does not say how it is."),
    row("probed-metrics", PROMETHEUS, "8000/health/ready", "8000/metrics", "scrapes/probe",
        "asks for `/metrics`; there `backend` does not say how it is."),
    row("probed-service", PROMETHEUS, "//backend:8000/health/ready", "//inbox:8025/health/ready",
        "scrapes/probe", "asks for `/health/ready`; there `inbox` does not say how it is."),
    row("probed-scheme", PROMETHEUS, "http://backend:8000/", "https://backend:8000/",
        "scrapes/probe", "speaks https to `backend`, which speaks http."),
    row("probed-nothing", PROMETHEUS, "target_label: __param_target", "target_label: __param_taget",
        "scrapes/probe", "job `blackbox-exporter` does not say what to probe."),
    # Relabelling.
    row("target-dropped", PROMETHEUS, BACKEND, f"{BACKEND}    relabel_configs: [{{source_labels: "
        "[__address__], regex: 'backend:.*', action: drop}]\n", "scrapes/relabel",
        "`relabel_configs` of job `backend` drop its target `backend:8000`."),
    row("job-relabelled", PROMETHEUS, BACKEND, f"{BACKEND}    relabel_configs: [{{target_label: "
        "job, replacement: api}]\n", "scrapes/relabel", "come out as job `api`."),
    row("metric-dropped", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{source_labels: [__name__], regex: 'http_.*', action: drop}]\n", "metrics/offered",
        "of job `backend` drop `http_requests_total`, which it reads", at=APPLICATION),
    row("metric-not-kept", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{source_labels: [__name__], regex: 'http_.*', action: keep}]\n", "metrics/offered",
        "of job `backend` drop `schedule_generation", at=APPLICATION),
    row("label-dropped", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{regex: status, action: labeldrop}]\n", "metrics/offered",
        "remove `status` of `http_requests_total`", at=APPLICATION),
    row("label-overwritten", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{target_label: status, replacement: all}]\n", "metrics/offered",
        "make `status` of `http_requests_total` `all`", at=APPLICATION),
    row("metric-renamed", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{source_labels: [__name__], regex: 'http_(.*)', target_label: __name__}]\n",
        "metrics/offered", "rename `http_requests_total`", at=APPLICATION),
    row("values-dropped", PROMETHEUS, BACKEND, f"{BACKEND}    metric_relabel_configs: "
        "[{source_labels: [status], regex: '5..', action: drop}]\n", "metrics/offered",
        "drop `http_requests_total`", at=APPLICATION),
    row("alerts-dropped", PROMETHEUS, ALERTING, f"{ALERTING}  alert_relabel_configs: "
        "[{source_labels: [severity], regex: critical, action: drop}]\n", "alerts/relabel",
        "`alert_relabel_configs` drop `APIServiceDown`"),
    row("alerts-dropped-before-one-alertmanager", PROMETHEUS, TARGET,
        "    - alert_relabel_configs: "
        f"[{{source_labels: [severity], regex: critical, action: drop}}]\n{SENDING}",
        "alerts/relabel", "`alert_relabel_configs` drop `APIServiceDown`"),
    row("teams-dropped", PROMETHEUS, ALERTING, f"{ALERTING}  alert_relabel_configs: "
        "[{regex: team, action: labeldrop}]\n", "alerts/relabel", "change `team` of"),
    row("severity-rewritten", PROMETHEUS, ALERTING, f"{ALERTING}  alert_relabel_configs: "
        "[{target_label: severity, replacement: info}]\n", "alerts/relabel",
        "change `severity` of"),
    row("equal-dropped", PROMETHEUS, ALERTING, f"{ALERTING}  alert_relabel_configs: "
        "[{regex: mountpoint, action: labeldrop}]\n", "alerts/relabel", "change `mountpoint` of"),
    row("external-team", PROMETHEUS, GLOBAL, f"{GLOBAL}  external_labels: {{team: database}}\n",
        "alerts/external", "external label `team` would be put on every alert without one"),
    # To Alertmanager.
    row("alertmanager-path", PROMETHEUS, TARGET, f"    - path_prefix: /am\n{SENDING}",
        "scrapes/alertmanager",
        "`path_prefix` of the Alertmanager is `/am`, expected `/`"),
    row("alertmanager-scheme", PROMETHEUS, TARGET, f"    - scheme: https\n{SENDING}",
        "scrapes/alertmanager", "`scheme` of the Alertmanager"),
    row("alertmanager-elsewhere", PROMETHEUS, '["alertmanager:9093"]', '["prometheus:9090"]',
        "scrapes/alertmanager", "alerts are sent to `http://prometheus:9090"),
    row("no-alertmanager", PROMETHEUS, f"  alertmanagers:\n{TARGET}", "  alertmanagers: []",
        "scrapes/alertmanager", "no Alertmanager is configured"),
    row("alertmanager-in-no-time", PROMETHEUS, TARGET, f"    - timeout: 1ms\n{SENDING}",
        "scrapes/alertmanager", "the Alertmanager has 1ms to answer; no alert reaches it."),
    row("alertmanager-by-proxy", PROMETHEUS, TARGET,
        f"    - proxy_url: http://proxy.example:3128\n{SENDING}", "scrapes/alertmanager",
        "alerts are sent by way of `http://proxy.example:3128`"),
    # What every scrape would exceed.
    row("limit-of-samples", PROMETHEUS, "sample_limit: 5000  # 650", "sample_limit: 20",
        "scrapes/limit", "job `backend` may have 20 samples (`sample_limit`), but has "),
    row("limit-of-bytes", PROMETHEUS, "body_size_limit: 10MB", "body_size_limit: 100B",
        "scrapes/limit", "may have 100 bytes (`body_size_limit`), but has "),
    row("limit-of-labels", PROMETHEUS, "label_limit: 40", "label_limit: 2", "scrapes/limit",
        "may have 2 labels (`label_limit`), but has "),
    row("limit-of-values", PROMETHEUS, "label_value_length_limit: 2000",
        "label_value_length_limit: 5", "scrapes/limit", "may have 5 bytes of a label's value"),
    row("time-to-answer", PROMETHEUS, BACKEND, f"{BACKEND}    scrape_timeout: 1ms\n",
        "scrapes/limit", "job `backend` has 1ms to answer; it needs up to 0.1s."),
    row("time-to-say-that-it-is-away", PROMETHEUS, "scrape_timeout: 1500ms",
        "scrape_timeout: 800ms", "scrapes/limit",
        "job `postgres-exporter` has 800ms to answer; it needs up to 1.1s."),
    row("scrape-by-proxy", PROMETHEUS, BACKEND,
        f"{BACKEND}    proxy_url: http://proxy.example:3128\n", "scrapes/limit",
        "job `backend` is asked by way of a proxy (`proxy_url`)."),
    row("scrape-with-parameters", PROMETHEUS, BACKEND,
        f"{BACKEND}    params: {{'name[]': [up]}}\n", "scrapes/limit",
        "job `backend` is asked with `params`"),
    row("team-of-a-target", PROMETHEUS, "{instance: backend}",
        "{instance: backend, team: database}", "scrapes/label",
        "the targets of job `backend` have a label `team`, which routes read"),
    row("jobs-elsewhere", PROMETHEUS, "rule_files:\n",
        "scrape_config_files: [more/*.yml]\nrule_files:\n", "scrapes/job",
        "`scrape_config_files`: no instance is given these files"),
    row("probed-no-address", PROMETHEUS, "http://backend:8000/health", "http://[backend:8000/health",
        "scrapes/probe", "asks `http://[backend:8000/health/ready`, which is no address."),
    # Blackbox.
    row("blackbox-never-200", BLACKBOX, "[200]", "[503]", "blackbox/never",
        "module `readiness` does not take 200 (`valid_status_codes`): each of its probes fails."),
    row("blackbox-needs-tls", BLACKBOX, "follow_redirects: false", "fail_if_not_ssl: true",
        "scrapes/probe", "its module has `fail_if_not_ssl`", at=PROMETHEUS),
    row("blackbox-posts", BLACKBOX, "follow_redirects: false", "method: POST", "blackbox/never",
        "module `readiness` asks with POST"),
    row("blackbox-newer-http", BLACKBOX, "follow_redirects: false",
        "valid_http_versions: [HTTP/2.0]", "blackbox/never", "does not take HTTP/1.1"),
    row("blackbox-in-no-time", BLACKBOX, "timeout: 6s", "timeout: 1ms", "blackbox/never",
        "module `readiness` waits for 1ms"),
    row("blackbox-key-twice", BLACKBOX, "timeout: 6s", "timeout: 6s\n    timeout: 5s",
        "yaml/syntax", "`timeout` is written twice here, first in line 7."),
    row("blackbox-prober", BLACKBOX, "prober: http", "prober: htp", "blackbox/prober",
        "module `readiness` has the prober `htp`, which does not exist."),
    row("blackbox-other-prober", BLACKBOX, "prober: http", "prober: tcp", "blackbox/prober",
        "has settings for `http`, but its prober is `tcp`."),
    row("blackbox-key", BLACKBOX, "timeout: 6s", "tmeout: 6s", "blackbox/config",
        "field tmeout not found here."),
    row("blackbox-duration", BLACKBOX, "timeout: 6s", "timeout: six", "blackbox/config", "six"),
    row("blackbox-codes", BLACKBOX, "[200]", "[ok]", "blackbox/config", "ok"),
    row("blackbox-module", BLACKBOX, "  readiness:\n", "  readyness:\n", "blackbox/module",
        "asks for module `readiness`", at=PROMETHEUS),
    # Log pipeline.
    row("promtail-key", PROMTAIL, "batchwait:", "batchwiat:", "promtail/config",
        "`clients[0].batchwiat` is not known"),
    row("promtail-layout", PROMTAIL, "'2006-01-02 15:04:05,000'", "'2006-13-02 15:04:05,000'",
        "promtail/config", "`scrape_configs[2].pipeline_stages[2].timestamp`"),
    row("promtail-regex", PROMTAIL, r"'(?P<service>[^/]+)\.log$'", r"'(?P<service>[^/+\.log$'",
        "promtail/config", "is not a valid regular expression"),
    row("promtail-stage", PROMTAIL, "- labeldrop:", "- labelsdrop:", "promtail/config",
        "`scrape_configs[0].pipeline_stages[5].labelsdrop` is"),
    row("promtail-duration", PROMTAIL, "sync_period: 1s", "sync_period: 1 second",
        "promtail/config", "expected a duration"),
    row("promtail-group", PROMTAIL, "(?P<level>[A-Z]+)\\d?:'\n      - timestamp",
        "(?P<levl>[A-Z]+)\\d?:'\n      - timestamp", "promtail/source",
        "a stage uses `level`, which no stage before it finds."),
    row("promtail-source", PROMTAIL, "timestamp: {source: time, format: RFC3339Nano",
        "timestamp: {source: tiem, format: RFC3339Nano", "promtail/source", "uses `tiem`"),
    row("promtail-service", PROMTAIL, "service: postgresql", "service: postgres", "metrics/logs",
        "`DatabaseFatalErrors`: no service writes as `postgresql`.", at=LOGS),
    row("promtail-push", PROMTAIL, "api/v1/push", "api/v1/pus", "promtail/config",
        "`clients[0].url` has the path `/loki/api/v1/pus`."),
    row("promtail-address", PROMTAIL, "http://loki:3100", "http://loky:3100", "services/unknown",
        "`loky:3100` is not a service of the lab."),
    row("promtail-positions", PROMTAIL, "filename: /var/lib/", "filename: /avr/lib/",
        "promtail/config", "`positions.filename` is `/avr/lib/promtail/positions.yaml`, which"),
    row("promtail-level", PROMTAIL, "{level: level, time: timestamp}",
        "{level: levl, time: timestamp}", "promtail/config", "in `backend.log` no level is found."),
    row("promtail-time", PROMTAIL, "{level: level, time: timestamp}",
        "{level: level, time: timstamp}", "promtail/config", "the time is not found."),
    row("promtail-excluded", PROMTAIL, ",supervisord}", ",supervisor}", "promtail/config",
        "`supervisord.log` is read by `supervisor` and `lab`."),
    row("promtail-read-by-nobody", PROMTAIL, "residency/postgresql.log", "residency/postgres.log",
        "promtail/config", "`postgresql.log` is read by no job."),
    row("promtail-name-of-service", PROMTAIL, r"\.log$", r"\.lgo$", "promtail/config",
        "the service is ``, expected `prometheus`."),
    row("promtail-first-line", PROMTAIL, "[0-9A-Z]{5} (?:DEBUG", "[0-9A-Z]{4} (?:DEBUG",
        "promtail/config", "in `postgresql.log` it is not seen that a message begins with it."),
    row("promtail-next-line", PROMTAIL, "FATAL|PANIC)", "FATAL|PANIC|DETAIL)", "promtail/config",
        "is cut off, which belongs to it."),
    row("promtail-case-of-level", PROMTAIL, "{source: level, template: '{{ ToLower",
        "{source: level, template: '{{ ToUpper", "promtail/config",
        "the level is `INFO`, expected `info`."),
    row("promtail-port", PROMTAIL, "http_listen_port: 9080", "http_listen_port: 99999",
        "promtail/config", "`server.http_listen_port` is 99999, expected a port"),
    row("promtail-port-of-loki", PROMTAIL, "http://loki:3100", "http://loki:99999",
        "promtail/config", "Port out of range"),
    row("promtail-no-address", PROMTAIL, "http://loki:3100", "http://[loki", "promtail/config",
        "`clients[0].url` is `http://[loki/loki/api/v1/push`: "),
    row("promtail-size-without-end", PROMTAIL, "batchsize: 1048576", f"batchsize: '{'9' * 5000}'",
        "promtail/config", "expected a size such as 256KB"),
    row("promtail-number-without-end", PROMTAIL, "batchsize: 1048576", f"batchsize: {'9' * 5000}",
        "promtail/config", "is no int"),
    row("promtail-no-time", PROMTAIL, "timeout: 10s", "timeout: 0s", "promtail/config",
        "`clients[0].timeout` is `0s`, expected a longer duration"),
    row("promtail-too-little-time", PROMTAIL, "timeout: 10s", "timeout: 1ms", "promtail/config",
        "`clients[0].timeout`: no answer of the log store is waited for."),
    row("promtail-without-pause", PROMTAIL, "sync_period: 1s", "sync_period: 0s",
        "promtail/config", "`target_config.sync_period` is `0s`, expected a longer duration"),
    row("promtail-batch-that-waits", PROMTAIL, "batchwait: 100ms", "batchwait: 10m",
        "promtail/config", "`clients[0].batchwait`: lines would wait for 600 s"),
    row("promtail-message-that-waits", PROMTAIL, "max_wait_time: 100ms}\n      - json",
        "max_wait_time: 10h}\n      - json", "promtail/config",
        "`scrape_configs[0].pipeline_stages[0].multiline.max_wait_time`: lines would wait"),
    row("promtail-cut", PROMTAIL, "max_line_size: 256KB", "max_line_size: 10", "promtail/config",
        "`limits_config.max_line_size`: lines are cut after 10 bytes."),
    row("promtail-stream-for-each-line", PROMTAIL, "- labels: {level: level}",
        "- labels: {level: level, time: time}", "promtail/config",
        "the label `time` is another one a moment later: each line would be a stream"),
    row("promtail-time-that-is-none", PROMTAIL, "server:\n", "when: 2026-13-45\nserver:\n",
        "promtail/config", "`when` is not known"),
    row("promtail-key-twice", PROMTAIL, "batchwait: 100ms", "batchwait: 100ms\n    batchwait: 5s",
        "yaml/syntax", "`batchwait` is written twice here, first in line 20."),
    row("loki-key-twice", LOKI, "auth_enabled: false", "auth_enabled: false\nauth_enabled: true",
        "yaml/syntax", "`auth_enabled` is written twice here, first in line 5."),
    row("loki-tag", LOKI, "auth_enabled: false", "auth_enabled: !x false", "loki/config",
        "could not determine a constructor for the tag '!x'"),
    row("loki-number", LOKI, "http_listen_port: 3100", "http_listen_port: 0x_", "loki/config",
        "`0x_` is no int"),
    row("loki-port", LOKI, "http_listen_port: 3100", "http_listen_port: 99999", "loki/config",
        "`server.http_listen_port` is `99999`: expected a port"),
    row("loki-size-without-end", LOKI, "max_line_size: 256KB", f"max_line_size: {'9' * 400}KB",
        "loki/config", "`limits_config.max_line_size` is `9999"),
    row("loki-rate-of-nothing", LOKI, "ingestion_rate_mb: 64", "ingestion_rate_mb: 0",
        "loki/config", "`limits_config.ingestion_rate_mb` is `0`: expected a number above 0"),
    row("loki-rate-that-is-none", LOKI, "ingestion_rate_mb: 64", "ingestion_rate_mb: .nan",
        "loki/config", "expected a number above 0"),
    row("loki-count-below-zero", LOKI, "max_query_series: 500", "max_query_series: -1",
        "loki/config", "`limits_config.max_query_series` is `-1`: expected a whole number"),
    row("loki-refuses-our-questions", LOKI, "max_query_length: 721h", "max_query_length: 1m",
        "loki/config", "`limits_config.max_query_length`: 60 is too little"),
    row("loki-refuses-our-lines", LOKI, "max_line_size: 256KB", "max_line_size: 100",
        "loki/config", "`limits_config.max_line_size`: 100 is too little"),
    row("loki-ignored-key", LOKI, "reporting_enabled:", "reporting_enable:", "loki/config",
        "`analytics.reporting_enable` is no key of Loki's configuration.\n  Did you mean"),
    row("loki-key-in-a-list", LOKI, "object_store:", "objectstore:", "loki/config",
        "`schema_config.configs[0].objectstore` is no key of Loki's configuration."),
    row("loki-folder", LOKI, "/loki/compactor", "/loi/compactor", "loki/config",
        "`compactor.working_directory` is `/loi/compactor`, which is not below `/loki/`."),
    row("loki-rules", LOKI, "directory: /etc/loki/rules", "directory: /etc/loki/rule",
        "loki/config", "`ruler.storage.local.directory` is not `/etc/loki/rules`."),
    row("loki-duration-of-go", LOKI, "chunk_idle_period: 30m", "chunk_idle_period: 1d",
        "loki/config", "`ingester.chunk_idle_period` is `1d`"),
    row("loki-key", LOKI, "max_query_series:", "max_query_serie:", "loki/config",
        "`limits_config.max_query_serie` is not known"),
    row("loki-size", LOKI, "per_stream_rate_limit: 48MB", "per_stream_rate_limit: lots",
        "loki/config", "`limits_config.per_stream_rate_limit` is `lots`"),
    row("loki-duration", LOKI, "retention_period: 168h", "retention_period: 168 hours",
        "loki/config", "`limits_config.retention_period`"),
    row("loki-section", LOKI, "limits_config:", "limit_config:", "loki/config",
        "`limit_config` is not known"),
    row("loki-flag", LOKI, "enable_api: true", "enable_api: false", "loki/config",
        "`ruler.enable_api`"),
    # Unit tests: what they feed.
    row("tested-metric", TESTED, "pg_up{", "pg_upp{", "metrics/tested",
        "a test feeds `pg_upp`, which `postgres-exporter` does not offer."),
    row("tested-job", TESTED, 'pg_up{job="postgres-exporter"', 'pg_up{job="postgres-exportr"',
        "metrics/tested", "of job `postgres-exportr`, which there is not.\n  Did you mean"),
    row("tested-label", TESTED, ', datname="', ', datnme="', "metrics/tested",
        "with `datnme`, a label that it has not.\n  Did you mean `datname`"),
    # Rules on logs.
    row("log-label", LOGS, '{service="worker"}', '{servce="worker"}', "metrics/logs",
        "`LogShippingStalled`: it reads label `servce`, which promtail-config.yml gives to no"),
    row("log-service", LOGS, '{service="worker"}', '{service="wroker"}', "metrics/logs",
        "`LogShippingStalled`: no service writes as `wroker`."),
    row("log-grouping", LOGS, "sum by (service) (\n", "sum by (servce) (\n", "metrics/logs",
        "`ApplicationErrorBurst`: it groups by `servce`"),
    row("log-key-beside-groups", LOGS, "groups:\n", "grups: []\ngroups:\n", "loki/rules",
        "the file: `grups` is not known."),
    row("log-group-twice", LOGS, "groups:\n", "groups:\n  - name: logs\n    rules: []\n",
        "loki/rules", "group `logs` is there twice."),
    row("log-labels-in-a-list", LOGS, "        labels:\n          severity: warning\n",
        "        labels: [warning]\n", "loki/rules", "`labels` is not a mapping."),
    row("log-label-that-is-none", LOGS, "severity: warning\n",
        "severity: warning\n          a-b: c\n", "loki/rules",
        "`a-b` is not a name that a label may have."),
    row("log-alert-without-name", LOGS, "alert: LogShippingStalled", "alert:", "loki/rules",
        "an alert has no name."),
    # Runbooks.
    row("runbook-query", "runbooks/HighCPUUsage.md", "rate(http_requests_total",
        "rate(http_request_total", "runbooks/query", "its query reads `http_request_total`"),
    row("runbook-promql", "runbooks/HighCPUUsage.md", "avg by (instance, mode) (",
        "avg by (instance, mode (", "runbooks/query", "its query is not valid PromQL"),
    row("runbook-metric", "runbooks/HighCPUUsage.md", "`node_disk_io_time_seconds_total`",
        "`node_disk_io_times_seconds_total`", "runbooks/query",
        "it names `node_disk_io_times_seconds_total`"),
    # Scenarios.
    row("scenario-fault", BUSY, "host.cpu(", "host.cpuu(", "scenarios/import",
        "has no attribute 'cpuu'"),
    row("scenario-name", BUSY, "shape=QuietClinic", "shape=QuietClinc", "scenarios/import",
        "NameError: name 'QuietClinc' is not defined"),
    row("scenario-argument", BUSY, "percent=93", "percents=93", "scenarios/import",
        "unexpected keyword argument 'percents'"),
    row("scenario-import", BUSY, "from loadgen.shapes", "from loadgen.shaps", "scenarios/import",
        "No module named 'loadgen.shaps'"),
    row("scenario-user", BUSY, "import Faculty, Resident", "import Facuty, Resident",
        "scenarios/import", "Facuty"),
    row("scenario-lacks-job", ERRORS, '{"severity": "warning", "job": "backend"}',
        '{"severity": "warning"}', "scenarios/labels", "carries label `job`"),
    row("scenario-job", ERRORS, '"job": "backend"', '"job": "backnd"', "scenarios/labels",
        "has job `backnd` here; no target that it reads has."),
    row("scenario-label", BUSY, '"instance": "scheduler-host"', '"instnce": "scheduler-host"',
        "scenarios/labels", "does not carry label `instnce`."),
    row("scenario-instance", BUSY, '"instance": "scheduler-host"', '"instance": "scheduler"',
        "scenarios/labels", "has instance `scheduler` here"),
    row("scenario-syntax", BUSY, "SCENARIO = Scenario(", "SCENARIO = Scenario((",
        "scenarios/syntax", "not valid Python"),
    row("scenario-alert", BUSY, 'alert="HighCPUUsage"', 'alert="HighCPUUsag"', "scenarios/alert",
        "it is about `HighCPUUsag`"),
]  # fmt: skip

A_HANDFUL = 10
"""Problems of one cause: each rule, panel and variable that it concerns is named."""


@pytest.fixture(autouse=True)
def no_unit_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is to be seen by unit tests alone, which take their time."""
    monkeypatch.setattr("stack.check.programs.check_unit_tests", lambda *_: [])


def test_whole_copy_has_nothing_wrong(setup: Setup) -> None:
    assert find_problems(setup) == []


@pytest.mark.parametrize("row", sampled(TABLE, 6), ids=lambda row: row.id)
def test_breakage_is_named_first_and_without_what_follows(row: Row, setup: Setup, sabotage) -> None:
    line = sabotage(f"stack/config/{row.file}", row.old, row.new)
    begun = time.monotonic()
    found = find_problems(setup)
    took = time.monotonic() - begun
    root = setup.config_root
    said = [one.text(root) for one in found]
    print(f"{row.id}: {took:.1f} s: {said[0] if said else 'nothing'}")
    assert found, "seen by nobody"
    told = [one for one in found if one.check == row.check and row.says in one.text(root)]
    assert told, said
    first = told[0]
    path = (root / (row.at or row.file)).resolve()
    assert first.path.resolve() == path or row.at == "scenarios", said
    if not row.at:
        assert found[0].path.resolve() == path, said
        assert first.line is None or abs(first.line - line) <= row.new.count("\n") + 11, said
    assert len(found) <= A_HANDFUL, said
