"""Plots of a report: figures over a rate or a number, drawn by uPlot where the page is read.

The library is a part of the viewer's package; a report carries it, so that it needs no network.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from markupsafe import Markup

from stack.store.packageset import realise

Points = Sequence[tuple[float, float]]

_FAR = 3
"""What is further beyond the limit is cut: so many times its height."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure over what goes from left to right."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool
    """Single measurements, which no line connects."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot, in its own units. Both axes begin at 0."""

    title: str
    across: str
    """What goes from left to right."""
    right: float
    """Where the horizontal axis ends."""
    top: float
    lines: Sequence[Line]
    limit: float | None
    """A height that is marked, as that of an objective."""
    knee: tuple[float, float] | None
    """Where the knee lies, from and to."""
    area: Sequence[tuple[float, float, float]]
    """x, low, high: in between lie 95 of 100 further measurements."""

    @property
    def json(self) -> str:
        """For `plots.js`."""
        return json.dumps(asdict(self), allow_nan=False)


def plot(
    title: str, across: str, lines: Sequence[tuple[str, Points]], *, dots: Sequence[str] = (),
    limit: float | None = None, knee: tuple[float, float] | None = None,
    area: Sequence[tuple[float, float, float]] = (), right: float | None = None,
) -> Plot | None:  # fmt: skip
    """None when there is nothing to draw. `dots` names the lines that are single measurements."""
    shown = [(name, sorted(one for one in points if isfinite(one[0]) and isfinite(one[1])))
             for name, points in lines]  # fmt: skip
    every = [point for _, points in shown for point in points]
    if not every:
        return None
    values = [value for _, value in every]
    most = max(values)
    if limit is not None:
        most = min(max(most, 1.1 * limit), _FAR * limit)
    return Plot(
        title=title, across=across, limit=limit, knee=knee, area=area,
        right=right or 1.03 * max(x for x, _ in every) or 1.0, top=1.03 * most or 1.0,
        lines=[Line(name=name, dots=name in dots, x=_apart([x for x, _ in points]),
                    y=[y for _, y in points]) for name, points in shown],
    )  # fmt: skip


def _apart(places: Sequence[float]) -> list[float]:
    """Sorted places, no two of them the same: uPlot keeps one value for each."""
    found: list[float] = []
    for place in places:
        found.append(place if not found or place > found[-1] else found[-1] * (1 + 1e-9) or 1e-9)
    return found


def library() -> dict[str, Markup]:
    """`script` and `style`, to be written into a page as they are.

    Builds the package if it is missing. Raises HostCannot if that cannot be done.
    """
    folder = realise(["viewer"])["viewer"] / "share" / "viewer" / "plots"
    own = Path(__file__).with_suffix(".js")
    script = (folder / "uPlot.iife.min.js").read_text(encoding="utf-8")
    return {
        "script": Markup(f"{own.read_text(encoding='utf-8')}\n{script}"),
        "style": Markup((folder / "uPlot.min.css").read_text(encoding="utf-8")),
    }
