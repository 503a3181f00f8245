"""Judges data frames, purely: is there data, are the values possible, did a fault move them?"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from scenarios.dashboards.frames import Frame
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
    and lie beyond one.
    """
    if bounds:
        found = beyond(during, bounds)
        return (
            f"beyond the bound of {found.alert} ({found.words})"
            if found and not beyond(before, bounds)
            else ""
        )
    for old, new in zip(before, during, strict=True):
        if how := _differs(old, new):
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
    if before.is_empty != during.is_empty:
        return "data where there was none" if before.is_empty else "no data where there was some"
    if gone := before.names - during.names:
        return f"a series is gone: {_said(min(gone))}"
    if new := during.names - before.names:
        return f"a series is new: {_said(min(new))}"
    for one in during.series:
        old = next((each.values for each in before.series if each.labels == one.labels), [])
        if not old or not one.values:
            continue
        if max(one.values) > max(old) * MUCH + _ROUNDING:
            return f"{_said(one.labels)} rose to {max(one.values):g}, from {max(old):g} at most"
        if min(one.values) < min(old) / MUCH - _ROUNDING:
            return f"{_said(one.labels)} fell to {min(one.values):g}, from {min(old):g} at least"
    return ""


def _said(labels: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels) or "it"
