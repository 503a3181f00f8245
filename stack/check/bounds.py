"""From which value on an alert fires, by its rule's own expression: what dashboards draw."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from stack.check.configuration import AlertRule
from stack.check.yamlfile import text
from stack.errors import BadInput
from stack.logql import LogQLError, ast
from stack.logql.parse import parse
from stack.speed import constants, tree

COLOURS = {"critical": "red", "warning": "orange", "info": "blue", "none": "red"}
"""Severity → the colour of what is beyond the bound. `none` is the Watchdog's, whose absence is
critical."""

HEALTHY = "green"

SMALL = 1.0
"""What is more than none may be drawn from here on, and from anywhere below: an event counts as
one, its rate as less."""


class Side(Enum):
    """Where it is bad."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One bound of one alert."""

    alert: str
    side: Side
    value: float
    """0 means more than nothing (`> 0`, `== 0`, there or not there)."""
    colour: str

    def is_at(self, value: float) -> bool:
        """Whether a step of a dashboard's thresholds at `value` shows this bound. A step begins at
        its value, so that `> 0` is drawn a little above."""
        if self.value == 0 and not self.negative:
            return 0 < value <= SMALL
        return abs(value - self.value) <= 1e-9 * max(1.0, abs(self.value))

    negative: bool = False
    """`< 0`: bad is what is truly negative."""

    @property
    def words(self) -> str:
        """For messages."""
        at = f"{self.value:g}" if self.value or self.negative else f"a value up to {SMALL:g}"
        return f"{self.colour} {self.side.value} {at}"


def bounds(alert: AlertRule) -> list[Bound]:
    """All bounds of a rule; none where it compares with something that changes."""
    found: list[tuple[str, float]] = []
    with contextlib.suppress(BadInput, LogQLError):
        if alert.on_logs:
            query = parse(alert.expression)
            found = [*_logql(query)] if not isinstance(query, ast.LogQuery) else []
        else:
            found = [*_promql(tree.read(alert.expression))]
    colour = COLOURS.get(text(alert.label("severity")), COLOURS["warning"])
    return [_bound(alert.name, op, value, colour) for op, value in dict.fromkeys(found)]


def _bound(alert: str, op: str, value: float, colour: str) -> Bound:
    if op == "==" and value == 0:
        op = "gone"
    side = Side.BELOW if op in ("<", "<=", "gone") else Side.ABOVE
    return Bound(
        alert=alert,
        side=side,
        value=value,
        colour=colour,
        negative=op in ("<", "<=") and value == 0,
    )


_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def _promql(node: tree.Node) -> Iterator[tuple[str, float]]:
    node = constants.strip(node)
    if node.kind == "binary" and node.name in _TURNED:
        left, right = node.parts
        if (value := constants.value(right)) is not None:
            yield node.name, value
        elif (value := constants.value(left)) is not None:
            yield _TURNED[node.name], value
    elif node.kind == "binary" and node.name == "or":
        for part in node.parts:
            yield from _promql(part)
    elif node.kind == "binary" and node.name in ("and", "unless"):
        yield from _promql(node.parts[0])
    elif node.name.startswith("absent") or node.name == "vector":
        yield "gone", 0.0  # one that always fires is wrong when it does not
    else:
        yield ">", 0.0


def _logql(query: ast.MetricQuery) -> Iterator[tuple[str, float]]:
    if isinstance(query, ast.BinaryOperation) and query.op in _TURNED:
        if isinstance(query.right, ast.Literal):
            yield query.op, query.right.value
        elif isinstance(query.left, ast.Literal):
            yield _TURNED[query.op], query.left.value
    elif isinstance(query, ast.BinaryOperation) and query.op == "or":
        yield from _logql(query.left)
        yield from _logql(query.right)
    elif isinstance(query, ast.BinaryOperation) and query.op in ("and", "unless"):
        yield from _logql(query.left)
    elif isinstance(query, ast.RangeAggregation) and query.op.startswith("absent"):
        yield "gone", 0.0
    else:
        yield ">", 0.0
