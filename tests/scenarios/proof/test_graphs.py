"""What is drawn of a rule, and when nothing is."""

import io
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from scenarios.proof.evidence import (
    AlertState,
    Event,
    Evidence,
    FaultStep,
    Graph,
    Half,
    from_line,
    to_line,
)
from scenarios.proof.graphs import keep
from scenarios.proof.timing import RuleTiming
from stack.check.configuration import LOGQL, PROMQL

FINE = {"data": {"result": [{"metric": {"a": "b"}, "values": [[100, "3"], [101, "NaN"]]}]}}


def kept(answer: Any, language: str = PROMQL) -> list[Graph]:
    """The graphs of two rules, of which the first is answered so."""

    def get(service: str, path: str, *, query: str, **_: str) -> Any:
        said = FINE if query == "fine" else answer
        if isinstance(said, Exception):
            raise said
        return said

    rules = [RuleTiming(alert=alert, expression=expression, for_s=1, keep_firing_for_s=0, range_s=0,
                        evaluation_s=1, scrape_s=1, answer_s=1, language=language)
             for alert, expression in (("A", "odd > 2"), ("B", "fine > 2"))]  # fmt: skip
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    for rule in rules:
        evidence.add(FaultStep(at=100, scenario=rule.alert, step="injecting"))
    watcher: Any = SimpleNamespace(get=get, instance=SimpleNamespace(name="i"))
    keep(rules, watcher, evidence)
    return [one for name in "AB" for one in evidence.of(name) if isinstance(one, Graph)]


def test_graph_is_kept_with_its_comparison_and_without_what_is_no_number() -> None:
    first, _ = kept(FINE)
    assert (first.query, first.comparison, first.threshold) == ("odd", ">", 2)
    assert first.lines == ([[100.0, 3.0]],)
    assert first.names == ("a=b",)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"result": None}},
        {"data": None},
        {"status": "error"},
        [],
        {"data": {"result": [{"metric": {}}]}},
        {"data": {"result": [{"metric": {}, "values": [["x"]]}]}},
        httpx.ReadTimeout("slow"),
        ValueError("no JSON"),
        RecursionError(),
    ],
    ids=str,
)
def test_graph_that_cannot_be_drawn_is_a_gap_and_no_more(answer: Any) -> None:
    assert [one.scenario for one in kept(answer)] == ["B"]


def test_graph_of_a_rule_on_logs_that_cannot_be_read_is_a_gap() -> None:
    assert kept({"data": None}, LOGQL) == []


def halves(*seen: Event) -> list[Half]:
    """What is kept of a rule of two halves, the second of which is compared with a query."""
    answers = {
        "a": [{"metric": {}, "values": [[97, "0"]]}],
        "b": [{"metric": {"x": "1"}, "values": [[97, "3"], [98, "4"]]},
              {"metric": {"x": "2"}, "values": [[98, "9"]]}],
        "c": [{"metric": {"x": "1"}, "values": [[97, "20"], [98, "20"]]},
              {"metric": {"x": "2"}, "values": [[98, "10"]]}],
    }  # fmt: skip

    def get(service: str, path: str, *, query: str, **_: str) -> Any:
        return {"data": {"result": answers[query]}}

    rule = RuleTiming(alert="A", expression="a < 1 and b > c", for_s=1, keep_firing_for_s=0,
                      range_s=0, evaluation_s=1, scrape_s=1, answer_s=1,
                      language=PROMQL)  # fmt: skip
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    for event in (FaultStep(at=100, scenario="A", step="injecting"), *seen):
        evidence.add(event)
    watcher: Any = SimpleNamespace(get=get, instance=SimpleNamespace(name="i"))
    keep([rule], watcher, evidence)
    return [one for one in evidence.of("A") if isinstance(one, Half)]


def test_other_half_of_a_rule_that_never_came_is_kept_with_what_it_is_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scenarios.proof.graphs.time.time", lambda: 98.5)
    [kept] = halves()
    assert (kept.measured, kept.comparison, kept.against, kept.joined) == ("b", ">", "c", "and")
    assert kept.points == ([97, 3, 20], [98, 9, 10], [99, None, None])
    assert from_line(to_line(kept)) == kept
    pending = AlertState(at=99, scenario="A", alert="A", labels={}, state="pending")
    assert halves(pending) == []
