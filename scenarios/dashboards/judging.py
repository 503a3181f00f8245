"""Judges data frames, purely: is there data, are the values possible, did a fault move them?"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from scenarios.dashboards.frames import Frame, Series
from stack.check.bounds import Bound, Side

_FROM_ZERO = frozenset({
    "percentunit", "bytes", "Bps", "reqps", "ops", "cps", "iops", "rowsps", "pps", "s", "short",
})  # fmt: skip
"""Units of what cannot be negative."""

_ROUNDING = 1e-6

MUCH = 1.5
"""A figure has moved when it is this many times higher, or lower, than it ever was before."""


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


def moved(before: Sequence[Frame], during: Sequence[Frame], bounds: Sequence[Bound]) -> str:
    """How a panel's frames, one for each query, differ under a fault; "" when they do not.

    With `bounds`, those of the alert whose fault it is, figures must have been within all of them
    and lie beyond one. What is gone is `gone`'s, since `during` may be shorter than `before`.
    """
    if bounds:
        found = beyond(during, bounds)
        return (
            f"beyond the bound of {found.alert} ({found.words})"
            if found and not beyond(before, bounds)
            else ""
        )
    found_how = (_differs(old, new) for old, new in zip(before, during, strict=True))
    return next((how for how in found_how if how), "")


def gone(before: Sequence[Frame], during: Sequence[Frame]) -> str:
    """Which series are no longer there, "" if all are."""
    for old, new in zip(before, during, strict=True):
        if new.is_empty and not old.is_empty:
            return "no data where there was some"
        if missing := old.names - new.names:
            return f"a series is gone: {_said(min(missing))}"
    return ""


def back(before: Sequence[Frame], after: Sequence[Frame], bounds: Sequence[Bound]) -> str:
    """What is not as before, "" if all is: within the same bounds or, without any, the same series
    as high as then; one that is new is at zero."""
    if bounds:
        found = beyond(after, bounds)
        return f"still beyond the bound of {found.alert} ({found.words})" if found else ""
    if missing := gone(before, after):
        return missing
    for old, new in zip(before, after, strict=True):
        for one in new.series:
            if how := _away(one, old.of(one.labels) or [0.0]):
                return how
    return ""


def beyond(frames: Sequence[Frame], bounds: Sequence[Bound]) -> Bound | None:
    """The first bound that some figure lies beyond; None if all are within."""
    return next((one for frame in frames for one in bounds if _beyond(frame, one)), None)


def _beyond(frame: Frame, bound: Bound) -> bool:
    if bound.side is Side.ABOVE:
        return any(value > bound.value + _ROUNDING for value in frame.values)
    # A gauge of 0 or 1 is bad at 0, or gone; what is below another bound is below it.
    if frame.is_empty and not bound.value and not bound.negative:
        return True
    least = bound.value if bound.value or bound.negative else _ROUNDING
    return any(value < least for value in frame.values)


def _differs(before: Frame, during: Frame) -> str:
    if before.is_empty and not during.is_empty:
        return "data where there was none"
    if new := during.names - before.names:
        return f"a series is new: {_said(min(new))}"
    for one in during.series:
        old = before.of(one.labels)
        if old and (how := _away(one, old)):
            return how
    return ""


def _away(one: Series, old: Sequence[float]) -> str:
    """How its values lie outside those before; "" if they do not."""
    if one.values and max(one.values) > max(old) * MUCH + _ROUNDING:
        return f"{_said(one.labels)} rose to {max(one.values):g}, from {max(old):g} at most"
    if one.values and min(one.values) < min(old) / MUCH - _ROUNDING:
        return f"{_said(one.labels)} fell to {min(one.values):g}, from {min(old):g} at least"
    return ""


def _said(labels: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels) or "it"
