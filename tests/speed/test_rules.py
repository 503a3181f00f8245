"""Rule files at a speed: every duration, all refusals at once, the document itself untouched."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stack import speed
from stack.errors import BadInput

RULES = """
groups:
  - name: backend
    interval: 30s
    limit: 10
    query_offset: 1m
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Slow
        expr: histogram_quantile(0.95, rate(took_bucket[5m])) > 2
        for: 5m
        keep_firing_for: 10m
        labels: {severity: warning, window: 5m}
        annotations: {summary: "over 5m, see [5m]"}
      - alert: AtOnce
        expr: up == 0
        for: 0s
"""
SCALED = """
groups:
  - name: backend
    interval: 500ms
    limit: 10
    query_offset: 1s
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5s]))
      - alert: Slow
        expr: histogram_quantile(0.95, rate(took_bucket[5s])) > 2
        for: 5s
        keep_firing_for: 10s
        labels: {severity: warning, window: 5m}
        annotations: {summary: "over 5m, see [5m]"}
      - alert: AtOnce
        expr: up == 0
        for: 0s
"""


def scale(document: Any, factor: float = 60) -> Any:
    return speed.scale_rules(document, factor, scrape_interval_s=0.25, file="rules/a.yml")


def alert(**fields: Any) -> dict[str, Any]:
    rule = {"alert": "A", "expr": "up == 0", **fields}
    return {"groups": [{"name": "g", "rules": [rule]}]}


def only_rule(document: Any) -> dict[str, Any]:
    rule: dict[str, Any] = document["groups"][0]["rules"][0]
    return rule


@pytest.mark.parametrize("document", [{}, {"groups": []}, {"groups": None}])
def test_rules_without_groups_are_left(document: Any) -> None:
    assert scale(document) == document


def test_rules_every_duration_is_divided_and_nothing_else() -> None:
    assert scale(yaml.safe_load(RULES)) == yaml.safe_load(SCALED)


@pytest.mark.parametrize("factor", [1, 60])
def test_rules_document_is_not_changed(factor: float) -> None:
    document = yaml.safe_load(RULES)
    document["groups"][0]["rules"][1]["annotations"]["speed"] = "none"
    before = copy.deepcopy(document)
    scale(document, factor)
    assert document == before


@given(st.sampled_from(["hour() > 9", "rate(x[5m])", "not promql at all", "1"]), st.integers(0, 99))
def test_rules_at_speed_1_are_as_written(expr: str, minutes: int) -> None:
    document = alert(expr=expr, **{"for": f"{minutes}m"})
    assert scale(document, 1) == document
    assert scale(yaml.safe_load(RULES), 1) == yaml.safe_load(RULES)


def test_rules_at_speed_1_keep_the_types_that_yaml_gave() -> None:
    document = alert(expr=1, **{"for": 0})
    assert scale(document, 1) == document
    assert only_rule(scale(document, 60))["expr"] == 1


@pytest.mark.parametrize("empty", [{"expr": None}, {"expr": ""}])
def test_rules_without_an_expression_are_refused(empty: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="rule `A`: `` is not PromQL"):
        scale(alert(**empty))


@pytest.mark.parametrize(("interval", "scaled"), [("12s", "200ms"), ("5s", "200ms"), ("1m", "1s")])
def test_rules_group_interval_has_a_floor(interval: str, scaled: str) -> None:
    document = {"groups": [{"name": "g", "interval": interval, "rules": []}]}
    assert scale(document)["groups"][0]["interval"] == scaled


@pytest.mark.parametrize(("waits", "scaled"), [("0s", "0s"), ("1ms", "1ms"), ("1m", "1s")])
def test_rules_for_has_no_floor_but_is_never_lost(waits: str, scaled: str) -> None:
    assert only_rule(scale(alert(**{"for": waits})))["for"] == scaled


@pytest.mark.parametrize("factor", [1, 60])
def test_rules_annotation_speed_none_is_taken_out(factor: float) -> None:
    written = {"summary": "s", "speed": "none"}
    rule = only_rule(scale(alert(expr="up == 0", annotations=written), factor))
    assert rule["annotations"] == {"summary": "s"}
    alone = only_rule(scale(alert(expr="up == 0", annotations={"speed": "none"}), factor))
    assert "annotations" not in alone


def test_rules_annotation_speed_none_keeps_numbers_and_divides_durations() -> None:
    document = alert(
        expr="time() - x > 600 and rate(y[5m]) > 0 and on() hour() > 9",
        annotations={"speed": "none"},
        **{"for": "5m"},
    )
    rule = only_rule(scale(document))
    assert rule["expr"] == "time() - x > 600 and rate(y[5s]) > 0 and on() hour() > 9"
    assert rule["for"] == "5s"


def test_rules_annotation_speed_has_no_other_word() -> None:
    with pytest.raises(BadInput) as refused:
        scale(alert(annotations={"speed": "slow"}))
    assert "group `g`, rule `A`: annotation `speed` is `slow`" in refused.value.what


def test_rules_all_refusals_come_at_once_with_file_group_and_rule() -> None:
    with pytest.raises(BadInput) as refused:
        scale(
            {
                "groups": [
                    {"name": "g", "interval": "often", "rules": [{"alert": "A", "expr": "hour()"}]},
                    {"name": "h", "rules": [{"record": "r", "expr": "time() - x"}, "odd"]},
                    {"name": "i", "rules": [{"alert": "B", "expr": "rate(x[5m)", "for": "5"}]},
                    {"name": "j", "rules": {"alert": "C"}},
                    {"name": "k", "rules": [{"alert": "D"}]},
                ]
            }
        )
    first, *lines = refused.value.what.splitlines()
    assert first == "`rules/a.yml` cannot run at speed 60:"
    starts = [
        "group `g`: `interval`: `often` is not a duration.",
        "group `g`, rule `A`: `hour()`: the calendar does not run faster. In an alert,",
        "group `h`, rule `r`: `time() - x`: its value is in seconds",
        "group `h`: rule no. 2 is str, expected a mapping.",
        "group `i`, rule `B`: `for`: `5` is not a duration.",
        "group `i`, rule `B`: `rate(x[5m)` is not PromQL:",
        "group `j`: `rules` is not a list.",
        "group `k`, rule `D`: `` is not PromQL:",
    ]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"  {start}")


@pytest.mark.parametrize("document", [None, [], "groups", {"groups": {"name": "g"}}])
def test_rules_of_another_shape_are_refused(document: Any) -> None:
    with pytest.raises(BadInput, match="`groups` is not a list"):
        scale(document)


def test_rule_durations_are_the_waits_of_a_rule_in_seconds() -> None:
    quiet = speed.rule_durations({"alert": "A", "expr": "up == 0"})
    assert quiet == speed.RuleDurations(for_s=0, keep_firing_for_s=0, longest_range_s=0)
    slow = speed.rule_durations(yaml.safe_load(RULES)["groups"][0]["rules"][1])
    assert slow == speed.RuleDurations(for_s=300, keep_firing_for_s=600, longest_range_s=300)


@pytest.mark.parametrize(
    ("waits", "factor", "at_speed"),
    [
        ("5m", 60, "5s"),
        ("1m", 60, "1s"),
        ("15s", 60, "250ms"),
        ("0s", 7200, "0s"),
        ("15s", 7200, "200ms"),
        ("30s", 7200, "400ms"),
        ("5m", 7200, "800ms"),
        ("30m", 720, "2s500ms"),
    ],
)
def test_rules_for_keeps_up_to_four_evaluations(waits: str, factor: float, at_speed: str) -> None:
    rule = {"alert": "A", "expr": "up == 0", "for": waits}
    document = {"groups": [{"name": "g", "rules": [rule]}]}
    scaled = speed.scale_rules(
        document, factor, scrape_interval_s=0.2, evaluation_interval_s=15, file="a.yml"
    )
    assert scaled["groups"][0]["rules"][0]["for"] == at_speed
