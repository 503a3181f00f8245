"""Rules on logs: found beside Prometheus' own, their deadlines, what they read and measure."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.proof import catalogue, logrules
from scenarios.proof.deadlines import BUSY_MACHINE_S, Route, derive
from scenarios.proof.logrules import SHIPPING_S, find_rule, measured, names, streams
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT

LOGS = """
groups:
  - name: logs
    rules:
      - alert: Burst
        expr: sum by (service) (rate({service="a", level="error"}[5s] offset 1s)) > 0.2
        for: 1s
      - {alert: Silent, expr: 'absent_over_time({service="b"}[3s])'}
"""
METRICS = 'groups: [{name: host, rules: [{alert: Down, expr: "up == 0", for: 2s}]}]'


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
        "prometheus/prometheus.yml": "global: {scrape_interval: 250ms, scrape_timeout: 250ms}",
        "prometheus/rules/host.yml": METRICS,
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def test_rule_on_logs_is_read_as_the_ruler_reads_it(config: Path) -> None:
    rule = find_rule("Burst", config)
    assert (rule.language, rule.on_logs) == ("LogQL", True)
    assert (rule.for_s, rule.range_s, rule.evaluation_s) == (1, 6, 0.25)
    assert (rule.scrape_s, rule.answer_s, rule.ship_s) == (0, 0, SHIPPING_S)


def test_rule_of_prometheus_is_found_beside_it(config: Path) -> None:
    rule = find_rule("Down", config)
    assert (rule.language, rule.for_s, rule.ship_s) == ("PromQL", 2, 0)


def test_names_are_those_of_rules_on_logs_alone(config: Path) -> None:
    assert names(config) == {"Burst", "Silent"}
    assert names(config / "nowhere") == frozenset()


def test_missing_and_double_rules_are_refused(config: Path) -> None:
    with pytest.raises(BadInput, match="alert `Missing`: 0 rules in"):
        find_rule("Missing", config)
    (config / "loki/rules/fake/more.yml").write_text(LOGS)
    with pytest.raises(BadInput, match="alert `Burst`: 2 rules in"):
        find_rule("Burst", config)


def test_deadlines_count_the_way_of_a_line_instead_of_scrapes(config: Path) -> None:
    route = Route(receivers=("a",), group_wait_s=0.5, group_interval_s=5)
    found = derive(find_rule("Burst", config), route, Slow())  # type: ignore[arg-type]
    pending = 0.5 + SHIPPING_S + 6 + 2 * 0.25 + BUSY_MACHINE_S
    assert found.pending.seconds == pytest.approx(pending)
    assert found.notified.seconds == pytest.approx(pending + 1 + 0.25 + 0.5)
    assert found.inactive.seconds == pytest.approx(0.25 + SHIPPING_S + 6 + 0.5 + BUSY_MACHINE_S)
    assert "shipping 1" in found.pending.why
    assert "scrape" not in found.pending.why


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('rate({service="a", level=~"error|fatal"} |= "x" [5m]) > 1', ['{service="a"}']),
        (
            'rate({a="b", level="x"}[1m]) > 0 or rate({a="b", level="y"}[1m]) > 0',
            ['{a="b"}'],
        ),
        ('absent_over_time({service="worker"}[5m])', ['{service="worker"}']),
    ],
)
def test_gate_knows_which_streams_a_rule_reads_whatever_their_level(
    expression: str, expected: list[str]
) -> None:
    assert streams(expression) == expected


def test_streams_of_no_logql_are_refused() -> None:
    with pytest.raises(BadInput, match="parse error"):
        streams("rate(x[5m]")


RATE = 'rate({a="b"} [5m])'


@pytest.mark.parametrize(
    ("expression", "query", "threshold"),
    [
        (f"{RATE} > 0.2", RATE, 0.2),
        (f"sum by (a) ({RATE}) > 0.2 or {RATE} > 0", f"sum by (a) ({RATE})", 0.2),
        (f"{RATE} > {RATE}", RATE, None),
        ('absent_over_time({a="b"} [5m])', 'absent_over_time({a="b"} [5m])', None),
        ("not LogQL (", "not LogQL (", None),
    ],
)
def test_graph_measures_one_side_of_the_comparison(
    expression: str, query: str, threshold: float | None
) -> None:
    assert measured(expression) == (query, threshold)


def test_checked_in_rules_on_logs_have_their_scenarios_in_one_folder() -> None:
    known = logrules.names(CONFIG_ROOT)
    assert {"ApplicationErrorBurst", "LogShippingStalled"} <= known
    folders = {one.scenario.alert: one.file.parent.name for one in catalogue.find()}
    assert {folders[alert] for alert in known} == {"logs"}
