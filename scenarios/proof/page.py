"""The HTML report: one self-contained file, made from a template and the results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from scenarios.proof import chart, noise, timeline
from scenarios.proof.case import LinkState
from scenarios.proof.chain import CHAIN, chain_of
from scenarios.proof.chart import Chart, Plot
from scenarios.proof.evidence import FaultStep, Graph, Notification, TrafficSeen
from scenarios.proof.history import Trend
from scenarios.proof.rendered import rendered
from scenarios.proof.result import Proof, Result
from scenarios.proof.scenario import CHANNELS, Want
from scenarios.proof.timeline import TimelineRow

Drawing = TypeVar("Drawing")


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
    """One expected notification and what came of it."""

    want: str
    firing: str
    resolved: str
    good: bool


@dataclass(frozen=True, kw_only=True)
class Section:
    """All that the page says of one alert."""

    result: Result
    steps: Sequence[Step]
    deliveries: Sequence[Delivery]
    strays: Sequence[str]
    chart: Chart | None
    plots: Sequence[Plot]
    trend: Trend | None
    again: str
    """The command that plays this one again."""
    lines: Sequence[TimelineRow]
    traffic: TrafficSeen | None
    messages: Sequence[Notification]


def render(proof: Proof, trends: Mapping[str, Trend] = MappingProxyType({}), seal: str = "") -> str:
    """The page's text; `trends` by alert, when there is a history, `seal` the digest over evidence,
    expectations and verdicts."""
    return rendered(
        Path(__file__).parent,
        proof=proof,
        seal=seal,
        when=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        packages={name: path.partition("-")[2] or path for name, path in proof.packages.items()},
        sections=[section(one, proof, trends.get(one.alert)) for one in proof.results],
        trends=trends,
        noises=(noises := noise.all_of(proof.results)),
        noise_summary=noise.summary(noises),
        most_messages=noise.MOST_MESSAGES,
        slower=[trend.alert for trend in trends.values() if trend.slower],
        width=chart.WIDTH,
        top=chart.TOP,
        lane_height=chart.LANE_HEIGHT,
    )


def section(result: Result, proof: Proof, trend: Trend | None) -> Section:
    events, verdict = result.events, result.verdict
    # What belongs to no scenario, as a routing case, is judged by its own links alone.
    own = [e for e in events if isinstance(e, Notification)
           and (result.alert in e.alerts or not result.scenario)]  # fmt: skip
    wants = result.scenario.notifications if result.scenario else ()
    return Section(
        result=result,
        steps=_steps(result),
        deliveries=[_delivery(want, own, result) for want in wants],
        strays=[_stray(e) for e in events if isinstance(e, Notification) and _is_stray(e, result)],
        chart=_or_gap(lambda: chart.chart(result), None),
        plots=_or_gap(lambda: _plots(result), []),
        trend=trend,
        again=f"doit verify-alerts --only {result.alert} --speed {proof.speed:g}",
        lines=timeline.lines(events, verdict),
        traffic=timeline.last_traffic(events),
        messages=own,
    )


def _or_gap(draw: Callable[[], Drawing], gap: Drawing) -> Drawing:
    """What cannot be drawn, whatever it is, is a gap in the report."""
    try:
        return draw()
    except Exception:
        return gap


def _plots(result: Result) -> list[Plot]:
    zero = timeline.zero_of(result.events, result.verdict)
    undone = [e.at for e in result.events if isinstance(e, FaultStep) and e.step == "undone"]
    found = [chart.plot(e, zero, undone[-1] - zero if undone else float("inf"))
             for e in result.events if isinstance(e, Graph)]  # fmt: skip
    return [one for one in found if one]


def _is_stray(message: Notification, result: Result) -> bool:
    """Neither one of those expected, nor of an alert that is proven at the same time."""
    if not result.scenario:
        return False
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
    chain = [name for name, _ in (chain_of(result.scenario) if result.scenario else CHAIN)]
    for name in chain if result.scenario or not reached else reached:
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
                state="done" if link.state is LinkState.DONE else "broken",
                at=at,
                due=f"by {link.due - zero:.1f} s" if timed else "",  # type: ignore[operator]
                said=link.said if link.state is not LinkState.DONE else "",
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
        good=bool(firing) and len(resolved) == 1,
    )
