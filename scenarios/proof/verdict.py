"""From evidence to verdict: the links of the chain in order, and the first that is broken.

Pure. The same function steers a running scenario (`now` given: what is not there yet is waited
for until its deadline) and judges it at the end (`now` is None: what is not there is missing).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from scenarios.proof.deadlines import Deadline, Deadlines
from scenarios.proof.evidence import (
    AlertState,
    Event,
    FaultStep,
    Gate,
    Held,
    Notification,
    Stopped,
    Trouble,
    Watched,
)
from scenarios.proof.scenario import Scenario, Want

LATE_S = 2.0
"""How long past its deadline a link is still waited for, to say how late it was."""


class Outcome(StrEnum):
    PROVEN = "proven"
    FAILED = "failed"
    BLOCKED = "blocked"
    RUNNING = "running"


class State(StrEnum):
    DONE = "done"
    WAITING = "waiting"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of the chain, as far as the evidence goes."""

    name: str
    state: State
    said: str = ""
    """When broken, the sentence that says so; when waiting, what for."""
    at: float | None = None
    """Unix seconds at which it was there."""
    due: float | None = None
    """Unix seconds by which it had to be there."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What follows from the evidence for one alert."""

    alert: str
    outcome: Outcome
    reason: str
    """The first broken link, why it is blocked, or what is waited for; empty when proven."""
    links: tuple[Link, ...] = ()
    """Up to and including the first that is not done."""
    zero: float | None = None
    """Unix seconds at which the fault began."""

    def at_s(self, link: str) -> float | None:
        """Seconds from the fault to a link, when it was reached."""
        found = [one.at for one in self.links if one.name == link and one.at is not None]
        return found[0] - self.zero if found and self.zero is not None else None


@dataclass(frozen=True, kw_only=True)
class Case:
    """The evidence of one scenario, sorted by what the links ask of it."""

    events: tuple[Event, ...]
    scenario: Scenario
    deadlines: Deadlines
    now: float | None
    explained: frozenset[str]
    """Alerts that are no surprise here: those of companions, and what they may set off."""

    def step(self, name: str) -> FaultStep | None:
        found = [one for one in self.events if isinstance(one, FaultStep) and one.step == name]
        return found[0] if found else None

    @cached_property
    def zero(self) -> float:
        """The fault's beginning; the end of time before it is injected."""
        begun = self.step("injecting")
        return begun.at if begun else float("inf")

    @cached_property
    def end(self) -> float:
        """The moment from which the fault was being put right."""
        undoing = self.step("undoing")
        return undoing.at if undoing else float("inf")

    @cached_property
    def since(self) -> tuple[Event, ...]:
        """What was seen once the gate was passed; before it, an earlier fault may still drain."""
        passed = [one.at for one in self.events if isinstance(one, Gate) and one.passed]
        return tuple(one for one in self.events if passed and one.at >= passed[0])

    @cached_property
    def states(self) -> list[AlertState]:
        """All that Prometheus said of this alert, in order."""
        return [
            one
            for one in self.since
            if isinstance(one, AlertState) and one.alert == self.scenario.alert
        ]

    @cached_property
    def right(self) -> list[AlertState]:
        """Those with exactly the labels that it must carry."""
        return [one for one in self.states if dict(one.labels) == dict(self.scenario.labels)]

    @cached_property
    def messages(self) -> list[Notification]:
        return [one for one in self.since if isinstance(one, Notification)]

    def about(self, kind: str) -> list[Notification]:
        """Messages of one kind that name this alert, since the fault."""
        return [one for one in self.messages
                if one.kind == kind and self.scenario.alert in one.alerts]  # fmt: skip

    def due(self, deadline: Deadline) -> float:
        """When a link that counts from the fault has to be there."""
        done = self.step("injected")
        return (done.at if done else self.zero) + deadline.seconds

    def due_after_undo(self, deadline: Deadline) -> float:
        done = self.step("undone")
        return (done.at if done else self.end) + deadline.seconds


Check = Callable[[Case, str], Link]


def judge(
    events: Iterable[Event],
    scenario: Scenario,
    deadlines: Deadlines,
    *,
    now: float | None = None,
    explained: Collection[str] = (),
) -> Verdict:
    """The verdict that the evidence supports; `running` only while `now` (Unix s) is given."""
    case = Case(
        events=tuple(events),
        scenario=scenario,
        deadlines=deadlines,
        now=now,
        explained=scenario.may_also_fire | frozenset(explained),
    )
    links: list[Link] = []
    for name, check in CHAIN:
        link = check(case, name)
        links.append(link)
        if link.state is not State.DONE:
            break
    outcome, reason = _outcome(case, links[-1])
    return Verdict(
        alert=scenario.alert,
        outcome=outcome,
        reason=reason,
        links=tuple(links),
        zero=case.zero if case.step("injecting") else None,
    )


def _outcome(case: Case, last: Link) -> tuple[Outcome, str]:
    blocked = case.step("blocked")
    if blocked:
        return Outcome.BLOCKED, blocked.detail
    if last.state is State.DONE:
        return Outcome.PROVEN, ""
    if last.state is State.WAITING and case.now is not None:
        return Outcome.RUNNING, last.said
    stopped = [one.why for one in case.events if isinstance(one, Stopped)]
    if last.state is State.WAITING and stopped:
        return Outcome.FAILED, f"{stopped[0]} while waiting for: {last.said}"
    return Outcome.FAILED, last.said


def _missing(case: Case, name: str, due: float, never: str, awaited: str) -> Link:
    """A link that is not there: waited for until its deadline, broken after it."""
    stopped = any(isinstance(one, Stopped) for one in case.events)
    over = case.now is not None and case.now > due + LATE_S
    if over or (case.now is None and not stopped):
        return Link(name=name, state=State.BROKEN, said=never, due=due)
    return Link(name=name, state=State.WAITING, said=awaited, due=due)


def _reached(name: str, at: float, due: float, what: str, zero: float, allowed: Deadline) -> Link:
    """A link that is there, in time or late."""
    if at > due:
        said = f"{what} {at - due:.1f} s after its deadline of {due - zero:.1f} s ({allowed.why})"
        return Link(name=name, state=State.BROKEN, said=said, at=at, due=due)
    return Link(name=name, state=State.DONE, at=at, due=due)


def _broken(name: str, said: str) -> Link:
    return Link(name=name, state=State.BROKEN, said=said)


def _steady(case: Case, name: str) -> Link:
    gates = [one for one in case.events if isinstance(one, Gate)]
    if not gates:
        return _missing(case, name, float("inf"), "was not examined: no evidence of a steady state",
                        "a steady state under healthy traffic")  # fmt: skip
    if not gates[0].passed:
        return _broken(name, f"not steady: {gates[0].reason}")
    if gates[0].evaluations < case.deadlines.steady_evaluations or not gates[0].requests_per_s:
        return _broken(
            name,
            f"not steady: its rule was seen inactive {gates[0].evaluations} times under"
            f" {gates[0].requests_per_s:.1f} requests/s,"
            f" wanted {case.deadlines.steady_evaluations} times under traffic",
        )
    early = [one for one in case.states if one.state != "inactive" and one.active_at < case.zero]
    if early:
        return _broken(name, f"was {early[0].state} before the fault, under healthy traffic")
    return Link(name=name, state=State.DONE, at=gates[0].at)


def _faulty(case: Case, name: str) -> Link:
    injected, failed = case.step("injected"), case.step("failed")
    if not injected:
        if failed:
            return _broken(name, f"the fault could not be injected: {failed.detail}")
        return _missing(case, name, float("inf"), "the fault was never injected", "the fault")
    return Link(name=name, state=State.DONE, at=injected.at)


def _pending(case: Case, name: str) -> Link:
    deadline = case.deadlines.pending
    active = [one for one in case.right if one.state != "inactive"]
    if not active:
        others = [one for one in case.states if one.state != "inactive"]
        if others:
            found, wanted = _labels(others[0].labels), _labels(case.scenario.labels)
            return _broken(name, f"labels differ: found {found}, wanted {wanted}")
        never = f"never became pending: its expression stayed empty for {deadline} after the fault"
        return _missing(case, name, case.due(deadline), never, "pending")
    return _reached(name, active[0].active_at, case.due(deadline), "became pending",
                    case.zero, deadline)  # fmt: skip


def _firing(case: Case, name: str) -> Link:
    deadline = case.deadlines.firing
    firing = [one for one in case.right if one.state == "firing"]
    if not firing:
        never = f"became pending but never fired: waited {deadline} after the fault"
        return _missing(case, name, case.due(deadline), never, "firing")
    return _reached(name, firing[0].at, case.due(deadline), "fired", case.zero, deadline)


def _held(case: Case, name: str) -> Link:
    deadline = case.deadlines.held
    held = [
        one
        for one in case.events
        if isinstance(one, Held)
        and (one.alert, dict(one.labels)) == (case.scenario.alert, dict(case.scenario.labels))
        and one.state != "gone"
    ]
    if not held:
        never = f"fired, but Alertmanager never held it: waited {deadline} after the fault"
        return _missing(case, name, case.due(deadline), never, "Alertmanager to hold it")
    if held[0].state == "suppressed":
        return _broken(name, "Alertmanager suppressed it: an inhibit rule or a silence matches it")
    return _reached(name, held[0].at, case.due(deadline), "was held by Alertmanager",
                    case.zero, deadline)  # fmt: skip


def _notified(case: Case, name: str) -> Link:
    deadline = case.deadlines.notified
    return _delivered(case, name, "firing", case.due(deadline), case.zero, deadline)


def _resolved(case: Case, name: str) -> Link:
    deadline = case.deadlines.resolved
    return _delivered(case, name, "resolved", case.due_after_undo(deadline), case.end, deadline)


def _delivered(
    case: Case, name: str, kind: str, due: float, zero: float, allowed: Deadline
) -> Link:
    """Exactly the wanted notifications of one kind, each well-formed and in time."""
    found = case.about(kind)
    wanted = set(case.scenario.notifications)
    strays = [one for one in found if _address(one) not in wanted]
    if strays:
        count = sum(_address(one) == _address(strays[0]) for one in strays)
        return _broken(name, f"{_address(strays[0])}: {_count(count, kind)}, expected none")
    for one in found:
        if trouble := _malformed(one):
            return _broken(name, trouble)
    counts = {
        want: sum(_address(one) == want for one in found) for want in case.scenario.notifications
    }
    for want, count in counts.items():
        if count > 1:
            return _broken(name, f"{want}: {_count(count, kind)}, expected 1")
    for want, count in counts.items():
        if not count:
            never = f"{want}: expected 1 {kind} notification, got 0 within {allowed}"
            return _missing(case, name, due, never, f"the {kind} notification on {want}")
    last = max(found, key=lambda one: one.at)
    return _reached(name, last.at, due, f"the {kind} notification on {_address(last)} arrived",
                    zero, allowed)  # fmt: skip


def _surprise(case: Case, name: str) -> Link:
    """Nothing else fired, nothing else was sent, nothing broke that the fault does not break."""
    own = case.scenario.alert
    for one in case.since:
        if isinstance(one, Trouble):
            return _broken(name, one.what)
        if isinstance(one, AlertState) and one.state == "firing":
            if one.alert == own and one not in case.right:
                return _broken(name, f"unexpected alert {own}{_labels(one.labels)} fired besides")
            if one.alert != own and one.alert not in case.explained:
                return _broken(name, f"unexpected alert {one.alert}{_labels(one.labels)} fired")
        if isinstance(one, Notification) and (said := _stray(case, one)):
            return _broken(name, said)
    return Link(name=name, state=State.DONE)


def _stray(case: Case, message: Notification) -> str:
    """What is wrong with a message that is not one of the wanted ones; empty when nothing is."""
    where = f"{_address(message)}: `{message.subject}`"
    if not message.alerts or message.kind == "other":
        return f"unexpected message on {where} is no notification of an alert"
    unknown = [alert for alert in message.alerts
               if alert != case.scenario.alert and alert not in case.explained]  # fmt: skip
    if unknown:
        return f"unexpected notification of {unknown[0]} on {where}"
    return _malformed(message) if set(message.alerts) & case.scenario.may_also_fire else ""


def _undone(case: Case, name: str) -> Link:
    undone, failed = case.step("undone"), case.step("failed")
    if undone:
        return Link(name=name, state=State.DONE, at=undone.at)
    if failed:
        return _broken(name, f"the fault could not be put right: {failed.detail}")
    return _missing(case, name, float("inf"), "the fault was not put right", "the end of the fault")


def _inactive(case: Case, name: str) -> Link:
    deadline = case.deadlines.inactive
    fired_at = next(one.at for one in case.right if one.state == "firing")
    gone = [one for one in case.right if one.state == "inactive" and one.at > fired_at]
    if gone and gone[0].at < case.end:
        said = f"resolved {case.end - gone[0].at:.1f} s before the fault was put right"
        return _broken(name, said)
    if not gone:
        never = f"did not resolve within {deadline} after the fault was put right"
        return _missing(case, name, case.due_after_undo(deadline), never, "the alert to resolve")
    again = [one for one in case.right if one.state != "inactive" and one.at > gone[0].at]
    if again:
        said = f"became {again[0].state} again {again[0].at - gone[0].at:.1f} s after it resolved"
        return _broken(name, said)
    return _reached(name, gone[0].at, case.due_after_undo(deadline), "resolved", case.end,
                    deadline)  # fmt: skip


def _quiet(case: Case, name: str) -> Link:
    """All sources were watched for the tail after the last wanted notification."""
    until = max(one.at for one in case.about("resolved")) + case.deadlines.tail_s
    watched = [one.at for one in case.events if isinstance(one, Watched)]
    if watched and max(watched) >= until:
        return Link(name=name, state=State.DONE, at=until)
    # The watcher may need a moment on a busy machine; a watcher that is gone is a broken link.
    never = f"was not watched for {case.deadlines.tail_s:.1f} s after the last notification"
    return _missing(case, name, until + LATE_S, never, "strays")


CHAIN: tuple[tuple[str, Check], ...] = (
    ("steady", _steady),
    ("fault", _faulty),
    ("pending", _pending),
    ("firing", _firing),
    ("held", _held),
    ("notified", _notified),
    ("nothing else", _surprise),
    ("put right", _undone),
    ("inactive", _inactive),
    ("resolved", _resolved),
    ("quiet", _quiet),
)
"""The links in the order in which they must hold."""


def _address(message: Notification) -> Want:
    return Want(channel=message.channel, destination=message.destination)


def _malformed(message: Notification) -> str:
    where = f"{message.kind} notification on {_address(message)}"
    if "<no value>" in message.subject + message.body:
        return f"{where} carries `<no value>`: a template names a field that is not there"
    if message.problems:
        return f"{where} is malformed: {'; '.join(message.problems)}"
    if message.answer >= 300:
        return f"{where} was refused with {message.answer}"
    return ""


def _count(number: int, kind: str) -> str:
    return f"{number} {kind} notification{'s' if number != 1 else ''}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = sorted(labels.items())
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs) + "}"
