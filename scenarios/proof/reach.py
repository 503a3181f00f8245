"""How near each condition of a rule comes to being true, now: as figures and in words."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from scenarios.proof.reached import WORDS
from stack.check.conditions import GONE, Condition

_TRUE = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

Sample = tuple[Mapping[str, str], float]
"""Labels and value of one series."""

Ask = Callable[[str], Sequence[Sample]]
"""Asks what a query comes to now, `samples` reads the answer."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one condition came to: of several series or times that which came nearest."""

    condition: Condition
    value: float | None = None
    """None: there was nothing to measure."""
    limit: float | None = None
    """What it was compared with; None where nothing is compared, or that had no value."""

    @property
    def met(self) -> bool:
        """Whether the condition was true."""
        if self.condition.comparison not in WORDS:
            return (self.value is None) == (self.condition.comparison == GONE)
        if self.value is None or self.limit is None:
            return False
        return bool(_TRUE[self.condition.comparison](self.value, self.limit))

    @property
    def missed_by(self) -> float:
        """How far it was from being true: less is nearer, below 0 is beyond the limit."""
        if self.value is None or self.limit is None:
            return float(not self.met) if self.condition.comparison not in WORDS else float("inf")
        beyond = self.value - self.limit
        return {
            ">": -beyond, ">=": -beyond, "<": beyond, "<=": beyond,
            "==": abs(beyond), "!=": -abs(beyond),
        }[self.condition.comparison]  # fmt: skip

    @property
    def found(self) -> str:
        """`reached 3`, `fell to 3`, `was 3`, `had no value`."""
        if self.value is None:
            return "had no value"
        verb = {">": "reached", ">=": "reached", "<": "fell to", "<=": "fell to"}
        return f"{verb.get(self.condition.comparison, 'was')} {self.value:.4g}"

    @property
    def wanted(self) -> str:
        """`more than 20`; of a limit that is a query, its value now and the query."""
        if self.condition.comparison not in WORDS:
            return "none" if self.condition.comparison == GONE else "one"
        words = [WORDS[self.condition.comparison]]
        if self.limit is not None:
            words.append(f"{self.limit:.4g}")
        if isinstance(self.condition.against, str):
            query = f"`{_line(self.condition.against)}`"
            words.append(query if self.limit is None else f"({query})")
        return " ".join(words)

    def __str__(self) -> str:
        """`` `sum(x)` reached 3, wanted more than 20 ``."""
        return f"`{_line(self.condition.measured)}` {self.found}, wanted {self.wanted}"


def now(conditions: Iterable[Condition], ask: Ask) -> list[Reading]:
    """One reading of each condition. Raises what `ask` raises."""
    return [_now(condition, ask) for condition in conditions]


def _now(condition: Condition, ask: Ask) -> Reading:
    found, limits = ask(condition.measured), _limits(condition, ask)
    return nearest(
        (
            Reading(condition=condition, value=value, limit=limits(labels))
            for labels, value in found
        ),
        empty=Reading(condition=condition, limit=limits({})),
    )


def _limits(condition: Condition, ask: Ask) -> Callable[[Mapping[str, str]], float | None]:
    """Labels of a series → what it is compared with: the series with the same labels on the other
    side, or the only one there."""
    if not isinstance(condition.against, str) or not condition.against:
        return lambda labels: condition.threshold
    other = ask(condition.against)
    only = other[0][1] if len(other) == 1 else None
    same = {frozenset(labels.items()): value for labels, value in other}
    return lambda labels: same.get(frozenset(labels.items()), only)


def nearest(readings: Iterable[Reading], *, empty: Reading) -> Reading:
    """Of readings of one condition the one that came nearest; `empty` when there is none."""
    real = (one for one in readings if one.value is None or not isnan(one.value))
    return min(real, key=lambda one: one.missed_by, default=empty)


def samples(answer: Any) -> list[Sample]:
    """What an instant query was answered (`/api/v1/query`, `/loki/api/v1/query`): vectors and
    scalars. Raises KeyError, TypeError or ValueError for anything else."""
    data = answer["data"]
    if data["resultType"] == "scalar":
        return [({}, float(data["result"][1]))]
    return [(one["metric"], float(one["value"][1])) for one in data["result"]]


def _line(query: str) -> str:
    return " ".join(query.split())
