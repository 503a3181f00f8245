"""How often people were told of one cause: whoever is woken should be woken once.

Counted is what arrived about the scenario's alert and about others that its cause may set off. What
other scenarios of the same instance set off is theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from scenarios.proof.chain import SIBLINGS_S
from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.proof.evidence import AlertState, Event, FaultStep, Notification
from scenarios.proof.result import Result
from scenarios.proof.scenario import Scenario, Want

PAGES = "pagerduty"
"""The channel that wakes people."""

MOST_MESSAGES = 3
"""One person should get no more than that about one cause."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message that something is wrong."""

    at_s: float
    """Seconds from the fault."""
    who: Want
    alerts: tuple[str, ...]
    needed: bool
    """It is about the alert that names the cause."""
    early: bool = False
    """It came before the cause fired, since the fault takes real time to show at any speed. At true
    durations that cannot be (`doit check`, `inhibition/sooner`), so that it is no noise."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """All messages about one cause, in the order in which they came."""

    alert: str
    all_messages: Sequence[Told]

    @property
    def messages(self) -> list[Told]:
        """Those that count."""
        return [one for one in self.all_messages if not one.early]

    @property
    def early(self) -> list[str]:
        """The alerts that only this speed told before their cause."""
        return sorted({name for one in self.all_messages if one.early for name in one.alerts})

    @cached_property
    def pages(self) -> int:
        """How often somebody was woken."""
        return sum(one.who.channel == PAGES for one in self.messages)

    @property
    def needed_pages(self) -> int:
        return sum(one.who.channel == PAGES for one in self.messages if one.needed)

    @cached_property
    def by_person(self) -> dict[Want, int]:
        """Messages of each who got one, who got most first."""
        count: dict[Want, int] = {}
        for one in self.messages:
            count[one.who] = count.get(one.who, 0) + 1
        return dict(sorted(count.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def most(self) -> int:
        """Messages of who got most."""
        return max(self.by_person.values(), default=0)

    @property
    def needless(self) -> list[Told]:
        """What only repeats the cause in other words."""
        return [one for one in self.messages if not one.needed]

    @property
    def symptoms(self) -> dict[str, str]:
        """What was told besides the cause: alert → when, and to whom."""
        found: dict[str, list[str]] = {}
        for one in self.needless:
            for alert in one.alerts:
                found.setdefault(alert, []).append(f"{one.who} at {one.at_s:.1f} s")
        return {alert: ", ".join(times) for alert, times in found.items()}


def noise(result: Result) -> Noise | None:
    """Of a scenario that was played; None of what has no scenario or never had its fault."""
    zero, scenario = result.verdict.zero, result.scenario
    if zero is None or scenario is None or scenario.always:
        return None
    cause = {scenario.alert, *scenario.follows}
    ends = [one.at for one in result.events if isinstance(one, FaultStep) and one.step == "undone"]
    until = ends[-1] + result.deadlines.resolved.seconds if ends and result.deadlines else None
    # A reminder is not another message.
    spared_s = (result.deadlines.repeat_s if result.deadlines else float("inf")) - BUSY_MACHINE_S
    slow = bool(result.deadlines and result.deadlines.shows_after_s > 0)
    last: dict[tuple[Want, tuple[str, ...]], float] = {}
    told = [
        Told(
            at_s=one.at - zero,
            who=one.address,
            alerts=one.alerts,
            needed=scenario.alert in one.alerts,
            early=slow and _early(one, scenario, result.events),
        )
        for one in sorted(result.events, key=lambda one: one.at)
        if isinstance(one, Notification)
        and one.kind == "firing"
        and not one.turned_away
        and cause.intersection(one.alerts)
        and zero <= one.at
        and (until is None or one.at <= until)
        and not _reminds(one, last, spared_s)
    ]
    return Noise(alert=scenario.alert, all_messages=told)


def _early(message: Notification, scenario: Scenario, events: Sequence[Event]) -> bool:
    own = [one for one in events if isinstance(one, AlertState) and one.alert == scenario.alert]
    fired = [one.at for one in own
             if one.state == "firing" and dict(one.labels) == dict(scenario.labels)]  # fmt: skip
    hushed = scenario.inhibited.intersection(message.alerts)
    return bool(hushed and fired) and message.at < fired[0] + SIBLINGS_S


def _reminds(
    message: Notification, last: dict[tuple[Want, tuple[str, ...]], float], spared_s: float
) -> bool:
    """Whether the same was told to the same as long ago as `repeat_interval` says; notes when."""
    what = message.address, message.alerts
    before, last[what] = last.get(what), message.at
    return before is not None and message.at - before >= spared_s


def all_of(results: Sequence[Result]) -> list[Noise]:
    """Of each scenario, the loudest first."""
    found = [one for one in map(noise, results) if one]
    return sorted(found, key=lambda one: (-one.pages, -len(one.messages), one.alert))


def summary(found: Sequence[Noise]) -> str:
    """`pages per cause: 1 at the median, 1 at most; at most 3 messages to one …`; or nothing."""
    paging = [one for one in found if one.needed_pages]
    if not found:
        return ""
    pages = [one.pages for one in paging]
    words = []
    if pages:
        words.append(f"pages per cause: {median(pages):g} at the median, {max(pages)} at most")
    loudest = max(found, key=lambda one: one.most)
    person = next(iter(loudest.by_person), None)
    if person:
        words.append(f"at most {loudest.most} messages to one ({person}, of {loudest.alert})")
    return "; ".join(words)
