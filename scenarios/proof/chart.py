"""Geometry of the report's drawings: the timeline of a scenario, and what its rule measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from scenarios.proof import timeline
from scenarios.proof.evidence import Graph
from scenarios.proof.result import Result
from scenarios.proof.scenario import CHANNELS
from scenarios.proof.timeline import Arrival, Bar

WIDTH, LEFT, RIGHT = 960, 116, 24
"""Of the timeline, in its own units; lanes' names stand left of `LEFT`."""

LANES = ("fault", "Prometheus", "Alertmanager")
LANE_HEIGHT, TOP = 30, 34
BEFORE_S = 1.0
"""Seconds shown before the fault."""

STEPS_S = (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 4 * 3600)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The timeline."""

    bars: Sequence[Bar]
    marks: Sequence[Arrival]
    lanes: Sequence[str]
    end_s: float
    floor_s: float
    deadline_s: float

    @property
    def height(self) -> int:
        return TOP + LANE_HEIGHT * len(self.lanes) + 26

    def x(self, at_s: float) -> float:
        share = (min(max(at_s, -BEFORE_S), self.end_s) + BEFORE_S) / (self.end_s + BEFORE_S)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, lane: str) -> int:
        return TOP + LANE_HEIGHT * self.lanes.index(lane)

    @property
    def ticks(self) -> list[int]:
        """About ten round seconds."""
        return _ticks(self.end_s, 12)


def chart(result: Result) -> Chart | None:
    """None when nothing was injected."""
    verdict, events, deadlines = result.verdict, result.events, result.deadlines
    if verdict.zero is None or deadlines is None:
        return None
    found, marks = timeline.bars(events, verdict), timeline.marks(events, verdict)
    links = {link.name: link for link in verdict.links}
    due = links["notified"].due if "notified" in links else None
    deadline_s = due - verdict.zero if due is not None else deadlines.notified.seconds
    ends = [bar.end_s for bar in found] + [mark.at_s for mark in marks] + [deadline_s]
    wants = result.scenario.notifications if result.scenario else ()
    used = {CHANNELS[want.channel] for want in wants} | {mark.channel for mark in marks}
    lanes = [
        "Loki" if lane == "Prometheus" and result.rule and result.rule.on_logs else lane
        for lane in LANES
    ]
    return Chart(
        bars=found,
        marks=marks,
        lanes=(*lanes, *(name for name in CHANNELS.values() if name in used)),
        end_s=max(ends) * 1.03,
        floor_s=deadlines.floor_s,
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A rule's measured value over the scenario, in units of the drawing."""

    query: str
    threshold: float | None
    lines: Sequence[str]
    """Points of a polyline for each series."""
    names: Sequence[str]
    threshold_y: float | None
    fault: tuple[float, float]
    """Where the fault begins and ends."""
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]

    WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 520, 190, 54, 24, 12


def plot(graph: Graph, zero: float, fault_end_s: float) -> Plot | None:
    """None when the query gave no points. Seconds count from `zero`, in Unix seconds."""
    points = [point for line in graph.lines for point in line]
    if not points:
        return None
    limits = [graph.threshold] if graph.threshold is not None else []
    values = [value for _, value in points] + limits
    low, high = min(0.0, *values), max(values)
    high = low + ((high - low) * 1.08 or 1.0)
    first, last = min(at for at, _ in points) - zero, max(at for at, _ in points) - zero
    width = Plot.WIDTH - Plot.LEFT - 8

    def x(at_s: float) -> float:
        at_s = min(max(at_s, first), last)
        return round(Plot.LEFT + (at_s - first) / (last - first or 1.0) * width, 1)

    def y(value: float) -> float:
        inner = Plot.HEIGHT - Plot.TOP - Plot.BOTTOM
        return round(Plot.TOP + (1 - (value - low) / (high - low)) * inner, 1)

    return Plot(
        query=graph.query,
        threshold=graph.threshold,
        lines=[" ".join(f"{x(at - zero)},{y(value)}" for at, value in line)
               for line in graph.lines],
        names=graph.names,
        threshold_y=None if graph.threshold is None else y(graph.threshold),
        fault=(x(0), x(fault_end_s)),
        x_ticks=[(x(at), f"{at} s") for at in _ticks(last, 7)],
        y_ticks=[(y(value), short(value)) for value in _round_values(low, high)],
    )  # fmt: skip


def short(value: float) -> str:
    """`1.2`, `250k`, `1.5M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _ticks(end_s: float, most: int) -> list[int]:
    step = next((s for s in STEPS_S if end_s / s <= most), STEPS_S[-1])
    return [n * step for n in range(ceil(max(end_s, step) / step))]


def _round_values(low: float, high: float) -> list[float]:
    """Three to six round values within the range."""
    raw = (high - low) / 4
    size = 10.0 ** floor(log10(raw))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= raw)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]
