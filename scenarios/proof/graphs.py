"""What each rule's expression came to while its scenario was played, kept with the evidence."""

import time
from collections.abc import Sequence
from typing import Any

from scenarios.proof import logrules
from scenarios.proof.evidence import Evidence, FaultStep, Graph
from scenarios.proof.reached import FLIPPED
from scenarios.proof.timing import RuleTiming
from scenarios.proof.watch import Watcher
from stack.errors import BadInput
from stack.speed import tree

BEFORE_S, AFTER_S = 3.0, 1.0
"""Shown around the scenario, real seconds."""

POINTS = 160
LINES = 6
"""Most series of one graph, those that move most; a reader cannot tell more apart."""

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


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
    read, source, path = (
        (logrules.compared, "loki", "/loki/api/v1/query_range")
        if rule.on_logs
        else (compared, "prometheus", "/api/v1/query_range")
    )
    query, comparison, threshold = read(rule.expression)
    step_s = max((end_s - start_s) / POINTS, rule.evaluation_s)
    answer = watcher.get(source, path, query=query,
                         start=f"{start_s:.3f}", end=f"{end_s:.3f}",
                         step=f"{step_s:.3f}")  # fmt: skip
    drawn = [(one["metric"], _points(one["values"])) for one in answer["data"]["result"]]
    found = sorted(drawn, key=lambda one: -_swing(one[1]))[:LINES]
    return Graph(
        at=end_s, instance=watcher.instance.name, scenario=rule.alert, query=query,
        threshold=threshold, names=tuple(_name(labels) for labels, _ in found),
        lines=tuple(points for _, points in found), comparison=comparison,
    )  # fmt: skip


def measured(expression: str) -> tuple[str, float | None]:
    """The measured side of a rule's comparison and its threshold; all of it and None when it is
    not a comparison with a number."""
    query, _, threshold = compared(expression)
    return query, threshold


def compared(expression: str) -> tuple[str, str, float | None]:
    """As `measured`, with the comparison between the two; empty without a threshold."""
    try:
        node = tree.read(expression)
    except BadInput:
        return expression, "", None
    while node.kind == "paren":
        node = node.parts[0]
    if node.kind == "binary" and node.name in COMPARISONS:
        left, right = node.parts
        if (limit := _number(right)) is not None:
            return left.text, node.name, limit
        if (limit := _number(left)) is not None:
            return right.text, FLIPPED.get(node.name, node.name), limit
        return left.text, "", None
    if node.kind == "binary" and node.name in ("and", "unless"):
        return compared(node.parts[0].text)
    return expression, "", None


def _number(node: tree.Node) -> float | None:
    """The value of arithmetic on numbers alone."""
    if node.kind == "number":
        return node.value
    if node.kind in ("paren", "sign") and (inner := _number(node.parts[0])) is not None:
        return -inner if node.kind == "sign" and node.text.startswith("-") else inner
    if node.kind == "binary":
        left, right = (_number(part) for part in node.parts)
        if left is not None and right is not None:
            return {"*": left * right, "+": left + right, "-": left - right}.get(node.name)
    return None


def _name(labels: dict[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__")


def _swing(points: Sequence[Sequence[float]]) -> float:
    values = [value for _, value in points]
    return max(values) - min(values) if values else -1.0


def _points(values: Sequence[Any]) -> list[list[float]]:
    """Without what is not a number: it cannot be drawn."""
    pairs = [(float(at), float(value)) for at, value in values]
    return [[at, value] for at, value in pairs if abs(value) != float("inf") and value == value]
