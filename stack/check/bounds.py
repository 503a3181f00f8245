"""From which value on an alert fires, by its rule's own expression: what dashboards draw."""

from dataclasses import dataclass
from enum import Enum

from stack.check.conditions import GONE, Condition, conditions
from stack.check.configuration import AlertRule
from stack.check.yamlfile import text

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
    found = [
        (_side(one), one.threshold or 0.0)
        for one in conditions(alert.expression, alert.language)
        if not one.guard and (one.threshold is not None or not one.against)
    ]
    colour = COLOURS.get(text(alert.label("severity")), COLOURS["warning"])
    return [_bound(alert.name, op, value, colour) for op, value in dict.fromkeys(found)]


def _side(condition: Condition) -> str:
    """The comparison; of what is not compared, whether it is wrong that it is there or not."""
    # One that always fires is wrong when it does not.
    missed = condition.measured.lstrip("(").startswith(("absent", "vector("))
    return condition.comparison or (GONE if missed else ">")


def _bound(alert: str, op: str, value: float, colour: str) -> Bound:
    if op == "==" and value == 0:
        op = GONE
    side = Side.BELOW if op in ("<", "<=", GONE) else Side.ABOVE
    return Bound(
        alert=alert,
        side=side,
        value=value,
        colour=colour,
        negative=op in ("<", "<=") and value == 0,
    )
