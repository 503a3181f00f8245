"""Curves of a report: figures over a rate or a number, with where the knee lies and the limit.
`curves.html.j2` draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from scenarios.proof.chart import short

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One drawing, in its own units."""

    WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 220, 54, 34, 14, 10

    title: str
    across: str
    """What goes from left to right."""
    lines: Sequence[tuple[str, Points]]
    band: tuple[float, float] | None
    """Where the knee lies, from and to."""
    limit_y: float | None
    x_ticks: Points | Sequence[tuple[float, str]]
    y_ticks: Points | Sequence[tuple[float, str]]


def curve(
    title: str, across: str, lines: Sequence[tuple[str, Points]], *,
    limit: float | None = None, band: tuple[float, float] | None = None,
) -> Curve | None:  # fmt: skip
    """None when there is nothing to draw. What is far beyond the limit is cut there."""
    shown = [(name, [one for one in points if isfinite(one[1])]) for name, points in lines]
    every = [point for _, points in shown for point in points]
    if not every:
        return None
    values = [value for _, value in every]
    most = max(values) if limit is None else min(max([*values, 1.1 * limit]), 3 * limit)
    most, last = most or 1.0, max(x for x, _ in every) * 1.03
    wide = Curve.WIDTH - Curve.LEFT - Curve.RIGHT
    high = Curve.HEIGHT - Curve.TOP - Curve.BOTTOM

    def x(value: float) -> float:
        return round(Curve.LEFT + value / last * wide, 1)

    def y(value: float) -> float:
        return round(Curve.TOP + (1 - min(value, most) / most) * high, 1)

    return Curve(
        title=title, across=across,
        lines=[(name, [(x(at), y(value)) for at, value in points]) for name, points in shown],
        band=(x(band[0]), x(band[1])) if band else None,
        limit_y=None if limit is None else y(limit),
        x_ticks=[(x(last * n / 5), short(last * n / 5)) for n in range(6)],
        y_ticks=[(y(most * n / 4), short(most * n / 4)) for n in range(5)],
    )  # fmt: skip
