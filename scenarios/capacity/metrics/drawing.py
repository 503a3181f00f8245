"""Drawings of one figure over another: what was measured, the line through it, what it predicts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.capacity.metrics.model import Line
from scenarios.proof.chart import short

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 220, 54, 34, 14, 10

_STEPS = 24
"""Corners of the band on either side."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """In units of the drawing."""

    title: str
    x_name: str
    measured: Sequence[tuple[float, float]]
    predicted: Sequence[tuple[float, float]]
    """What was measured at the size that the line predicted."""
    line: tuple[float, float, float, float] | None
    band: str
    """Corners of the area in which 95 of 100 further measurements lie; empty where nobody knows."""
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]


def drawn(
    title: str, x_name: str, points: Sequence[tuple[float, float]],
    large: Sequence[tuple[float, float]], model: Line | None,
) -> Drawing | None:  # fmt: skip
    """None when there is nothing to draw."""
    known = [(x, y) for x, y in (*points, *large) if math.isfinite(x) and math.isfinite(y)]
    if not known:
        return None
    last = 1.05 * max(x for x, _ in known) or 1.0
    most = max([y for _, y in known] + ([model.at(last)] if model else [])) * 1.1 or 1.0
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return (round(LEFT + x / last * wide, 1),
                round(TOP + (1 - min(max(y, 0.0), most) / most) * high, 1))  # fmt: skip

    return Drawing(
        title=title,
        x_name=x_name,
        measured=[at(*point) for point in points],
        predicted=[at(*point) for point in large],
        line=(*at(0, model.at(0)), *at(last, model.at(last))) if model else None,
        band=_band(model, last, at) if model else "",
        x_ticks=[(at(x, 0)[0], short(x)) for x in _round(last, 6)],
        y_ticks=[(at(0, y)[1], short(y)) for y in _round(most, 5)],
    )


def _round(last: float, most: int) -> list[float]:
    """Up to so many round values from 0 on."""
    size = 10.0 ** math.floor(math.log10(last / most))
    step = next(size * n for n in (1, 2, 5, 10, 20) if size * n * most >= last)
    return [n * step for n in range(int(last / step) + 1)]


def _band(model: Line, last: float, at: Callable[[float, float], tuple[float, float]]) -> str:
    if not math.isfinite(model.error):
        return ""
    places = [last * n / _STEPS for n in range(_STEPS + 1)]
    above = [at(x, model.at(x) + model.half(x)) for x in places]
    below = [at(x, model.at(x) - model.half(x)) for x in reversed(places)]
    return " ".join(f"{x},{y}" for x, y in (*above, *below))
