"""From evidence to verdict: the links of the chain in order, and the first that is broken.

Pure. The same function steers a running scenario (`now` given) and judges it at the end.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from scenarios.proof.case import Case, Link, LinkState
from scenarios.proof.chain import LATE_S, chain_of
from scenarios.proof.deadlines import Deadlines
from scenarios.proof.evidence import Event, Stopped
from scenarios.proof.overload import overloaded
from scenarios.proof.scenario import Scenario


class Outcome(StrEnum):
    PROVEN = "proven"
    FAILED = "failed"
    BLOCKED = "blocked"
    RUNNING = "running"


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


def failed(alert: str, reason: str) -> Verdict:
    """Of an alert that could not be played."""
    return Verdict(alert=alert, outcome=Outcome.FAILED, reason=reason)


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
        explained=scenario.follows | frozenset(explained),
    )
    links: list[Link] = []
    for name, check in chain_of(scenario):
        link = check(case, name)
        links.append(link)
        if link.state is not LinkState.DONE:
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
    if last.state is LinkState.DONE:
        return Outcome.PROVEN, ""
    if last.state is LinkState.WAITING and case.now is not None:
        return Outcome.RUNNING, last.said
    stopped = [one.why for one in case.events if isinstance(one, Stopped)]
    if last.state is LinkState.WAITING and stopped:
        return Outcome.FAILED, f"{stopped[0]} while waiting for: {last.said}"
    return Outcome.FAILED, _excused(case, last)


def _excused(case: Case, last: Link) -> str:
    """What is said of a broken link; when its deadline was missed or something else fired, whether
    the machine was at fault. It is no less broken for that."""
    slipped = last.due is not None and last.due != float("inf")
    if not slipped and last.name != "nothing else":
        return last.said
    if case.stepped:
        return f"{case.stepped.what}; {last.said}" if slipped else last.said
    until = (last.due or 0) + LATE_S if slipped else float("inf")
    figures = overloaded(case.events, case.gated, until)
    if not figures:
        return last.said
    late = "late because " if slipped else ""
    return f"{late}the machine was overloaded: {figures}; {last.said}"
