"""Timing of rules and routes from rendered files, against figures worked out by hand."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.proof import catalogue
from scenarios.proof.deadlines import BUSY_MACHINE_S, derive
from scenarios.proof.timing import (
    SHIPPING_S,
    RouteTiming,
    RuleTiming,
    fleeting,
    notification_groups,
    route_timing,
    rule_timing,
)
from stack.check.configuration import read
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT

PROMETHEUS = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}
scrape_configs:
  - {job_name: backend}
  - {job_name: slow-exporter, scrape_interval: 2s, scrape_timeout: 1s}
"""
RULES = """
groups:
  - name: app
    rules:
      - {record: some:record, expr: up}
      - alert: Slow
        expr: rate(x{job="backend"}[5s]) > 2
        for: 5s
        keep_firing_for: 1s
      - {alert: Down, expr: 'up{job="slow-exporter"} == 0'}
      - {alert: AnyDown, expr: 'up{job=~".*"} == 0', for: 1s}
  - name: own pace
    interval: 2s
    rules: [{alert: Lazy, expr: up, for: 3s}]
"""
ROUTES = """
route:
  receiver: default
  group_wait: 500ms
  routes:
    - receiver: pager
      matchers: ['severity="critical"']
      group_wait: 100ms
      continue: true
    - receiver: mail
      matchers: ['severity=~"critical|warning"', 'team!="nobody"']
      continue: true
      routes:
        - {receiver: mail-database, matchers: [team = database], group_interval: 10s}
    - receiver: chat
      matchers: ['severity!~"none|"']
    - receiver: never
"""


LOGS = """
groups:
  - name: logs
    rules:
      - alert: Burst
        expr: sum by (service) (rate({service="a", level="error"}[5s] offset 1s)) > 0.2
        for: 1s
      - {alert: Silent, expr: 'absent_over_time({service="b"}[3s])'}
"""


@dataclass(frozen=True)
class Slow:
    shows_after_s: float = 0.0
    shows_within_s: float = 0.5
    lingers_s: float = 0.25


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """As an instance has it: the rules of the store's only tenant in a folder of their own."""
    for file, text in {
        "loki/loki-config.yml": "ruler: {evaluation_interval: 250ms}",
        "loki/rules/fake/logs.yml": LOGS,
        "prometheus/prometheus.yml": PROMETHEUS,
        "prometheus/rules/app.yml": RULES,
        "alertmanager/alertmanager.yml": ROUTES,
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def timing(alert: str, config: Path) -> RuleTiming:
    return rule_timing(alert, read(config))


def test_rule_is_read_with_its_ranges_and_intervals(config: Path) -> None:
    rule = timing("Slow", config)
    assert (rule.for_s, rule.keep_firing_for_s, rule.range_s) == (5, 1, 5)
    assert (rule.evaluation_s, rule.scrape_s, rule.answer_s) == (0.25, 0.25, 0.25)


def test_rule_follows_the_pace_of_the_jobs_that_it_reads(config: Path) -> None:
    assert (timing("Down", config).scrape_s, timing("Down", config).answer_s) == (2, 1)
    assert timing("AnyDown", config).scrape_s == 2


def test_rule_keeps_the_interval_of_its_group(config: Path) -> None:
    assert timing("Lazy", config).evaluation_s == 2


@pytest.mark.parametrize(
    ("labels", "receivers", "wait_s", "interval_s"),
    [
        (
            {"severity": "critical", "team": "database"},
            ("pager", "mail-database", "chat"),
            0.5,
            300,
        ),
        ({"severity": "critical", "team": "nobody"}, ("pager", "chat"), 0.5, 300),
        ({"severity": "warning"}, ("mail", "chat"), 0.5, 300),
        ({"severity": "none"}, ("never",), 0.5, 300),
        ({}, ("never",), 0.5, 300),
    ],
    ids=["critical database", "critical nobody", "warning", "none", "no labels"],
)
def test_route_is_walked_as_alertmanager_does(
    config: Path,
    labels: dict[str, str],
    receivers: tuple[str, ...],
    wait_s: float,
    interval_s: float,
) -> None:
    route = route_timing(labels, read(config))
    assert (route.receivers, route.group_wait_s) == (receivers, wait_s)
    assert route.group_interval_s == interval_s


def test_settings_that_are_not_there_are_the_programs_own(config: Path) -> None:
    for file in ("prometheus/prometheus.yml", "loki/loki-config.yml"):
        (config / file).unlink()
    (config / "alertmanager/alertmanager.yml").write_text("route: {receiver: a}")
    rule, route = timing("Slow", config), route_timing({}, read(config))
    assert (rule.evaluation_s, rule.scrape_s, rule.answer_s) == (60, 60, 10)
    assert timing("Burst", config).evaluation_s == 60
    assert (route.group_wait_s, route.group_interval_s, route.repeat_interval_s) == (30, 300, 14400)


def test_alert_that_no_receiver_takes_is_refused(config: Path) -> None:
    for text in ("", "route: {routes: [{receiver: a, matchers: [b=c]}]}"):
        (config / "alertmanager/alertmanager.yml").write_text(text)
        with pytest.raises(BadInput, match="has no route with a receiver"):
            route_timing({}, read(config))


def test_route_with_an_unreadable_matcher_is_named(config: Path) -> None:
    (config / "alertmanager/alertmanager.yml").write_text(
        "route: {receiver: a, routes: [{matchers: ['x']}]}"
    )
    with pytest.raises(BadInput, match=r"line 1 of alertmanager\.yml: `x` is not a matcher"):
        route_timing({}, read(config))


def test_alerts_with_a_momentary_for_are_known(config: Path) -> None:
    assert fleeting(read(config)) == frozenset()
    (config / "prometheus/rules/app.yml").write_text(RULES.replace("for: 5s", "for: 40ms"))
    assert fleeting(read(config)) == {"Slow"}


def test_rule_on_logs_is_read_as_the_ruler_reads_it(config: Path) -> None:
    rule = timing("Burst", config)
    assert (rule.language, rule.on_logs) == ("LogQL", True)
    assert (rule.for_s, rule.range_s, rule.evaluation_s) == (1, 6, 0.25)
    assert (rule.scrape_s, rule.answer_s, rule.ship_s) == (0, 0, SHIPPING_S)


def test_rule_of_prometheus_is_found_beside_it(config: Path) -> None:
    rule = timing("Down", config)
    assert (rule.language, rule.for_s, rule.ship_s) == ("PromQL", 0, 0)


def test_missing_and_double_rules_are_refused(config: Path) -> None:
    with pytest.raises(BadInput, match=r"alert `Missing`: 0 rules in .*, expected one"):
        timing("Missing", config)
    (config / "loki/rules/fake/more.yml").write_text(LOGS)
    with pytest.raises(BadInput, match="alert `Burst`: 2 rules in"):
        timing("Burst", config)


def test_deadlines_count_the_way_of_a_line_instead_of_scrapes(config: Path) -> None:
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5, drain_s=5)
    found = derive(timing("Burst", config), route, Slow())  # type: ignore[arg-type]
    pending = 0.5 + SHIPPING_S + 6 + 2 * 0.25 + BUSY_MACHINE_S
    assert found.pending.seconds == pytest.approx(pending)
    assert found.notified.seconds == pytest.approx(pending + 1 + 0.25 + 0.5)
    assert found.inactive.seconds == pytest.approx(0.25 + SHIPPING_S + 6 + 0.5 + BUSY_MACHINE_S)
    assert "shipping 1" in found.pending.why
    assert "scrape" not in found.pending.why


def test_checked_in_rules_on_logs_have_their_scenarios_beside_others() -> None:
    known = read(CONFIG_ROOT).on_logs
    assert {"ApplicationErrorBurst", "LogShippingStalled"} <= known
    folders = {one.scenario.alert: one.file.parent.name for one in catalogue.find()}
    assert {folders[alert] for alert in known} == {"logs", "monitoring", "security"}


@pytest.mark.parametrize(
    ("expression", "scrape_s"),
    [
        ('up{exported_job="slow-exporter", job="backend"}', 0.25),
        ('up{job="backend", exported_job="x"}', 0.25),
        ("up{exported_job='backend'}", 2.0),
        ("up{job='backend'}", 0.25),
        ('up{job!="slow-exporter"}', 0.25),
        ('up{job=~"back.+"}', 0.25),
        ('label_replace(up{job="backend"}, "a", "job=\\"slow-exporter\\"", "", "")', 0.25),
        ('up{job="backend"} # job="slow-exporter"', 0.25),
        ("some:record", 2.0),
    ],
)
def test_rule_is_fed_by_the_jobs_of_its_selectors(
    tmp_path: Path, expression: str, scrape_s: float
) -> None:
    rules = f"groups: [{{name: a, rules: [{{alert: Fed, expr: {json.dumps(expression)}}}]}}]"
    for name, text in (("prometheus.yml", PROMETHEUS), ("rules/a.yml", rules)):
        path = tmp_path / "prometheus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert rule_timing("Fed", read(tmp_path)).scrape_s == scrape_s


@pytest.mark.parametrize(
    ("group_by", "same"),
    [("[alertname]", True), ("['...']", False), ("[name]", False), ("[]", True)],
)
def test_alerts_share_a_group_when_a_route_tells_of_both_together(
    tmp_path: Path, group_by: str, same: bool
) -> None:
    (tmp_path / "alertmanager").mkdir()
    file = tmp_path / "alertmanager" / "alertmanager.yml"
    file.write_text(f"route: {{receiver: a, group_by: {group_by}}}\nreceivers: [{{name: a}}]\n")
    configuration = read(tmp_path)
    one, other = (
        notification_groups({"alertname": "ContainerDown", "name": name}, configuration)
        for name in ("inbox", "worker")
    )
    assert one
    assert bool(one & other) is same


@pytest.mark.parametrize("alert", ["Watchdog", "PostgreSQLDown"])
def test_what_another_route_may_yet_tell_is_waited_for(alert: str) -> None:
    """A heartbeat's route has a short interval; what an earlier fault set off has the usual one."""
    read_ = read(CONFIG_ROOT)
    severity = {"Watchdog": "none", "PostgreSQLDown": "critical"}[alert]
    assert route_timing({"alertname": alert, "severity": severity}, read_).drain_s == 300
