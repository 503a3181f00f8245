"""Everything that the dashboards were promised to show is on a panel of the right one.

The promise is the list of dashboards in the description of the monitoring stack. Each entry of it
stands here with what a panel must ask for it.
"""

from collections.abc import Iterator, Mapping

from stack.check.dashboardfiles import Dashboard, Dashboards
from stack.check.problem import Problem

PROMISED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "overview": {
        "Service status (Backend, PostgreSQL)": ('up{job="backend"}', "pg_up"),
        "Active alerts count": ("ALERTS",),
        "Request rate and latency": (
            "rate(http_requests_total", "rate(http_request_duration_seconds_bucket",
        ),
        "System resource usage": (
            "node_cpu_seconds_total", "node_memory_MemAvailable_bytes",
            "node_filesystem_avail_bytes", "node_network_receive_bytes_total",
        ),
    },
    "application-metrics": {
        "Request rate by method and endpoint": (
            "sum by (method) (rate(http_requests_total", "sum by (path) (rate(http_requests_total",
        ),
        "Response times (P50, P95, P99)": (
            "histogram_quantile(0.50", "histogram_quantile(0.95", "histogram_quantile(0.99",
        ),
        "Error rates": ('status=~"5.."',),
        "Schedule generation statistics": (
            "schedule_generation_total", "schedule_generation_failures_total",
            "schedule_generation_duration_seconds_bucket",
        ),
        "ACGME compliance violations": ("acgme_compliance_violations_total",),
    },
    "system-metrics": {
        "CPU usage breakdown": ("sum by (mode) (rate(node_cpu_seconds_total",),
        "Memory utilization": ("node_memory_MemAvailable_bytes", "node_memory_Cached_bytes"),
        "Disk I/O and space": (
            "node_disk_read_bytes_total", "node_disk_written_bytes_total",
            "node_filesystem_avail_bytes",
        ),
        "Network traffic": (
            "node_network_receive_bytes_total", "node_network_transmit_bytes_total",
        ),
        "Container resource usage": (
            "container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
        ),
    },
    "database-metrics": {
        "Connection statistics": ("pg_stat_activity_count",),
        "Transaction rates": ("pg_stat_database_xact_commit", "pg_stat_database_xact_rollback"),
        "Cache hit ratios": ("pg_stat_database_blks_hit", "pg_stat_database_blks_read"),
        "Query performance": ("pg_stat_statements_seconds_total", "pg_stat_statements_calls_total"),
        "Lock monitoring": ("pg_locks_count", "pg_stat_database_deadlocks"),
    },
    "logs": {
        "Log volume by service and level": ("sum by (service) (rate({", "sum by (level) (rate({"),
        "Top error messages": ("topk(",),
    },
    "monitoring": {
        "Scrape health": ("up{", "scrape_duration_seconds"),
        "Rule evaluation": ("prometheus_rule_evaluation_failures_total",),
        "Notification latency": ("alertmanager_notification_latency_seconds_bucket",),
        "Log shipping lag": ("promtail_file_bytes_total", "promtail_read_bytes_total",),
    },
}  # fmt: skip
"""uid of a dashboard → what it shows → texts, each of which is in a query of one of its panels."""


def check(found: Dashboards) -> Iterator[Problem]:
    by_uid = {one.uid: one for one in found.all}
    for uid, entries in PROMISED.items():
        dashboard = by_uid.get(uid)
        if dashboard is None:
            path = found.all[0].path.with_name(f"{uid}.json")
            yield Problem(
                check="dashboards/promised", path=path,
                what=f"no dashboard has uid `{uid}`, which shows {', '.join(entries)}.",
                cure="Bring it back: `git log` has it.",
            )  # fmt: skip
            continue
        asked = "\n".join(_queries(dashboard))
        for entry, texts in entries.items():
            if lacking := [one for one in texts if one not in asked]:
                yield dashboard.problem(
                    "dashboards/promised", 1,
                    f"`{entry}` is promised, but no panel asks for `{lacking[0]}`.",
                    "Add a panel for it, or say elsewhere what shows it (stack/check/promised.py).",
                )  # fmt: skip


def _queries(dashboard: Dashboard) -> Iterator[str]:
    for panel in dashboard.panels:
        for target in panel.targets:
            yield " ".join(target.expression.split())
