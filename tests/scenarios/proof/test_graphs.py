"""What is drawn of a rule, and when nothing is."""

import io
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from scenarios.proof.evidence import Evidence, FaultStep, Graph
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
