"""Seconds that hide in plain numbers: which of an expression's numbers a speed must divide.

Each operation gets the sort of value that it yields. Ages may be multiplied by a constant, shifted
by constant seconds and compared with constant seconds; anything else done to them is refused,
because nobody can tell which of the numbers near it are seconds.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from stack.speed.constants import dividing, strip, value
from stack.speed.tree import Node


class Sort(Enum):
    """What a value has to do with the clock."""

    PLAIN = "plain"  # nothing to do with it
    CONSTANT = "constant"  # arithmetic of literals
    INSTANT = "instant"  # a moment: time(), timestamp(x)
    AGE = "age"  # a length of time: time() - x
    SETTLED_AGE = "settled age"  # an age that has passed a filter such as `> 300`
    SETTLED = "settled"  # has passed a filter, but is of mixed sorts: no arithmetic with it
    REFUSED = "refused"  # reported once; the operations above it add no complaint


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The numbers to divide, by their count in the text, and why an expression is refused."""

    numbers: frozenset[int]
    refusals: tuple[str, ...]


_CALENDAR = {
    "hour", "minute", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month",
    "year",
}  # fmt: skip
_KEEPS_SORT = {
    "abs", "vector", "scalar", "sort", "sort_desc", "min", "max", "avg", "topk", "bottomk",
    "min_over_time", "max_over_time", "avg_over_time", "last_over_time",
}  # fmt: skip
_DROPS_VALUE = {
    "absent", "absent_over_time", "present_over_time", "count_over_time", "count", "group",
}  # fmt: skip
_OVER_WINDOW = {"increase", "delta", "changes", "resets", "count_over_time", "sum_over_time"}
_PER_SECOND = {"rate", "irate", "deriv"}
_UNITS_S = (1, 60, 3600, 86_400, 604_800)
_ENGINE_AGES = ("prometheus_rule_group_interval_seconds", "prometheus_target_interval_length_")
"""Beginnings of metrics that hold one of the engine's intervals, which the speed divides itself."""
_COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
_SETS = {"and", "or", "unless"}
_CLOCK = {Sort.INSTANT, Sort.AGE, Sort.SETTLED_AGE, Sort.SETTLED}
_AGES = {Sort.AGE, Sort.SETTLED_AGE}


def find(tree: Node, *, recorded: bool = False) -> Findings:
    """The seconds hidden in the numbers of an expression.

    `recorded`: the value goes into a new series, where a later comparison could not be seen.
    """
    search = _Search()
    sort = search.sort(tree)
    open_sorts = {Sort.INSTANT, Sort.AGE} | (
        {Sort.SETTLED_AGE, Sort.SETTLED} if recorded else set()
    )
    if sort in open_sorts:
        search.refuse(tree, "its value is in seconds and is not compared with a constant here")
    return Findings(numbers=frozenset(search.numbers), refusals=tuple(search.refusals))


@dataclass
class _Search:
    numbers: set[int] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)

    def refuse(self, node: Node, why: str) -> Sort:
        self.refusals.append(f"`{node.text}`: {why}")
        return Sort.REFUSED

    def sort(self, node: Node) -> Sort:
        if node.fixed:
            return self.refuse(node, "`@` with a fixed instant is wall-clock time")
        match node.kind:
            case "number":
                return Sort.CONSTANT
            case "paren" | "subquery":
                return self.sort(node.parts[0])
            case "sign":
                sort = self.sort(node.parts[0])
                return self._plain(node, [sort]) if sort in _CLOCK - _AGES else sort
            case "call" | "aggregate":
                return self._call(node)
            case "binary":
                return self._binary(node)
            case "selector" if node.text.startswith(_ENGINE_AGES) and not node.range_s:
                return Sort.AGE
        return Sort.PLAIN

    def _call(self, node: Node) -> Sort:
        sorts = [self.sort(part) for part in node.parts]
        if Sort.REFUSED in sorts:
            return Sort.REFUSED
        if node.name in {"time", "timestamp"}:
            return Sort.INSTANT
        if node.name in _CALENDAR:
            return self.refuse(node, "the calendar does not run faster")
        if node.name == "predict_linear":
            if sorts[1] is not Sort.CONSTANT:
                return self.refuse(node, "how far ahead is not a constant")
            self._divide(node.parts[1])
            return self._plain(node, sorts[:1])
        if node.name in _KEEPS_SORT and sorts[-1] in _CLOCK:
            return sorts[-1]
        if node.name in _DROPS_VALUE:
            return Sort.PLAIN
        return self._plain(node, sorts)

    def _plain(self, node: Node, sorts: list[Sort]) -> Sort:
        """The sort of an operation that has nothing to do with time, unless its operands have."""
        if any(sort in _CLOCK for sort in sorts):
            return self.refuse(node, "it is not clear what becomes of the seconds here")
        return Sort.REFUSED if Sort.REFUSED in sorts else Sort.PLAIN

    def _binary(self, node: Node) -> Sort:
        left, right = sorts = [self.sort(part) for part in node.parts]
        if Sort.REFUSED in sorts:
            return Sort.REFUSED
        if node.name in _SETS:
            return self._set(node, left, right)
        if left is right is Sort.CONSTANT:
            return Sort.PLAIN if node.name in _COMPARISONS else Sort.CONSTANT
        if not _CLOCK.intersection(sorts):
            return self._window_in_number(node)
        if node.name in _COMPARISONS:
            return self._comparison(node, left, right)
        if node.name in {"+", "-"}:
            return self._shift(node, left, right)
        if node.name == "/" and left in _AGES and right in _AGES:
            return Sort.PLAIN
        if right is Sort.CONSTANT and node.name in {"*", "/"} and left is not Sort.SETTLED:
            return left
        if left is Sort.CONSTANT and node.name == "*" and right is not Sort.SETTLED:
            return right
        return self._plain(node, sorts)

    def _set(self, node: Node, left: Sort, right: Sort) -> Sort:
        if node.name != "or" or left is right:
            return left  # `and` and `unless` only look whether the right side exists
        if Sort.AGE in (left, right) or Sort.INSTANT in (left, right):
            return self.refuse(node, "its two sides are not both seconds")
        return Sort.SETTLED

    def _window_in_number(self, node: Node) -> Sort:
        """Refuse a conversion of time by hand, whose seconds would stay as they are.

        `increase(x[5m]) / 300` and `increase(x[1d]) / 24` are rates for a unit of time, and
        `deriv(x[1h]) * 3600` is what an hour brings.
        """
        core, factor = _linear(node)
        if node.name == "/" and _quotient_of_a_rate(node):
            return self.refuse(
                node, "what is divided by a rate is a time; compare with what the rate brings"
            )
        if core is node or not factor:
            return Sort.PLAIN
        for part in _counted(core):
            window_s = next((inner.range_s for inner in part.parts if inner.range_s), 0.0)
            per_s = window_s * abs(factor)
            if part.name in _OVER_WINDOW and any(_close(per_s, unit) for unit in _UNITS_S):
                return self.refuse(
                    node, "divides by its own range in seconds; use `rate` or `deriv`"
                    if _close(per_s, 1) else
                    "turns a range into another unit of time; use `rate` or `deriv`",
                )  # fmt: skip
            minutes = abs(factor) / 60
            if part.name in _PER_SECOND and minutes >= 1 and _close(minutes, round(minutes)):
                return self.refuse(
                    node, "multiplies a rate by seconds; use `increase` or `predict_linear`"
                )
        return Sort.PLAIN

    def _comparison(self, node: Node, left: Sort, right: Sort) -> Sort:
        for one, other, part in ((left, right, node.parts[1]), (right, left, node.parts[0])):
            if one in _AGES and other is Sort.CONSTANT:
                self._divide(part)
                return Sort.PLAIN if node.is_bool else Sort.SETTLED_AGE
            if one is Sort.INSTANT and other is Sort.PLAIN:
                return self._moments(node, part)
        if {left, right} <= _AGES:
            return Sort.PLAIN if node.is_bool else Sort.SETTLED_AGE
        if left is right is Sort.INSTANT:
            return Sort.PLAIN if node.is_bool else Sort.SETTLED
        return self.refuse(node, "the seconds are not compared with a constant")

    def _shift(self, node: Node, left: Sort, right: Sort) -> Sort:
        for one, other, part in ((left, right, node.parts[1]), (right, left, node.parts[0])):
            if one in _AGES and other is Sort.CONSTANT:
                self._divide(part)
                return Sort.AGE
        if left is Sort.INSTANT and right is Sort.CONSTANT:
            self._divide(node.parts[1])
            return Sort.INSTANT
        if right is Sort.INSTANT and left is Sort.CONSTANT and node.name == "+":
            self._divide(node.parts[0])
            return Sort.INSTANT
        if {left, right} <= _AGES:
            return Sort.AGE
        if node.name == "-" and left is right is Sort.INSTANT:
            return Sort.AGE
        if node.name == "-" and {left, right} == {Sort.INSTANT, Sort.PLAIN}:
            moment = node.parts[0 if left is Sort.PLAIN else 1]
            return Sort.AGE if self._divide_shift(moment) else self._unclear(node)
        return self._plain(node, [left, right])

    def _moments(self, node: Node, moment: Node) -> Sort:
        """`moment < time()`: only constants added to the moment are seconds."""
        if not self._divide_shift(moment):
            return self._unclear(node)
        return Sort.PLAIN if node.is_bool else Sort.SETTLED

    def _unclear(self, node: Node) -> Sort:
        return self.refuse(node, "it is not clear which of the added series are lengths of time")

    def _divide_shift(self, moment: Node) -> bool:
        """Divide what is added to a moment; False where that is not a constant."""
        moment = strip(moment)
        if moment.kind != "binary" or moment.name not in {"+", "-"}:
            return True
        left, right = moment.parts
        if value(right) is not None:
            return self._divide_shift(left) and self._divide(right)
        if value(left) is not None and moment.name == "+":
            return self._divide_shift(right) and self._divide(left)
        return False

    def _divide(self, node: Node) -> bool:
        """Divide constant seconds; False where that is refused."""
        numbers = dividing(node)
        if numbers is None:
            self.refuse(node, "this arithmetic of constants is not supported")
            return False
        self.numbers |= numbers
        return True


def _close(one: float, other: float) -> bool:
    """People write 0.000278 for 1/3600."""
    return math.isclose(one, other, rel_tol=1e-3)


def _quotient_of_a_rate(node: Node) -> bool:
    """Whether something that is no rate itself is divided by one: how long until it is used up."""
    above, below = (any(part.name in _PER_SECOND for part in _counted(one)) for one in node.parts)
    return below and not above


def _linear(node: Node) -> tuple[Node, float]:
    """What a chain of multiplications and divisions by constants is about, and their product."""
    node = strip(node)
    if node.kind == "binary" and node.name in ("*", "/"):
        left, right = map(value, node.parts)
        if right and left is None:
            core, factor = _linear(node.parts[0])
            return core, factor * right if node.name == "*" else factor / right
        if left and right is None and node.name == "*":
            core, factor = _linear(node.parts[1])
            return core, factor * left
    return node, 1.0


def _counted(node: Node) -> Iterator[Node]:
    """The calls whose unit is that of the whole; of a ratio it is that of neither side."""
    if node.kind == "binary" and node.name == "/" and None is value(node.parts[1]):
        return
    yield node
    for part in node.parts:
        yield from _counted(part)
