"""Judges data frames, purely: is there data, are the values possible, did a fault move them?"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from scenarios.dashboards.frames import Frame, Labels, Series
from stack.check.bounds import Bound, Side

_FROM_ZERO = frozenset({
    "percentunit", "bytes", "Bps", "reqps", "ops", "cps", "iops", "rowsps", "pps", "s", "short",
})  # fmt: skip
"""Units of what cannot be negative."""

_ROUNDING = 1e-6

MUCH = 1.5
"""A figure has moved when it is this many times higher, or lower, than it ever was before."""

PLAIN = 3.0
"""One that moved this much did not do so by chance."""


class Outcome(Enum):
    """Of one panel."""

    SHOWN = "shown"
    FAILED = "failed"
    UNPLAYED = "not played"
    """Its scenario was not asked for, or this machine cannot host the fault."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What values a panel may show."""

    least: float
    most: float

    @classmethod
    def of(cls, unit: str, highest: float | None, *, signed: bool = False) -> "Limits":
        """By its unit, and by its own `max` where it is a share of a whole."""
        least = 0.0 if unit in _FROM_ZERO and not signed else -math.inf
        most = highest if highest is not None and unit == "percentunit" else math.inf
        return cls(least=least, most=most)

    def impossible(self, values: Iterable[float]) -> str:
        """What is wrong with the first impossible value; "" if there is none."""
        for value in values:
            if math.isinf(value):
                return f"{value:g} is not finite"
            if value < self.least - _ROUNDING:
                return f"{value:g} is below {self.least:g}"
            if value > self.most + _ROUNDING:
                return f"{value:g} is above {self.most:g}"
        return ""


def healthy(frame: Frame, limits: Limits, *, may_be_empty: str) -> str:
    """What is wrong with an answer on a healthy day; "" if nothing is. `may_be_empty` says why it
    may have no data."""
    if frame.error:
        return f"the query fails: {frame.error}"
    if frame.is_empty:
        return "" if may_be_empty else "no data"
    return limits.impossible(frame.values)


class How(Enum):
    """In which way a panel moved."""

    BEYOND = "beyond a bound"
    APPEARED = "data where there was none"
    VANISHED = "no data where there was some"
    GONE = "a series is gone"
    ROSE = "a figure is much higher than ever before"
    FELL = "a figure is much lower than ever before"
    NEW = "a series is new"


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One way in which one query of a panel differs from before."""

    how: How
    query: int
    """Which of the panel's."""
    labels: Labels = ()
    """Of the series."""
    strength: float
    """How many times higher or lower; infinite where there is nothing to compare with."""
    words: str

    @property
    def is_plain(self) -> bool:
        """Not what random traffic may do, too."""
        return self.strength >= PLAIN


def moved(
    before: Sequence[Frame],
    during: Sequence[Frame],
    bounds: Sequence[Bound],
    *,
    missing: bool = True,
) -> Movement | None:
    """How a panel's frames, one for each query, differ from before, most of all; None when they do
    not. With `bounds`, those of the alert whose fault it is, figures must have been within all of
    them and lie beyond one, and nothing else counts.

    `missing`: whether what is not there any more counts; not while `during` is shorter than
    `before`, since a series may be there now and then.
    """
    if bounds:
        found = beyond(during, bounds, missing=missing)
        if not found or beyond(before, bounds):
            return None
        words = f"beyond the bound of {found.alert} ({found.words})"
        return Movement(how=How.BEYOND, query=0, strength=math.inf, words=words)
    pairs = enumerate(zip(before, during, strict=True))
    every = [one for at, (old, new) in pairs for one in _movements(at, old, new, missing=missing)]
    return max(every, key=lambda one: one.strength, default=None)


def still(
    movement: Movement, before: Sequence[Frame], after: Sequence[Frame], bounds: Sequence[Bound]
) -> str:
    """Why that movement is not over yet, "" if what it moved is as it was before: of a figure that
    moved plainly, if it no longer does."""
    if movement.how is How.BEYOND:
        found = beyond(after, bounds)
        return f"still beyond the bound of {found.alert} ({found.words})" if found else ""
    old, new = before[movement.query], after[movement.query]
    match movement.how:
        case How.VANISHED:
            return movement.words if new.is_empty else ""
        case How.APPEARED:
            return "there is still data" if any(new.values) else ""
        case How.NEW:
            return f"{movement.words}, still" if any(new.of(movement.labels).values) else ""
        case How.GONE:
            return "" if new.of(movement.labels).points else f"{movement.words}, still"
        case How.ROSE | How.FELL:
            if movement.labels in old.steady - new.names:
                return f"{How.GONE.value}: {_said(movement.labels)}"
            much = PLAIN if movement.is_plain else MUCH
            away = _away(0, new.of(movement.labels), old.of(movement.labels).values, much)
            return next((one.words for one in away if one.how is movement.how), "")
    return ""


def beyond(
    frames: Sequence[Frame], bounds: Sequence[Bound], *, missing: bool = True
) -> Bound | None:
    """The first bound that some figure lies beyond; None if all are within. `missing` as above."""
    return next(
        (one for frame in frames for one in bounds if _beyond(frame, one, missing=missing)), None
    )


def _beyond(frame: Frame, bound: Bound, *, missing: bool) -> bool:
    if bound.side is Side.ABOVE:
        return any(value > bound.value + _ROUNDING for value in frame.values)
    # A gauge of 0 or 1 is bad at 0, or gone; what is below another bound is below it.
    if frame.is_empty and not bound.value and not bound.negative:
        return missing
    least = bound.value if bound.value or bound.negative else _ROUNDING
    return any(value < least for value in frame.values)


def _movements(at: int, old: Frame, new: Frame, *, missing: bool) -> Iterator[Movement]:
    if new.is_empty or old.is_empty:
        if missing and not old.is_empty:
            yield _absolute(How.VANISHED, at, How.VANISHED.value)
        if not new.is_empty:
            yield _absolute(How.APPEARED, at, How.APPEARED.value)
        return
    if missing:
        for labels in sorted(old.steady - new.names):
            yield _absolute(How.GONE, at, f"{How.GONE.value}: {_said(labels)}", labels)
    for one in new.series:
        if before := old.of(one.labels).values:
            yield from _away(at, one, before)
        elif one.points:
            words = f"{How.NEW.value}: {_said(one.labels)}"
            yield Movement(how=How.NEW, query=at, labels=one.labels, strength=0.0, words=words)


def _absolute(how: How, at: int, words: str, labels: Labels = ()) -> Movement:
    return Movement(how=how, query=at, labels=labels, strength=math.inf, words=words)


def _away(at: int, one: Series, old: Sequence[float], much: float = MUCH) -> Iterator[Movement]:
    """How its values lie outside those before, by that many times."""
    if not one.values or not old:
        return
    highest, lowest = max(one.values), min(one.values)
    if highest > max(old) * much + _ROUNDING:
        yield Movement(
            how=How.ROSE, query=at, labels=one.labels, strength=_times(highest, max(old)),
            words=f"{_said(one.labels)} rose to {highest:g}, from {max(old):g} at most",
        )  # fmt: skip
    if lowest < min(old) / much - _ROUNDING:
        yield Movement(
            how=How.FELL, query=at, labels=one.labels, strength=_times(min(old), lowest),
            words=f"{_said(one.labels)} fell to {lowest:g}, from {min(old):g} at least",
        )  # fmt: skip


def _times(higher: float, lower: float) -> float:
    return higher / lower if lower > 0 else math.inf


def _said(labels: Labels) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels) or "it"
