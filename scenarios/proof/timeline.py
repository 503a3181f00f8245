"""What happened, in seconds from the fault: as lines of text, and as bars and marks of a chart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scenarios.proof.evidence import (
    AlertState,
    Event,
    FaultStep,
    Full,
    Gate,
    Graph,
    Half,
    Held,
    Late,
    Notification,
    Said,
    Silent,
    Stopped,
    TrafficSeen,
    Trouble,
    Watched,
)
from scenarios.proof.scenario import CHANNELS
from scenarios.proof.verdict import ENGINES, Verdict

EVALUATORS = {"prometheus": "Prometheus", "loki": "Loki"}
"""Service that evaluates a rule → its name for people."""


@dataclass(frozen=True, kw_only=True)
class TimelineRow:
    """One event in a few words."""

    at_s: float
    mark: str
    """`good`, `bad` or empty."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A state that lasted; seconds from the fault."""

    lane: str
    kind: str
    """`fault`, `pending`, `firing` or `held`."""
    start_s: float
    end_s: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A notification in its lane; seconds from the fault."""

    channel: str
    kind: str
    at_s: float
    words: str


def zero_of(events: Sequence[Event], verdict: Verdict) -> float:
    """The fault's beginning, else the first event: the zero of all relative times."""
    first = min((event.at for event in events), default=0.0)
    return verdict.zero if verdict.zero is not None else first


def lines(events: Sequence[Event], verdict: Verdict) -> list[TimelineRow]:
    """All that is worth a line, in order of time."""
    zero = zero_of(events, verdict)
    found = []
    for event in sorted(events, key=lambda one: one.at):
        told_of = _words(event, verdict.alert)
        if told_of:
            mark, words = told_of
            found.append(TimelineRow(at_s=event.at - zero, mark=mark, words=words))
    return found


def told(events: Sequence[Event], verdict: Verdict) -> list[str]:
    """The chain and then all events, as plain text."""
    marks = {"good": "✓", "bad": "✗", "": " "}
    chain = [
        f"{'✓' if link.state == 'done' else '✗'} {link.name}"
        + (f" @{link.at - verdict.zero:.2f} s" if link.at and verdict.zero is not None else "")
        + (f": {link.said}" if link.state != "done" and link.said else "")
        for link in verdict.links
    ]
    seen = [
        f"{line.at_s:+8.2f} s {marks[line.mark]} {line.words}" for line in lines(events, verdict)
    ]
    return [*chain, "", *seen]


def bars(events: Sequence[Event], verdict: Verdict) -> list[Bar]:
    """The fault, the states of this alert by its rule, and Alertmanager's hold on it."""
    zero = zero_of(events, verdict)
    end = max((event.at for event in events), default=zero) - zero
    found = []
    steps = {e.step: e.at - zero for e in events if isinstance(e, FaultStep)}
    if "injecting" in steps:
        over = steps.get("undone", steps.get("failed", end))
        found.append(
            Bar(lane="fault", kind="fault", start_s=0.0, end_s=over, words="fault in force")
        )
    own = [e for e in events if isinstance(e, AlertState) and e.alert == verdict.alert]
    spans = [(e.at - zero, e.active_at - zero, e.state) for e in own]
    for (at, active, state), following in pairwise([*spans, (end, end, "")]):
        if state != "inactive":
            start = active if state == "pending" else at
            found.append(Bar(lane=EVALUATORS[own[0].source], kind=state, start_s=start,
                             end_s=following[0],
                             words=f"{state} {following[0] - start:.1f} s"))  # fmt: skip
    held = [e for e in events if isinstance(e, Held) and e.alert == verdict.alert]
    taken = [e.at - zero for e in held if e.state == "active"]
    let_go = [e.at - zero for e in held if e.state == "gone"]
    if taken:
        found.append(Bar(lane="Alertmanager", kind="held", start_s=taken[0],
                         end_s=let_go[-1] if let_go else end, words="held"))  # fmt: skip
    return found


def marks(events: Iterable[Event], verdict: Verdict) -> list[Arrival]:
    """The notifications of this alert."""
    zero = verdict.zero
    return [
        Arrival(channel=CHANNELS[e.channel], kind=e.kind, at_s=e.at - zero,
             words=f"{e.kind} on {e.destination} at {e.at - zero:.2f} s")
        for e in events
        if zero is not None and isinstance(e, Notification) and verdict.alert in e.alerts
    ]  # fmt: skip


def last_traffic(events: Iterable[Event]) -> TrafficSeen | None:
    """Locust's last figures."""
    seen = [event for event in events if isinstance(event, TrafficSeen)]
    return seen[-1] if seen else None


def _words(event: Event, alert: str) -> tuple[str, str] | None:
    match event:
        case Gate(passed=True):
            return "good", (
                f"steady: rule inactive {event.evaluations} times under"
                f" {event.requests_per_s:.1f} requests/s"
            )
        case Gate():
            return "bad", f"not steady: {event.reason}"
        case FaultStep():
            mark = "bad" if event.step in ("failed", "blocked") else "good"
            return mark, f"{event.step}: {event.detail}"
        case AlertState():
            mark = "good" if event.alert == alert else ""
            who = EVALUATORS[event.source]
            return mark, f"{who}: {event.alert} {event.state} {_pairs(event)}"
        case Held():
            mark = "good" if event.alert == alert else ""
            return mark, f"Alertmanager: {event.alert} {event.state}"
        case Notification():
            fine = alert in event.alerts and not event.problems
            mark = "good" if fine else "bad" if event.problems else ""
            problems = f" ({'; '.join(event.problems)})" if event.problems else ""
            where = f"{CHANNELS.get(event.channel, event.channel)} {event.destination}"
            return mark, f"{where}: {event.subject}{problems}"
        case Late():
            return "", f"{event.what} late: {event.gap_s:.1f} s after the one before"
        case Silent():
            return "", f"{event.what} did not answer for {event.at - event.since:.1f} s"
        case Said():
            return "bad", f"{ENGINES.get(event.source, event.source)} says: {event.text}"
        case Trouble() | Full():
            return "bad", event.what
        case Stopped():
            return "bad", event.why
        case TrafficSeen() | Watched() | Graph() | Half():
            return None
    return None


def _pairs(event: AlertState) -> str:
    return "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(event.labels.items())) + "}"
