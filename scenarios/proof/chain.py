"""The links from a healthy alert to the quiet after it, each checked on the evidence.

Pure. A link that is not there yet is waited for until its deadline when `Case.now` is given, and
missing when it is None.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from scenarios.proof import messages
from scenarios.proof.case import Case, Link, LinkState
from scenarios.proof.deadlines import BUSY_MACHINE_S, POLL_S, Deadline
from scenarios.proof.evidence import (
    AlertState,
    Gate,
    Lost,
    Notification,
    Stopped,
    Trouble,
    Watched,
)
from scenarios.proof.halves import unmet
from scenarios.proof.reached import reached, relapsed
from scenarios.proof.scenario import HEARTBEAT, Scenario, always

LATE_S = 2.0
"""How long past its deadline a link is still waited for, to say how late it was."""

SIBLINGS_S = 5 * POLL_S
"""What a message speaks of was active when it was sent; the watcher sees it within so long."""

Check = Callable[[Case, str], Link]


def _missing(case: Case, name: str, due: float, never: str, awaited: str) -> Link:
    """A link that is not there: waited for until its deadline, broken after it."""
    stopped = any(isinstance(one, Stopped) for one in case.events)
    over = case.now is not None and case.now > due + LATE_S
    if over or (case.now is None and not stopped):
        return Link(name=name, state=LinkState.BROKEN, said=never, due=due)
    return Link(name=name, state=LinkState.WAITING, said=awaited, due=due)


def _reached(name: str, at: float, due: float, what: str, zero: float, allowed: Deadline) -> Link:
    """A link that is there, in time or late."""
    if at > due:
        said = f"{what} {at - due:.1f} s after its deadline of {due - zero:.1f} s ({allowed.why})"
        return Link(name=name, state=LinkState.BROKEN, said=said, at=at, due=due)
    return Link(name=name, state=LinkState.DONE, at=at, due=due)


def _broken(name: str, said: str, *, certain: bool = False) -> Link:
    return Link(name=name, state=LinkState.BROKEN, said=said, certain=certain)


def _gated(case: Case, name: str) -> Link:
    """The gate was passed: nothing was amiss under traffic."""
    gates = [one for one in case.events if isinstance(one, Gate)]
    failed = case.step("failed")
    if failed and not case.step("injecting"):
        return _broken(name, f"could not be played: {failed.detail}")
    if not gates:
        return _missing(case, name, float("inf"), "was not examined: no evidence of a steady state",
                        "a steady state under healthy traffic")  # fmt: skip
    if not gates[0].passed:
        return _broken(name, f"not steady: {gates[0].reason}")
    if gates[0].evaluations < case.deadlines.steady_evaluations or not gates[0].requests_per_s:
        return _broken(
            name,
            f"not steady: its rule was seen at rest {gates[0].evaluations} times under"
            f" {gates[0].requests_per_s:.1f} requests/s,"
            f" expected {case.deadlines.steady_evaluations} times under traffic",
        )
    return Link(name=name, state=LinkState.DONE, at=gates[0].at)


def _steady(case: Case, name: str) -> Link:
    gated = _gated(case, name)
    if gated.state is LinkState.DONE and (early := _early(case)):
        return _broken(name, f"{early} before the fault, under healthy traffic")
    return gated


def _early(case: Case) -> str:
    """What was there between the gate and the fault, and so has another cause; empty if nothing."""
    active = [one for one in case.states if one.state != "inactive" and one.active_at < case.zero]
    if active:
        return f"was {active[0].state}"
    return "was held by Alertmanager" if _held_early(case) else _told_early(case)


def _held_early(case: Case) -> bool:
    return any(one.state != "gone" and one.at < case.zero for one in case.holds)


def _told_early(case: Case) -> str:
    for kind in ("firing", "resolved"):
        for one in case.about(kind):
            if one.at < case.zero:
                return f"a {kind} notification arrived on {one.address}"
    return ""


def _faulty(case: Case, name: str) -> Link:
    injected, failed = case.step("injected"), case.step("failed")
    if not injected:
        if failed:
            return _broken(name, f"the fault could not be injected: {failed.detail}")
        return _missing(
            case, name, float("inf"), "the fault was never injected", "the fault to begin"
        )
    return Link(name=name, state=LinkState.DONE, at=injected.at)


def _pending(case: Case, name: str) -> Link:
    deadline = case.deadlines.pending
    active = [one for one in case.right if one.state != "inactive"]
    if not active:
        others = [one for one in case.states if one.state != "inactive"]
        if others:
            found, wanted = _labels(others[0].labels), _labels(case.scenario.labels)
            said = f"labels differ: expected {wanted}, got {found}"
            return _broken(name, said, certain=True)
        never = f"never became pending: its expression stayed empty for {deadline} after the fault"
        if case.said("rule"):
            never = f"never became pending: its rule fails; waited {deadline} after the fault"
        elif far := _far(case, case.due(deadline)):
            never += f": {'; '.join(filter(None, [far, case.advice]))}"
        return _missing(case, name, case.due(deadline), never, "the alert to become pending")
    return _reached(name, active[0].active_at, case.due(deadline), "became pending",
                    case.zero, deadline)  # fmt: skip


def _far(case: Case, until: float) -> str:
    """How far from true the rule's conditions were; empty when nobody knows."""
    if not case.graph:
        return ""
    lacking = unmet(case.halves, case.zero, until)
    return reached(case.graph, case.zero, until, unmet=lacking, halves=bool(case.halves))


def _firing(case: Case, name: str) -> Link:
    deadline = case.deadlines.firing
    firing = [one for one in case.right if one.state == "firing"]
    if not firing:
        never = f"became pending but never fired: waited {deadline} after the fault"
        pending = [one.active_at for one in case.right if one.state == "pending"]
        if case.graph and pending and not case.said("rule"):
            back = relapsed(case.graph, pending[0], case.due(deadline))
            never += f": {'; '.join(filter(None, [back, case.advice]))}" if back else ""
        return _missing(case, name, case.due(deadline), never, "the alert to fire")
    return _reached(name, firing[0].at, case.due(deadline), "fired", case.zero, deadline)


def _held(case: Case, name: str) -> Link:
    deadline = case.deadlines.held
    held = [one for one in case.holds if one.state != "gone"]
    if not held:
        never = f"fired, but Alertmanager never held it: waited {deadline} after the fault"
        return _missing(case, name, case.due(deadline), never, "Alertmanager to hold the alert")
    if held[0].state == "suppressed":
        said = "Alertmanager suppressed it: an inhibit rule or a silence matches it"
        return _broken(name, said, certain=True)
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
    """Exactly the expected notifications of one kind, each well-formed and in time."""
    found = case.about(kind)
    wanted = set(case.scenario.notifications)
    strays = [one for one in found if one.address not in wanted]
    if strays:
        count = sum(one.address == strays[0].address for one in strays)
        said = f"{strays[0].address}: {_count(count, kind)}, expected none"
        return _broken(name, said, certain=True)
    for one in found:
        if trouble := _malformed(one) or _missays(case, one):
            return _broken(name, trouble, certain=True)
    counts = {
        want: _once([one.at for one in found if one.address == want], case.deadlines.repeat_s)
        for want in case.scenario.notifications
    }
    for want, count in counts.items():
        if count > 1:
            return _broken(name, f"{want}: {_count(count, kind)}, expected 1")
    for want, count in counts.items():
        if not count:
            never = f"{want}: expected 1 {kind} notification, got 0 within {allowed}"
            if refused := [o.answer for o in case.turned_away(kind) if o.address == want]:
                never += f"; {len(refused)} refused with {refused[0]}"
            return _missing(case, name, due, never, f"the {kind} notification on {want}")
    firsts = {one.address: one for one in reversed(found)}
    last = max(firsts.values(), key=lambda one: one.at)
    return _reached(name, last.at, due, f"the {kind} notification on {last.address} arrived",
                    zero, allowed)  # fmt: skip


def _once(times: Sequence[float], repeat_s: float) -> int:
    """How many of these arrivals the route's `repeat_interval` does not explain."""
    slack_s = min(BUSY_MACHINE_S, repeat_s / 2)
    late = [now - before >= repeat_s - slack_s for before, now in pairwise(sorted(times))]
    return len(times) - sum(late)


def _surprise(case: Case, name: str) -> Link:
    """Nothing else fired, nothing else was sent, nothing broke that the fault does not break."""
    own = case.scenario.alert
    if case.stepped:
        return _broken(name, f"{case.stepped.what}: none of the times can be trusted")
    for one in case.since:
        if isinstance(one, Trouble) and not isinstance(one, Lost):
            return _broken(name, one.what)
        if isinstance(one, AlertState) and one.state == "firing" and not always(one.labels):
            if one.alert == own and one not in case.right:
                return _broken(name, f"unexpected alert {own}{_labels(one.labels)} fired as well")
            if one.alert != own and one.alert not in case.explained:
                return _broken(name, f"unexpected alert {one.alert}{_labels(one.labels)} fired")
        if isinstance(one, Notification) and (said := _stray(case, one)):
            return _broken(name, said)
    return Link(name=name, state=LinkState.DONE)


def _stray(case: Case, message: Notification) -> str:
    """What is wrong with a message that is not one of those expected; empty when nothing is."""
    if message.channel == HEARTBEAT or message.turned_away:
        return ""
    where = f"{message.address}: `{message.subject}`"
    hushed = sorted(set(message.alerts) & case.scenario.inhibited)
    hushed = [] if _over(case, message.at) or _sooner(case, message.at) else hushed
    if hushed and message.kind == "firing":
        return f"{where} is about {hushed[0]}, which this alert should inhibit"
    if not message.alerts or message.kind == "other":
        return f"unexpected message on {where} is not a notification of an alert"
    unknown = [alert for alert in message.alerts
               if alert != case.scenario.alert and alert not in case.explained]  # fmt: skip
    if unknown:
        return f"unexpected notification of {unknown[0]} on {where}"
    return _malformed(message) if set(message.alerts) & case.scenario.follows else ""


def _over(case: Case, at: float) -> bool:
    """Whether the alert was over by then: what it inhibited may notify again."""
    fired = [one.at for one in case.right if one.state == "firing"]
    return bool(fired) and any(
        one.state == "inactive" and fired[0] < one.at <= at for one in case.right
    )


def _sooner(case: Case, at: float) -> bool:
    """Whether it was told before the alert fired, and that because the fault takes real time to
    show, at any speed. That it cannot be so at true durations `doit check` says
    (`inhibition/sooner`)."""
    fired = [one.at for one in case.right if one.state == "firing"]
    return case.deadlines.shows_after_s > 0 and (not fired or at < fired[0] + SIBLINGS_S)


def _undone(case: Case, name: str) -> Link:
    undone, failed = case.step("undone"), case.step("failed")
    if undone:
        return Link(name=name, state=LinkState.DONE, at=undone.at)
    if failed:
        return _broken(name, f"the fault could not be undone: {failed.detail}")
    return _missing(case, name, float("inf"), "the fault was not undone", "the fault to be undone")


def _inactive(case: Case, name: str) -> Link:
    deadline = case.deadlines.inactive
    fired_at = next(one.at for one in case.right if one.state == "firing")
    gone = [one for one in case.right if one.state == "inactive" and one.at > fired_at]
    if gone and gone[0].at < case.end:
        said = f"resolved {case.end - gone[0].at:.1f} s before the fault was undone"
        return _broken(name, said)
    if not gone:
        never = f"did not resolve within {deadline} after the fault was undone"
        return _missing(case, name, case.due_after_undo(deadline), never, "the alert to resolve")
    due = case.due_after_undo(deadline)
    again = _not_over(case, gone[0].at, due)
    if again:
        said = f"became {again[0].state} again {again[0].at - gone[0].at:.1f} s after it resolved"
        return _broken(name, said)
    return _reached(name, gone[0].at, due, "resolved", case.end, deadline)


def _not_over(case: Case, since: float, due: float) -> list[AlertState]:
    """What says that the alert, which resolved, is back.

    A figure that falls may cross its threshold more than once on the way, which is
    no news: being pending counts once the deadline is over, firing always.
    """
    last, over = case.right[-1], case.now is None or case.now > due
    return [
        one
        for one in case.right
        if one.at > since
        and (one.state == "firing" or (one.state == "pending" and (one.at > due or one is last)))
        and (one is not last or one.state == "firing" or over)
    ]


def _quiet(case: Case, name: str) -> Link:
    """All sources were watched for the tail after the last expected notification."""
    until = max(one.at for one in case.about("resolved")) + case.deadlines.tail_s
    watched = [one.at for one in case.events if isinstance(one, Watched)]
    if watched and max(watched) >= until:
        return Link(name=name, state=LinkState.DONE, at=until)
    # The watcher may need a moment on a busy machine; a watcher that is gone is a broken link.
    never = f"was not watched for {case.deadlines.tail_s:.1f} s after the last notification"
    return _missing(case, name, until + LATE_S, never, "quiet after the last notification")


def _sounding(case: Case, name: str) -> Link:
    """An alert that always fires did so before the fault, with its labels."""
    gated = _gated(case, name)
    before = [one for one in case.states_ever if one.at < case.zero]
    if gated.state is not LinkState.DONE:
        return gated
    if not before or before[-1].state != "firing":
        return _broken(name, "did not fire before the fault, although it always must")
    if dict(before[-1].labels) != dict(case.scenario.labels):
        found, wanted = _labels(before[-1].labels), _labels(case.scenario.labels)
        said = f"labels differ: expected {wanted}, got {found}"
        return _broken(name, said, certain=True)
    if told := _told_early(case):
        return _broken(name, f"{told} before the fault, under healthy traffic")
    return gated


def _sounds_again(case: Case, name: str) -> Link:
    deadline = case.deadlines.inactive
    again = [one for one in case.right if one.state == "firing" and one.at > case.end]
    if not again:
        never = f"did not fire again within {deadline} after the fault was undone"
        return _missing(case, name, case.due_after_undo(deadline), never, "the alert to fire again")
    return _reached(name, again[0].at, case.due_after_undo(deadline), "fired again", case.end,
                    deadline)  # fmt: skip


Chain = tuple[tuple[str, Check], ...]

CHAIN: Chain = (
    ("steady", _steady),
    ("fault", _faulty),
    ("pending", _pending),
    ("firing", _firing),
    ("held", _held),
    ("notified", _notified),
    ("nothing else", _surprise),
    ("undone", _undone),
    ("inactive", _inactive),
    ("resolved", _resolved),
    ("quiet", _quiet),
)
"""The links in the order in which they must hold."""

ABSENCE: Chain = (
    ("steady", _sounding),
    ("fault", _faulty),
    ("notified", _notified),
    ("nothing else", _surprise),
    ("undone", _undone),
    ("fires again", _sounds_again),
    ("resolved", _resolved),
    ("quiet", _quiet),
)
"""Those of an alert that always fires, and whose silence must be noticed."""


def chain_of(scenario: Scenario) -> Chain:
    return ABSENCE if scenario.always else CHAIN


def _malformed(message: Notification) -> str:
    where = f"{message.kind} notification on {message.address}"
    if "<no value>" in message.subject + message.body:
        return f"{where} carries `<no value>`: a template names a field that is not there"
    if message.problems:
        return f"{where} is malformed: {'; '.join(message.problems)}"
    if message.answer >= 300 and not message.turned_away:
        return f"{where} was refused with {message.answer}"
    return ""


def _missays(case: Case, message: Notification) -> str:
    """What a message about the alert does not say, or says wrongly.

    One that has only just come is judged when there was time to see which other alerts of the rule
    are active; at the end all are.
    """
    if not case.wanted or (case.now is not None and case.now < message.at + SIBLINGS_S):
        return ""
    said = messages.trouble(message, case.wanted, since=case.zero, siblings=case.siblings)
    return f"{message.kind} notification on {message.address}: {said}" if said else ""


def _count(number: int, kind: str) -> str:
    return f"{number} {kind} notification{'s' if number != 1 else ''}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = sorted(labels.items())
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs) + "}"
