"""Deadlines from rendered files, against figures worked out by hand."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.proof.deadlines import (
    BUSY_MACHINE_S,
    Route,
    Rule,
    derive,
    fleeting,
    read_route,
    read_rule,
)
from stack.errors import BadInput

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


@dataclass(frozen=True)
class Slow:
    shows_after_s: float = 2.0
    shows_within_s: float = 3.0
    lingers_s: float = 2.5


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "app.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS)
    (tmp_path / "alertmanager.yml").write_text(ROUTES)
    return tmp_path


def test_rule_is_read_with_its_ranges_and_intervals(config: Path) -> None:
    rule = read_rule("Slow", config)
    assert (rule.for_s, rule.keep_firing_for_s, rule.range_s) == (5, 1, 5)
    assert (rule.evaluation_s, rule.scrape_s, rule.answer_s) == (0.25, 0.25, 0.25)


def test_rule_follows_the_pace_of_the_jobs_that_it_reads(config: Path) -> None:
    assert (read_rule("Down", config).scrape_s, read_rule("Down", config).answer_s) == (2, 1)
    assert read_rule("AnyDown", config).scrape_s == 2


def test_rule_keeps_the_interval_of_its_group(config: Path) -> None:
    assert read_rule("Lazy", config).evaluation_s == 2


def test_rule_must_be_there_once(config: Path) -> None:
    with pytest.raises(BadInput, match=r"alert `Missing`: 0 rules in .*, wanted one"):
        read_rule("Missing", config)


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
    route = read_route(labels, config)
    assert (route.receivers, route.group_wait_s) == (receivers, wait_s)
    assert route.group_interval_s == interval_s


def test_route_with_an_unreadable_matcher_is_named(config: Path) -> None:
    (config / "alertmanager.yml").write_text("route: {receiver: a, routes: [{matchers: ['x']}]}")
    with pytest.raises(BadInput, match="matcher `x` in"):
        read_route({}, config)


def test_deadlines_add_up_every_step_on_the_way() -> None:
    rule = Rule(alert="Slow", expression="", for_s=5, keep_firing_for_s=1, range_s=5,
                evaluation_s=0.25, scrape_s=0.5, answer_s=0.125)  # fmt: skip
    route = Route(receivers=("a",), group_wait_s=0.5, group_interval_s=6)
    found = derive(rule, route, Slow())  # type: ignore[arg-type]
    assert found.pending.seconds == 3 + 0.5 + 0.125 + 5 + 0.5 + BUSY_MACHINE_S
    assert found.firing.seconds == found.pending.seconds + 5 + 0.25
    assert found.notified.seconds == found.firing.seconds + 0.5
    assert found.inactive.seconds == 2.5 + 0.5 + 0.125 + 5 + 0.5 + 1 + BUSY_MACHINE_S
    assert found.resolved.seconds == found.inactive.seconds + 6
    assert (found.floor_s, found.fastest_s) == (5.5, 7.5)
    assert "range 5 + two evaluations 0.5 + busy machine 2" in str(found.pending)


def test_deadlines_leave_room_to_see_strays() -> None:
    rule = Rule(alert="Slow", expression="", for_s=0, keep_firing_for_s=0, range_s=0,
                evaluation_s=0.25, scrape_s=0.25, answer_s=0.25)  # fmt: skip
    route = Route(receivers=("a",), group_wait_s=0.5, group_interval_s=5)
    assert derive(rule, route, Slow()).tail_s >= 4 * 0.25 + 0.5  # type: ignore[arg-type]


def test_alerts_with_a_momentary_for_are_known(config: Path) -> None:
    assert fleeting(config) == frozenset()
    (config / "rules" / "app.yml").write_text(RULES.replace("for: 5s", "for: 40ms"))
    assert fleeting(config) == {"Slow"}
