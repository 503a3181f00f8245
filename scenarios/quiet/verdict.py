"""Was it quiet? From the evidence of a day to the reasons why not. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadgen.day import Day, clock
from scenarios.proof.evidence import (
    AlertState,
    Event,
    Lost,
    Notification,
    Stopped,
    TrafficSeen,
    Trouble,
)
from scenarios.proof.scenario import CHANNELS, always

EVALUATED_AT_LEAST = 0.8
"""Share of a group's evaluations that must have taken place: a busy machine leaves some out."""


@dataclass(frozen=True, kw_only=True)
class DayBegan(Event):
    """Everything was steady; the day counts from here."""


@dataclass(frozen=True, kw_only=True)
class DayEnded(Event):
    """Midnight again."""


@dataclass(frozen=True, kw_only=True)
class GroupCount(Event):
    """What Prometheus counted for one rule group, from begin to end of the day."""

    name: str
    evaluations: float
    expected: float
    """Evaluations that its interval asks for."""
    failures: float


@dataclass(frozen=True, kw_only=True)
class Unhealthy(Event):
    """A rule that could not be evaluated at the end of the day."""

    rule: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Stored(Event):
    """Prometheus' own record: it had this alert in this state at some evaluation of the day."""

    labels: Mapping[str, str]
    """With `alertname`."""
    state: str
    evaluations: int


@dataclass(frozen=True, kw_only=True)
class DayVerdict:
    """The verdict of a day."""

    reasons: tuple[str, ...]
    """Why it was not quiet; empty when it was."""
    near_misses: tuple[str, ...]
    """Alerts that became pending and went away by themselves, with how many evaluations."""
    requests_by_hour: tuple[int, ...]
    requests: int = 0
    """All of the day's, as `requests_of` counts them."""


def requests_of(events: Iterable[Event]) -> int:
    """How many requests the day has seen so far; those before it began are none of its own."""
    count, before = 0, None
    for one in events:
        if isinstance(one, DayBegan):
            before = count
        elif isinstance(one, TrafficSeen):
            count = one.requests
    return 0 if before is None else count - before


def judge(events: Iterable[Event], day: Day, speed: float, midnight: float) -> DayVerdict:
    """The verdict; `midnight` is the Unix time at which the day began."""
    every = list(events)
    began = next((one.at for one in every if isinstance(one, DayBegan)), None)
    if began is None:
        why = [one.why for one in every if isinstance(one, Stopped)]
        return DayVerdict(reasons=(why[0] if why else "the day never began",), near_misses=(),
                     requests_by_hour=())  # fmt: skip
    # Of what came after an observer was lost, silence included, nothing is known.
    lost = [one.what for one in every if isinstance(one, Lost)]
    seen = [one for one in every if one.at >= began]

    def hour(at: float) -> float:
        return (at - midnight) * speed / 3600

    by_hour = _requests_by_hour([(hour(one.at), one) for one in seen
                                 if isinstance(one, TrafficSeen)])  # fmt: skip
    reasons = [
        *lost[:1],
        *(f"{clock(hour(one.at))} {words}" for one in seen if (words := _news(one))),
        *_stored(seen),
        *_rules(seen),
        *_traffic(seen, day, by_hour),
    ]
    if not any(isinstance(one, DayEnded) for one in seen):
        stopped = [one.why for one in seen if isinstance(one, Stopped)]
        reasons.append(f"the day did not end: {stopped[0] if stopped else 'no evidence of it'}")
    return DayVerdict(
        reasons=tuple(reasons), near_misses=tuple(_near_misses(seen)), requests_by_hour=by_hour,
        requests=requests_of(every),
    )  # fmt: skip


def _news(event: Event) -> str:
    """What must not happen on a quiet day, in words."""
    match event:
        case AlertState(state="firing") if not always(event.labels):
            return f"`{event.alert}` fired {_pairs(event.labels)}"
        case Notification():
            channel = CHANNELS.get(event.channel, event.channel)
            return f"{channel} {event.destination} received `{event.subject}`"
        case Trouble() if not isinstance(event, Lost):
            return event.what
    return ""


def _stored(seen: Sequence[Event]) -> Iterable[str]:
    """Alerts that fired between two looks of the watcher: Prometheus' own record has them all."""
    watched = {one.alert for one in seen if isinstance(one, AlertState) and one.state == "firing"}
    for one in seen:
        name = one.labels["alertname"] if isinstance(one, Stored) else ""
        if (isinstance(one, Stored) and one.state == "firing" and name not in watched
                and not always(one.labels)):  # fmt: skip
            yield f"`{name}` fired for {one.evaluations} evaluations {_pairs(one.labels)}"


def _near_misses(seen: Sequence[Event]) -> Iterable[str]:
    for one in seen:
        if isinstance(one, Stored) and one.state == "pending":
            name, s = one.labels["alertname"], "s"[: one.evaluations != 1]
            yield f"`{name}` {_pairs(one.labels)} was pending at {one.evaluations} evaluation{s}"


def _rules(seen: Sequence[Event]) -> Iterable[str]:
    groups = [one for one in seen if isinstance(one, GroupCount)]
    if not groups and any(isinstance(one, DayEnded) for one in seen):
        yield "no rule group was evaluated: Prometheus counts none"
    for one in groups:
        if one.failures:
            yield f"group `{one.name}`: {one.failures:.0f} evaluations failed"
        if one.evaluations < EVALUATED_AT_LEAST * one.expected:
            yield (
                f"group `{one.name}` was evaluated {one.evaluations:.0f} times, expected"
                f" {one.expected:.0f}: the machine was too busy, or the rules too slow"
            )
    for event in seen:
        if isinstance(event, Unhealthy):
            yield f"rule `{event.rule}` cannot be evaluated: {event.error}"


def _traffic(seen: Sequence[Event], day: Day, by_hour: Sequence[int]) -> Iterable[str]:
    figures = [one for one in seen if isinstance(one, TrafficSeen)]
    if figures and figures[-1].failures:
        worst = f" ({figures[-1].errors[0]})" if figures[-1].errors else ""
        yield f"{figures[-1].failures} of {figures[-1].requests} requests failed{worst}"
    if idle := [clock(hour) for hour in day.busy_hours if not by_hour[hour]]:
        yield f"nobody was at work at {', '.join(idle)}: silence without traffic proves nothing"


def _requests_by_hour(figures: Sequence[tuple[float, TrafficSeen]]) -> tuple[int, ...]:
    """Requests in each hour; those between two figures are shared out evenly over their time."""
    counts = [0.0] * 24
    for (start, before), (end, after) in pairwise(figures):
        for hour in range(max(0, int(start)), min(24, int(end) + 1)):
            part = min(end, hour + 1) - max(start, hour)
            if part > 0:
                counts[hour] += (after.requests - before.requests) * part / (end - start)
    return tuple(round(count) for count in counts)


def _pairs(labels: Mapping[str, str]) -> str:
    inner = (f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "alertname")
    return "{" + ", ".join(inner) + "}"
