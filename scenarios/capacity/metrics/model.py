"""A straight line through what was measured, and how far it may be trusted.

Least squares, with the interval in which a further measurement lies in 95 of 100 cases (Draper and
Smith, "Applied Regression Analysis", 1.4). With two points there is none; with three it is honest
and wide.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

COVERED = 0.95
"""Of further measurements."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """`at_nought + slope * x`."""

    at_nought: float
    slope: float
    error: float
    """Standard deviation of a measurement from the line; NaN where nobody knows."""
    slope_half: float
    """Half width of the slope's interval; NaN where nobody knows."""
    points: int
    middle: float
    """Mean of all x."""
    spread: float
    """Sum of their squared distances from it."""

    def at(self, x: float) -> float:
        return self.at_nought + self.slope * x

    def half(self, x: float) -> float:
        """Half width of the interval for a further measurement at x; NaN where nobody knows."""
        if not math.isfinite(self.error):
            return math.nan
        width = 1 + 1 / self.points + (x - self.middle) ** 2 / self.spread
        return student(self.points - 2) * self.error * math.sqrt(width)

    def reaches(self, value: float) -> float:
        """The x at which it gets to the value; infinite where it never does."""
        return (value - self.at_nought) / self.slope if self.slope > 0 else math.inf


def line(points: Sequence[tuple[float, float]]) -> Line | None:
    """The line through (x, y); None where one cannot be drawn: fewer than two different x."""
    if len({x for x, _ in points}) < 2:
        return None
    found = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    middle = statistics.fmean(x for x, _ in points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    error = slope_half = math.nan
    if len(points) > 2:
        off = sum((y - found.intercept - found.slope * x) ** 2 for x, y in points)
        error = math.sqrt(off / (len(points) - 2))
        slope_half = student(len(points) - 2) * error / math.sqrt(spread)
    return Line(
        at_nought=found.intercept, slope=found.slope, error=error, slope_half=slope_half,
        points=len(points), middle=middle, spread=spread,
    )  # fmt: skip


def student(degrees: int) -> float:
    """The value within which Student's t with so many degrees of freedom lies in 95 of 100 cases:
    by bisection of its distribution, which is a finite sum (Abramowitz and Stegun, 26.7.3, 4)."""
    low, high = 0.0, 1e6
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < COVERED else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """The share of cases in which it lies between -t and t."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, cosine) if degrees % 2 else (1.0, 1.0)
    for n in range(2 + degrees % 2, degrees - 1, 2):
        term *= cosine**2 * (n - 1) / n
        total += term
    if degrees % 2 == 0:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if degrees > 1 else 0.0))
