"""The HTML report: one self-contained file, made from a template and the results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scenarios.proof import timeline
from scenarios.proof.case import State
from scenarios.proof.chain import CHAIN, chain_of
from scenarios.proof.evidence import Notification, TrafficSeen
from scenarios.proof.report import Proof, Result
from scenarios.proof.scenario import CHANNELS, Want
from scenarios.proof.timeline import Bar, Line, Mark

WIDTH, LEFT, RIGHT = 960, 116, 24
"""Of the chart, in its own units; lanes' names stand left of `LEFT`."""

LANES = ("fault", "Prometheus", "Alertmanager", *CHANNELS.values())
LANE_HEIGHT, TOP = 30, 34
BEFORE_S = 1.0
"""Seconds shown before the fault."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One link of the chain, for reading."""

    name: str
    state: str
    """`done`, `broken`, or `unreached`."""
    at: str
    due: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One wanted notification and what came of it."""

    want: str
    firing: str
    resolved: str
    good: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Geometry of the timeline."""

    bars: Sequence[Bar]
    marks: Sequence[Mark]
    end_s: float
    floor_s: float
    deadline_s: float | None
    undo_s: float | None

    @property
    def height(self) -> int:
        return TOP + LANE_HEIGHT * len(LANES) + 26

    def x(self, at_s: float) -> float:
        share = (min(max(at_s, -BEFORE_S), self.end_s) + BEFORE_S) / (self.end_s + BEFORE_S)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, lane: str) -> int:
        return TOP + LANE_HEIGHT * LANES.index(lane)

    @property
    def ticks(self) -> list[float]:
        """About ten round seconds."""
        step = next((s for s in (1, 2, 5, 10, 30, 60, 300, 600) if self.end_s / s <= 12), 3600)
        return [n * step for n in range(ceil(self.end_s / step))]


@dataclass(frozen=True, kw_only=True)
class Section:
    """All that the page says of one alert."""

    result: Result
    steps: Sequence[Step]
    deliveries: Sequence[Delivery]
    strays: Sequence[str]
    chart: Chart | None
    lines: Sequence[Line]
    traffic: TrafficSeen | None
    messages: Sequence[Notification]


def render(proof: Proof) -> str:
    """The page's text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        proof=proof,
        when=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        packages={name: path.partition("-")[2] or path for name, path in proof.packages.items()},
        sections=[section(result) for result in proof.results],
        lanes=LANES,
        width=WIDTH,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        lane_height=LANE_HEIGHT,
    )


def section(result: Result) -> Section:
    events, verdict = result.events, result.verdict
    own = [e for e in events if isinstance(e, Notification) and result.alert in e.alerts]
    wants = result.scenario.notifications if result.scenario else ()
    return Section(
        result=result,
        steps=_steps(result),
        deliveries=[_delivery(want, own, result) for want in wants],
        strays=[_stray(e) for e in events if isinstance(e, Notification) and _is_stray(e, result)],
        chart=_chart(result),
        lines=timeline.lines(events, verdict),
        traffic=timeline.last_traffic(events),
        messages=own,
    )


def _is_stray(message: Notification, result: Result) -> bool:
    """Neither one of those wanted, nor of an alert that is proven at the same time."""
    if result.alert not in message.alerts:
        return not message.alerts or not set(message.alerts) <= result.explained
    wants = result.scenario.notifications if result.scenario else ()
    return Want(channel=message.channel, destination=message.destination) not in wants


def _stray(message: Notification) -> str:
    channel = CHANNELS.get(message.channel, message.channel)
    return f"{message.kind} on {channel} {message.destination}: {message.subject}"


def _steps(result: Result) -> list[Step]:
    """Every link of the chain, also those that the verdict did not come to."""
    verdict = result.verdict
    reached = {link.name: link for link in verdict.links}
    found = []
    for name, _ in chain_of(result.scenario) if result.scenario else CHAIN:
        link = reached.get(name)
        if link is None:
            found.append(Step(name=name, state="unreached", at="", due="", said=""))
            continue
        zero = verdict.zero
        at = f"{link.at - zero:.2f} s" if link.at is not None and zero is not None else ""
        timed = link.due is not None and zero is not None and link.due != float("inf")
        found.append(
            Step(
                name=name,
                state="done" if link.state is State.DONE else "broken",
                at=at,
                due=f"by {link.due - zero:.1f} s" if timed else "",  # type: ignore[operator]
                said=link.said if link.state is not State.DONE else "",
            )
        )
    return found


def _delivery(want: Want, own: Sequence[Notification], result: Result) -> Delivery:
    zero = result.verdict.zero or 0.0

    def arrivals(kind: str) -> list[str]:
        return [
            f"{e.at - zero:.2f} s"
            for e in own
            if (e.channel, e.destination, e.kind) == (want.channel, want.destination, kind)
        ]

    firing, resolved = arrivals("firing"), arrivals("resolved")
    return Delivery(
        want=str(want),
        firing=", ".join(firing) or "none",
        resolved=", ".join(resolved) or "none",
        good=len(firing) == len(resolved) == 1,
    )


def _chart(result: Result) -> Chart | None:
    verdict, events, deadlines = result.verdict, result.events, result.deadlines
    if verdict.zero is None or deadlines is None:
        return None
    found, marks = timeline.bars(events, verdict), timeline.marks(events, verdict)
    links = {link.name: link for link in verdict.links}
    due = links["notified"].due if "notified" in links else None
    deadline_s = due - verdict.zero if due is not None else deadlines.notified.seconds
    ends = [bar.end_s for bar in found] + [mark.at_s for mark in marks] + [deadline_s]
    undo = [bar.end_s for bar in found if bar.lane == "fault"]
    return Chart(
        bars=found,
        marks=marks,
        end_s=max(ends) * 1.03,
        floor_s=deadlines.floor_s,
        deadline_s=deadline_s,
        undo_s=undo[0] if undo else None,
    )
