"""One-line breakages of durations: each keeps every file valid, and `doit check` names its line.

The first five were *proven* once: a proof waits as long as the files say.
"""

from pathlib import Path

import pytest

from stack.check import hours, promises, scaling
from stack.check.configuration import load

pytestmark = pytest.mark.nightly

CONFIG = "stack/config/"
PROMETHEUS = CONFIG + "prometheus/prometheus.yml"
LOKI = CONFIG + "loki/loki-config.yml"
APPLICATION, DATABASE, HOST, MONITORING = (
    f"{CONFIG}prometheus/rules/{name}.yml"
    for name in ("application", "database", "infrastructure", "monitoring")
)
LOGS = CONFIG + "loki/rules/logs.yml"
ALERTMANAGER = CONFIG + "alertmanager/alertmanager.yml"

SCRAPE, EVALUATION = "  scrape_interval: 15s", "  evaluation_interval: 15s"
ON_CALL = """    - receiver: on-call\n"""
NODES = "  - job_name: node-exporter\n"
DATABASES = "  - job_name: postgres-exporter\n"

# file, old, new, check, what is said; the line is that of `old`, or the next one where it says so
TABLE = {
    "scrape-2m": (PROMETHEUS, SCRAPE, "  scrape_interval: 2m", "promises/told", "scrape 2m"),
    "scrape-1m": (PROMETHEUS, SCRAPE, "  scrape_interval: 1m", "speed/range", "`HighCPUUsage`"),
    "evaluation-5m": (PROMETHEUS, EVALUATION, "  evaluation_interval: 5m", "promises/told",
                      "two evaluations 10m"),
    "group-wait-10m": (ALERTMANAGER, "group_wait: 30s", "group_wait: 10m", "promises/told",
                       "`group_wait` 10m"),
    "repeat-1m": (ALERTMANAGER, "repeat_interval: 4h", "repeat_interval: 1m", "promises/spared",
                  "repeated every 5m, promised is at most every 1h"),
    "repeat-168h": (ALERTMANAGER, "repeat_interval: 4h", "repeat_interval: 168h",
                    "promises/reminded", "repeated every 1w, promised is at least every 4h"),
    "repeat-just-too-rare": (ALERTMANAGER, "repeat_interval: 4h", "repeat_interval: 4h1m",
                             "promises/reminded", "repeated every 4h5m"),
    "evaluation-1m": (PROMETHEUS, EVALUATION, "  evaluation_interval: 1m", "promises/told",
                      "two evaluations 2m"),
    "evaluation-unset": (PROMETHEUS, EVALUATION + "\n", "", "promises/told", "two evaluations 2m"),
    "query-offset": (PROMETHEUS, EVALUATION, EVALUATION + "\n  rule_query_offset: 3m",
                     "promises/told", "query offset 3m"),
    "scrape-10m": (PROMETHEUS, SCRAPE, "  scrape_interval: 10m", "speed/range", "every 10m"),
    "one-job-scraped-every-2m": (PROMETHEUS, NODES, NODES + "    scrape_interval: 2m\n",
                                 "promises/told", "scrape 2m"),
    "one-job-scraped-every-1m": (PROMETHEUS, NODES, NODES + "    scrape_interval: 1m\n",
                                 "speed/range", "scraped every 1m (prometheus.yml:"),
    "database-scraped-every-10m": (PROMETHEUS, DATABASES, DATABASES + "    scrape_interval: 10m\n",
                                   "promises/told", "`PostgreSQLDown`"),
    "group-wait-90s": (ALERTMANAGER, "group_wait: 30s", "group_wait: 90s", "promises/told",
                       "comes after up to 2m15s"),
    "group-wait-of-on-call": (ALERTMANAGER, ON_CALL, ON_CALL + "      group_wait: 5m\n",
                              "promises/told", "severity `critical`"),
    "group-wait-of-heartbeat": (ALERTMANAGER, "group_wait: 0s", "group_wait: 5m", "promises/told",
                                "`Watchdog`"),
    "group-interval-30m": (ALERTMANAGER, "group_interval: 5m", "group_interval: 30m",
                           "promises/over", "promised is 12m"),
    "group-interval-10m": (ALERTMANAGER, "group_interval: 5m", "group_interval: 10m",
                           "promises/over", "severity `critical`"),
    "heartbeat-every-50m": (ALERTMANAGER, "repeat_interval: 50s", "repeat_interval: 50m",
                            "promises/reminded", "`Watchdog`"),
    "heartbeat-flushed-every-5m": (ALERTMANAGER, "group_interval: 30s", "group_interval: 5m",
                                   "promises/reminded", "repeated every 5m"),
    "heartbeat-every-5s": (ALERTMANAGER, "repeat_interval: 50s", "repeat_interval: 5s",
                           "promises/spared", "`Watchdog`"),
    "for-1h": (HOST, "for: 10m", "for: 1h", "promises/for", "`for: 1h`, promised are at most 30m"),
    "for-of-a-critical": (DATABASE, "for: 1m", "for: 10m", "promises/for", "(`PostgreSQLDown`)"),
    "for-1d": (APPLICATION, "for: 30m", "for: 1d", "promises/for", "(`ActiveUsersDropped`)"),
    "for-in-hours-for-minutes": (APPLICATION, "for: 2m", "for: 2h", "promises/for",
                                 "(`HealthCheckFailing`)"),
    "for-on-logs": (LOGS, "for: 2m", "for: 45m", "promises/for", "(`ApplicationErrorBurst`)"),
    "for-of-the-heartbeat": (MONITORING, "expr: vector(1)\n", "expr: vector(1)\n        for: 5m\n",
                             "promises/for", "(`Watchdog`)"),
    "keep-firing-for-1h": (HOST, "keep_firing_for: 1m", "keep_firing_for: 1h", "promises/over",
                           "`keep_firing_for` 1h"),
    "ruler-of-logs-10m": (LOKI, "  evaluation_interval: 15s", "  evaluation_interval: 10m",
                          "promises/told", "`DatabaseFatalErrors`"),
    "interval-of-a-group": (DATABASE, "    rules:\n", "    interval: 10m\n    rules:\n",
                            "promises/told", "`PostgreSQLDown`"),
    "interval-of-logs": (LOGS, "    rules:\n", "    interval: 10m\n    rules:\n",
                         "promises/told", "`DatabaseFatalErrors`"),
    "offset-of-a-group": (DATABASE, "    rules:\n", "    query_offset: 10m\n    rules:\n",
                          "promises/told", "query offset 10m"),
    "range-30s": (HOST, "[1m]", "[30s]", "speed/range", "looks back over 30s"),
    "range-of-network": (HOST, "[1m])\n          )", "[20s])\n          )", "speed/range", "20s"),
    "at-night-nobody": (ALERTMANAGER, "continue: true\n",
                        "continue: true\n      mute_time_intervals: [night]\n",
                        "hours/interval", "there is no time interval `night`"),
    "offset-below-zero": (PROMETHEUS, EVALUATION, EVALUATION + "\n  rule_query_offset: -1m",
                          "speed/prometheus", "`-1m` is not a duration"),
    "range-5s": (APPLICATION, "[5m]", "[5s]", "speed/range", "`HighErrorRate`"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_breakage_of_a_duration_is_named_with_its_line(name: str, copy: Path, sabotage) -> None:
    file, old, new, check, says = TABLE[name]
    at = sabotage(file, old, new)
    configuration = load(copy / "stack" / "config")
    found = [
        *promises.check(configuration), *scaling.check(configuration), *hours.check(configuration)
    ]  # fmt: skip
    said = [one for one in found if one.check == check and says in one.what]
    assert said, [one.text(copy) for one in found]
    near = {at, at + 1} if check != "speed/range" else {one.line for one in said}
    if name != "evaluation-unset":
        assert any(one.line in near and (check == "speed/range" or one.path == copy / file)
                   for one in said), [one.text(copy) for one in said]  # fmt: skip


def test_durations_of_the_whole_copy_keep_all_promises(copy: Path) -> None:
    assert list(promises.check(load(copy / "stack" / "config"))) == []
