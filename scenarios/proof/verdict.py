"""From evidence to verdict: the links of the chain in order, and the first that is broken.

Pure. The same function steers a running scenario (`now` given) and judges it at the end.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from scenarios.proof.case import Case, Link, LinkState
from scenarios.proof.chain import LATE_S, chain_of
from scenarios.proof.deadlines import Deadlines
from scenarios.proof.evidence import Event, Full, Lost, Said, Stopped
from scenarios.proof.messages import Expected
from scenarios.proof.overload import overloaded, unanswered
from scenarios.proof.scenario import Scenario

ENGINES = {"prometheus": "Prometheus", "loki": "Loki", "alertmanager": "Alertmanager"}
"""Service → its name for people."""

SPEAK = {
    "steady": ("rule", "scrape"),
    "pending": ("rule", "scrape"),
    "firing": ("rule", "scrape"),
    "held": ("send",),
    "notified": ("notify", "send"),
    "inactive": ("rule", "scrape"),
    "fires again": ("rule", "scrape"),
    "resolved": ("notify", "send"),
}
"""Link → what engines said that may explain that it is broken."""

TIMED_OUT = "context deadline exceeded"
"""What Prometheus says of a target that did not answer in time."""

QUOTED = 2
"""So many engines' words are quoted; the timeline has all of them."""


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
    excuse: str = ""
    """When failed: the busy machine, or who did not answer, that may have been the cause. Then this
    was a try that is inconclusive."""

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
    wanted: Expected | None = None,
    advice: str = "",
) -> Verdict:
    """The verdict that the evidence supports; `running` only while `now` (Unix s) is given.
    `advice` is what to change when the fault was too weak."""
    case = Case(
        events=tuple(events),
        scenario=scenario,
        deadlines=deadlines,
        now=now,
        explained=scenario.follows | frozenset(explained),
        wanted=wanted,
        advice=advice,
    )
    links: list[Link] = []
    for name, check in chain_of(scenario):
        link = check(case, name)
        if link.state is not LinkState.DONE and (lost := _lost(case)):
            # What was not seen may have happened all the same: that comes first.
            link = replace(link, state=LinkState.BROKEN, said=lost.what, due=None, certain=True)
        links.append(link)
        if link.state is not LinkState.DONE:
            break
    outcome, reason, excuse = _outcome(case, links[-1])
    return Verdict(
        alert=scenario.alert,
        outcome=outcome,
        reason=reason,
        links=tuple(links),
        zero=case.zero if case.step("injecting") else None,
        excuse=excuse,
    )


def _lost(case: Case) -> Lost | None:
    return next((one for one in case.events if isinstance(one, Lost)), None)


def _outcome(case: Case, last: Link) -> tuple[Outcome, str, str]:
    """With the reason and the excuse."""
    blocked = case.step("blocked")
    if blocked:
        return Outcome.BLOCKED, blocked.detail, ""
    if last.state is LinkState.DONE:
        return Outcome.PROVEN, "", ""
    full = [one.what for one in case.events if isinstance(one, Full)]
    if full:
        return Outcome.BLOCKED, full[0], ""
    if last.state is LinkState.WAITING and case.now is not None:
        return Outcome.RUNNING, last.said, ""
    stopped = [one.why for one in case.events if isinstance(one, Stopped)]
    if last.state is LinkState.WAITING and stopped:
        return Outcome.FAILED, f"{stopped[0]} while waiting for: {last.said}", ""
    excuse = _excuse(case, last)
    return Outcome.FAILED, _words(case, last, excuse), excuse


def _excuse(case: Case, last: Link) -> str:
    """Who else may have broken the link: who did not answer, or the machine that was too busy.
    Empty when nobody did, or when what was seen is wrong at any pace."""
    if last.certain or case.stepped:
        return ""
    since = case.gated if case.gated != float("inf") else 0.0
    until = last.due + LATE_S if last.due is not None else float("inf")
    figures = overloaded(case.events, since, until)
    scraped = [one.of for one in case.said("scrape") if TIMED_OUT in one.text]
    return "; ".join(
        words
        for words in (
            unanswered(case.events, since, until),
            f"`{'`, `'.join(scraped)}` did not answer scrapes in time" if scraped else "",
            f"the machine was overloaded: {figures}" if figures else "",
        )
        if words
    )


def _words(case: Case, last: Link, excuse: str) -> str:
    """What is said of a broken link, after its excuse and before what engines say of it."""
    slipped = last.due is not None and last.due != float("inf")
    before = f"{'late because ' if slipped else ''}{excuse}; " if excuse else ""
    if case.stepped and slipped:
        before = f"{case.stepped.what}; "
    said = case.said(*SPEAK.get(last.name, ()))
    # What is said of the channel that was waited for comes first.
    said.sort(key=lambda one: not (one.of and last.said.lower().startswith(one.of)))
    return f"{before}{last.said}{quoted(said)}"


def quoted(said: Sequence[Said]) -> str:
    """The engines' own words, to end a sentence; empty when nothing was said."""
    words = dict.fromkeys(f"; {ENGINES.get(one.source, one.source)} says: {one.text}"
                          for one in said)  # fmt: skip
    return "".join([*words][:QUOTED])
