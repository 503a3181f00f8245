"""What a routing case does and claims: alerts posted, messages and quiet expected."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any

import httpx

from scenarios.proof.case import Link, LinkState
from scenarios.proof.deadlines import BUSY_MACHINE_S, POLL_S
from scenarios.proof.evidence import Event, Evidence, FaultStep, Full, Notification, Trouble
from scenarios.proof.scenario import Want
from scenarios.proof.timing import RouteTiming, route_timing
from scenarios.proof.watch import Watcher
from scenarios.routing.poster import Posted, Poster
from stack import loopback
from stack.check.configuration import Configuration
from stack.config.audience import destinations, rests
from stack.run.instance import Instance

LOOK_EVERY_S = 0.05
CLOCK_S = 0.05
"""Alertmanager's timers and the stamps of the inbox may differ by that much."""

_KEY = re.compile(r"Dedup key</dt><dd[^>]*>([^<]+)<")


class Broken(Exception):
    """A claim that does not hold; its text says which."""


class NoRoom(Exception):
    """The disk is full: nothing can be claimed."""


class Interrupted(Exception):
    """The proof is to stop."""


@dataclass(kw_only=True)
class Bench:
    """Hands and eyes of one routing case. Every message about its alerts must be claimed once."""

    name: str
    """`routing/grouping`; it stands in the subject of each of its messages."""
    instance: Instance
    evidence: Evidence
    watcher: Watcher
    poster: Poster
    configuration: Configuration
    """That of the poster's Alertmanager."""
    stop: Flag
    tell: Callable[[str], None]
    now_in: frozenset[str] = frozenset()
    """The time intervals in which the poster's Alertmanager lives."""
    zero: float = field(default_factory=time.time)
    _ticks: float = field(default_factory=time.monotonic)
    links: list[Link] = field(default_factory=list)
    _subjects: list[Posted] = field(default_factory=list)
    _claimed: set[int] = field(default_factory=set)

    # What it does.

    def fire(
        self, alert: str, severity: str | None, team: str | None = None, **labels: str
    ) -> Posted:
        """Post an alert; it keeps firing until it is healed."""
        return self.fire_each(alert, severity, team, [labels])[0]

    def fire_each(
        self, alert: str, severity: str | None, team: str | None, each: Sequence[Mapping[str, str]]
    ) -> list[Posted]:
        """Post several alerts at once, as Prometheus does with those of one rule."""
        now = time.time()
        posted = [self.listen(alert, severity, team, at=now, **labels) for labels in each]
        self.poster.fire(*posted)
        # Only for the reader of the report: they may be many.
        for one in posted:
            self._record("posted", f"{alert} {_pairs(one.labels)}")
        return posted

    def listen(
        self, alert: str, severity: str | None, team: str | None, *, at: float, **labels: str
    ) -> Posted:
        """Expect messages about an alert that somebody else posts, from then (Unix seconds)."""
        routing = {"alertname": alert, "severity": severity, "team": team}
        given = {name: value for name, value in routing.items() if value} | labels
        mark = f"{self.name}: {alert} of {team or 'nobody'}"
        found = Posted(labels=given, mark=mark, at=at)
        self._subjects.append(found)
        return found

    def heal(self, *alerts: Posted) -> float:
        """End alerts; Unix seconds of the end."""
        self.note("healed", ", ".join(dict.fromkeys(one.name for one in alerts)))
        return self.poster.heal(*alerts)

    def leave(self, *alerts: Posted) -> None:
        """Claim nothing more of alerts that are over."""
        self._subjects = [one for one in self._subjects if one not in alerts]

    def note(self, step: str, detail: str) -> None:
        self._record(step, detail)
        self.tell(f"{step}: {detail}")

    def _record(self, step: str, detail: str) -> None:
        self.evidence.add(
            FaultStep(
                at=time.time(), instance=self.instance.name, scenario=self.name, step=step,
                detail=detail,
            )
        )  # fmt: skip

    # What it claims.

    def hears(
        self,
        alert: Posted,
        *,
        since: float | None = None,
        after_s: float | None = None,
        within_s: float | None = None,
        naming: Iterable[str] = (),
        but: Collection[Want] = (),
    ) -> list[Notification]:
        """Each destination of its audience that does not rest, `but` for those, is notified once
        that it fires, with all of `naming`.

        Between `after_s` and `within_s` after `since`: by default when the group has waited.
        """
        route = self.route(alert)
        begun = since or alert.at
        earliest = begun + (route.group_wait_s if after_s is None else after_s)
        allowed_s = route.group_wait_s if within_s is None else within_s
        wants = [want for want in self.wants(alert) if want not in but]
        return self._heard(alert, wants, "firing", earliest, begun + allowed_s, naming)

    def hears_end(
        self,
        alert: Posted,
        since: float,
        *,
        naming: Iterable[str] = (),
    ) -> list[Notification]:
        """Each of them is notified once that it is over, at the next flush of the group."""
        latest = since + self.route(alert).group_interval_s
        return self._heard(alert, self.wants(alert), "resolved", since, latest, naming)

    def quiet(self, *, for_s: float | None = None) -> None:
        """Nothing else arrives, for as long as a stray would take to be grouped and sent."""
        now = self.now()
        longest = max((self.route(one).group_wait_s for one in self._subjects), default=0.0)
        until = now + (longest + 2 * POLL_S if for_s is None else for_s)
        self.tell("waiting for quiet")
        while self.watcher.until < until:
            self._pause(until + BUSY_MACHINE_S + 3.0, "the watcher to see the quiet")
            self._no_strays()
        self._no_strays()
        self._done("quiet", at=until)

    def holds(self, alert: Posted, state: str) -> None:
        """Alertmanager has it, `active` or `suppressed`."""
        name = f"{alert.name} {state}"
        self.until(name, lambda: self.state(alert) == state, within_s=BUSY_MACHINE_S)

    def until(self, what: str, holds: Callable[[], bool], *, within_s: float) -> None:
        """It comes to hold within the time. A service that does not answer is asked again."""
        due = self.now() + within_s
        while not _holds(holds):
            self._pause(due, what)
        self._done(what, due=due)

    def one_key(self, pages: Sequence[Notification]) -> None:
        """All of these pages have the same dedup key: one incident."""
        ids = [one.id for one in pages if one.channel == "pagerduty"]
        found = {key for one in ids for key in _KEY.findall(self._page(one))}
        if len(found) != 1:
            raise Broken(f"{len(ids)} pages have {len(found)} dedup keys, expected one")
        self._done("one dedup key", at=time.time())

    # What it reads.

    def now(self) -> float:
        """Unix seconds by a clock that nobody sets: what limits are held against."""
        return self.zero + time.monotonic() - self._ticks

    def wants(self, alert: Posted) -> list[Want]:
        """Who of its audience does not rest now."""
        severity = alert.labels.get("severity")
        return [
            Want(channel=channel, destination=where)
            for channel, where in destinations(severity, alert.labels.get("team"))
            if not rests(severity, channel, self.now_in)
        ]

    def route(self, alert: Posted) -> RouteTiming:
        return route_timing(alert.labels, self.configuration)

    def state(self, alert: Posted) -> str:
        """`active` or `suppressed` in Alertmanager, `unprocessed` at first, else `gone`."""
        query = {"filter": [f'{name}="{value}"' for name, value in alert.labels.items()]}
        answer = loopback.request("GET", f"{self.poster.url}/api/v2/alerts", query=query)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        wanted = dict(alert.labels)
        return next((str(o["status"]["state"]) for o in found if o["labels"] == wanted), "gone")

    def own(self) -> list[Event]:
        """What it did, and every message about its alerts."""
        events = self.evidence.of(self.name)
        return [
            one
            for one in events
            if one.scenario == self.name
            or (isinstance(one, Notification) and any(_about(one, s) for s in self._subjects))
        ]

    def _heard(
        self,
        alert: Posted,
        wants: Sequence[Want],
        kind: str,
        earliest: float,
        latest: float,
        naming: Iterable[str],
    ) -> list[Notification]:
        due = latest + BUSY_MACHINE_S + POLL_S
        if not wants:
            return []
        self.tell(f"waiting for the {kind} notifications")
        while missing := [want for want in wants if not self._fresh(alert, kind, want)]:
            self._pause(due, f"{missing[0]}: 1 {kind} notification of {alert.name}")
        found = [self._fresh(alert, kind, want)[0] for want in wants]
        for one in found:
            self._claimed.add(one.id)
            self._sound(one, naming)
            if not earliest - CLOCK_S <= one.at <= due:
                raise Broken(
                    f"{_address(one)}: {kind} notification of {alert.name} after"
                    f" {one.at - self.zero:.2f} s, expected between"
                    f" {earliest - self.zero:.2f} s and {due - self.zero:.2f} s"
                )
        self._done(f"{alert.name} {kind}", at=max(one.at for one in found), due=due)
        return found

    def _fresh(self, alert: Posted, kind: str, want: Want) -> list[Notification]:
        """Messages that nobody claimed yet, oldest first. Those refused will come again."""
        return [
            one
            for one in self._messages()
            if one.kind == kind
            and one.answer < 400
            and _about(one, alert)
            and (one.channel, one.destination) == (want.channel, want.destination)
            and one.id not in self._claimed
        ]

    def _no_strays(self) -> None:
        for one in self._messages():
            if one.id not in self._claimed and any(_about(one, s) for s in self._subjects):
                raise Broken(
                    f"{_address(one)}: {one.kind} notification `{one.subject}` after"
                    f" {one.at - self.zero:.2f} s, expected none"
                )

    def _sound(self, message: Notification, naming: Iterable[str]) -> None:
        if message.problems:
            said = "; ".join(message.problems)
            raise Broken(f"{message.kind} notification on {_address(message)} is malformed: {said}")
        text = message.subject + "\n" + message.body
        missing = [name for name in naming if not re.search(rf"\b{re.escape(name)}\b", text)]
        if missing:
            raise Broken(
                f"{message.kind} notification on {_address(message)} does not name"
                f" {', '.join(missing)}"
            )

    def _messages(self) -> list[Notification]:
        events = self.evidence.of(self.name)
        return [one for one in events if isinstance(one, Notification)]

    def _page(self, message: int) -> str:
        url = f"{self.instance.url('inbox')}/messages/{message}"
        return loopback.request("GET", url).raise_for_status().text

    def _pause(self, due: float, awaited: str) -> None:
        """A moment of waiting. Raises Broken when it is too late, Interrupted if `stop` is set."""
        events = self.evidence.of(self.name)
        if trouble := [one.what for one in events if isinstance(one, Trouble)]:
            raise Broken(trouble[0])
        if full := [one.what for one in events if isinstance(one, Full)]:
            raise NoRoom(full[0])
        if self.poster.trouble:
            raise Broken(self.poster.trouble)
        if self.stop.wait(LOOK_EVERY_S):
            raise Interrupted(awaited)
        if self.now() > due:
            raise Broken(f"{awaited}, expected by {due - self.zero:.1f} s, got none")

    def _done(self, name: str, *, at: float | None = None, due: float | None = None) -> None:
        self.links.append(Link(name=name, state=LinkState.DONE, at=at or time.time(), due=due))


def _about(message: Notification, alert: Posted) -> bool:
    return message.subject.endswith(f" - {alert.mark}")


def _address(message: Notification) -> str:
    return str(Want(channel=message.channel, destination=message.destination))


def _holds(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except (httpx.HTTPError, ValueError):
        return False


def _pairs(labels: Mapping[str, str]) -> str:
    others = sorted((name, value) for name, value in labels.items() if name != "alertname")
    return "{" + ", ".join(f'{name}="{value}"' for name, value in others) + "}"
