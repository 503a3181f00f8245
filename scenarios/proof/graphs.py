"""What each rule's expression came to while its scenario was played, kept with the evidence."""

import time
from collections.abc import Sequence
from typing import Any

from scenarios.proof.evidence import Evidence, FaultStep, Graph
from scenarios.proof.timing import RuleTiming
from scenarios.proof.watch import Watcher
from stack.check.conditions import conditions

BEFORE_S, AFTER_S = 3.0, 1.0
"""Shown around the scenario, real seconds."""

POINTS = 160
LINES = 6
"""Most series of one graph, those that move most; a reader cannot tell more apart."""


def keep(rules: Sequence[RuleTiming], watcher: Watcher, evidence: Evidence) -> None:
    """Ask Prometheus, or Loki, while it lives; what cannot be drawn is a gap in the report."""
    for rule in rules:
        steps = [e.at for e in evidence.of(rule.alert) if isinstance(e, FaultStep)]
        if not steps:
            continue
        try:
            evidence.add(_drawn(rule, watcher, min(steps) - BEFORE_S, time.time() + AFTER_S))
        except Exception:  # whatever was answered: a drawing is not what a proof is about
            continue


def _drawn(rule: RuleTiming, watcher: Watcher, start_s: float, end_s: float) -> Graph:
    """Between two times in Unix seconds. Raises whatever the answer leads to."""
    source, path = (
        ("loki", "/loki/api/v1/query_range")
        if rule.on_logs
        else ("prometheus", "/api/v1/query_range")
    )
    first = conditions(rule.expression, rule.language)[0]
    step_s = max((end_s - start_s) / POINTS, rule.evaluation_s)
    answer = watcher.get(source, path, query=first.measured,
                         start=f"{start_s:.3f}", end=f"{end_s:.3f}",
                         step=f"{step_s:.3f}")  # fmt: skip
    drawn = [(one["metric"], _points(one["values"])) for one in answer["data"]["result"]]
    found = sorted(drawn, key=lambda one: -_swing(one[1]))[:LINES]
    return Graph(
        at=end_s, instance=watcher.instance.name, scenario=rule.alert, query=first.measured,
        threshold=first.threshold, names=tuple(_name(labels) for labels, _ in found),
        lines=tuple(points for _, points in found), comparison=first.comparison,
    )  # fmt: skip


def _name(labels: dict[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__")


def _swing(points: Sequence[Sequence[float]]) -> float:
    values = [value for _, value in points]
    return max(values) - min(values) if values else -1.0


def _points(values: Sequence[Any]) -> list[list[float]]:
    """Without what is not a number: it cannot be drawn."""
    pairs = [(float(at), float(value)) for at, value in values]
    return [[at, value] for at, value in pairs if abs(value) != float("inf") and value == value]
