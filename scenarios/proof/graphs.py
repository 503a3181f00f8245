"""What each rule's expression came to while its scenario was played, kept with the evidence."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from scenarios.proof import halves
from scenarios.proof.evidence import AlertState, Event, Evidence, FaultStep, Graph, Half
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
        seen = evidence.of(rule.alert)
        steps = [one.at for one in seen if isinstance(one, FaultStep)]
        if not steps:
            continue
        asked = _Asked(rule, watcher, min(steps) - BEFORE_S, time.time() + AFTER_S)
        try:
            evidence.add(asked.drawn())
            if not _came(rule, seen):
                # It never came: which of its conditions kept it from that is asked for.
                for half in asked.halves():
                    evidence.add(half)
        except Exception:  # whatever was answered: a drawing is not what a proof is about
            continue


def _came(rule: RuleTiming, seen: Sequence[Event]) -> bool:
    return any(
        isinstance(one, AlertState) and one.alert == rule.alert and one.state != "inactive"
        for one in seen
    )


class _Asked:
    """One rule's engine, between two times in Unix seconds. Its methods raise whatever the answer
    leads to."""

    def __init__(self, rule: RuleTiming, watcher: Watcher, start_s: float, end_s: float) -> None:
        self._rule, self._watcher = rule, watcher
        self._start_s, self._end_s = start_s, end_s
        self._step_s = max((end_s - start_s) / POINTS, rule.evaluation_s)
        self._conditions = conditions(rule.expression, rule.language)

    def drawn(self) -> Graph:
        first = self._conditions[0]
        found = sorted(self._series(first.measured), key=lambda one: -_swing(one[1]))[:LINES]
        return Graph(
            at=self._end_s, instance=self._watcher.instance.name, scenario=self._rule.alert,
            query=first.measured, threshold=first.threshold,
            names=tuple(_name(labels) for labels, _ in found),
            lines=tuple(points for _, points in found), comparison=first.comparison,
        )  # fmt: skip

    def halves(self) -> Iterator[Half]:
        """Of all conditions but the first, which is drawn."""
        count = int((self._end_s - self._start_s) / self._step_s) + 1
        times = [self._start_s + turn * self._step_s for turn in range(count)]
        for one in self._conditions[1:]:
            yield Half(
                at=self._end_s, instance=self._watcher.instance.name, scenario=self._rule.alert,
                measured=one.measured, comparison=one.comparison, against=one.against,
                joined=one.joined, points=tuple(halves.measured(one, self._series, times)),
            )  # fmt: skip

    def _series(self, query: str) -> list[tuple[dict[str, str], list[list[float]]]]:
        source, path = (
            ("loki", "/loki/api/v1/query_range")
            if self._rule.on_logs
            else ("prometheus", "/api/v1/query_range")
        )
        answer = self._watcher.get(source, path, query=query, start=f"{self._start_s:.3f}",
                                   end=f"{self._end_s:.3f}",
                                   step=f"{self._step_s:.3f}")  # fmt: skip
        return [(one["metric"], _points(one["values"])) for one in answer["data"]["result"]]


def _name(labels: dict[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__")


def _swing(points: Sequence[Sequence[float]]) -> float:
    values = [value for _, value in points]
    return max(values) - min(values) if values else -1.0


def _points(values: Sequence[Any]) -> list[list[float]]:
    """Without what is not a number: it cannot be drawn."""
    pairs = [(float(at), float(value)) for at, value in values]
    return [[at, value] for at, value in pairs if abs(value) != float("inf") and value == value]
