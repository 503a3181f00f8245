"""Plays a group of faults on one instance, one fault after the other, and looks at their panels.

The faults of a group disturb each other's alerts in nothing, but a panel may well be moved by more
than one of them: so one begins when the panels of the one before have moved and it is put right,
and these come back meanwhile.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from scenarios.dashboards.asking import Asker
from scenarios.dashboards.looking import Look, patience_s, window_s
from scenarios.dashboards.result import Seen, Shown
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.evidence import Evidence, FaultStep
from scenarios.proof.overload import overloaded, unanswered
from scenarios.proof.play import Part, Played, Venue, play
from scenarios.proof.verdict import Outcome, Verdict
from scenarios.proof.watch import Watcher
from stack.check.bounds import Bound, bounds

LOOK_EVERY_S = 0.5

INTERRUPTED = "the proof was interrupted"


def play_panels(
    panels: Sequence[Shown], group: Sequence[ScenarioFile], venue: Venue
) -> dict[str, Played]:
    """The verdict of each scenario of the group: proven if all of `panels` that watch it moved with
    the fault, and were as before when it was over."""
    with Asker(venue.instance) as asker:
        part = partial(_Watching, panels=panels, asker=asker, course=_Course())
        return play(group, venue, part)


@dataclass(kw_only=True)
class _Course:
    """What the scenarios of a group know of each other."""

    turn: Lock = field(default_factory=Lock)
    """Of the one whose fault may be there."""
    since: float = 0.0
    """Unix seconds from which on the instance was steady under healthy traffic; 0: not yet."""
    first_fault: float = math.inf


class _Watching(Part):
    """One scenario of the group, and the panels that watch it."""

    def __init__(
        self,
        found: ScenarioFile,
        group: Sequence[ScenarioFile],
        venue: Venue,
        watcher: Watcher,
        *,
        panels: Sequence[Shown],
        asker: Asker,
        course: _Course,
    ) -> None:
        super().__init__(found, group, venue, watcher)
        alert = self.scenario.alert
        rule = next(one for one in venue.configuration.alerts if one.name == alert)
        self._course, self._asker = course, asker
        self._window_s = window_s(asker)
        self._patience_s = patience_s(asker) + 2 * self._window_s
        self._looks: list[Look] = []
        self._seen: Mapping[str, Seen] = {}
        for shown in panels:
            if alert in shown.watches:
                shown.seen[alert] = Seen(unplayed="its turn did not come")
                own: Sequence[Bound] = bounds(rule) if alert in shown.panel.alerts else ()
                self._looks.append(Look(shown, asker, own))
        self._seen = {look.shown.name: look.shown.seen[alert] for look in self._looks}

    def broken(self) -> bool:
        """One fault at a time, so that what moves is moved by it."""
        self.tell("waiting for its turn")
        with self._course.turn:
            self._course.since = self._course.since or self._steady_since()
            if self.venue.stop.is_set() or not self._calm():
                return False
            self._course.first_fault = min(self._course.first_fault, time.time())
            return super().broken()

    def follow(self, *, until: str) -> None:
        """Wait until all panels have moved; once the fault is over, until they are as before."""
        assert self.deadlines is not None  # known once the gate was passed
        zero = time.time()
        for seen in self._seen.values():
            seen.unplayed = ""
        if until:
            limit_s = self.deadlines.notified.seconds + 2 * self._window_s
            self._until(zero, limit_s, self._moved, self._looks, "to move")
            return
        moved = [look for look in self._looks if self._seen[look.shown.name].how]
        limit_s = self.deadlines.resolved.seconds + self._patience_s
        self._until(zero, limit_s, self._back, moved, "to come back")

    def played(self) -> Played:
        verdict = self._verdict()
        for seen in self._seen.values():
            if seen.unplayed:
                seen.unplayed = INTERRUPTED if self.venue.stop.is_set() else verdict.reason
        return Played(verdict=verdict, deadlines=self.deadlines, rule=self.rule)

    def _steady_since(self) -> float:
        """Two windows ago, or since the last alert of the faults before was over: once that is a
        window ago, or is waited for no longer."""
        give_up = time.time() + self._patience_s
        while True:
            now = time.time()
            fired = self._asker.last_fired(now - 2 * self._window_s, now)
            over = now > give_up or self.venue.stop.is_set()
            if fired <= now - self._window_s or over:
                return max(fired + self._asker.scrape_s, now - 2 * self._window_s)
            self.venue.stop.wait(LOOK_EVERY_S)

    def _calm(self) -> bool:
        """Wait until what each panel shows by itself can be told from what a fault makes of it; a
        panel that is never calm is not looked at any more. False when none is left."""
        limit_s = self._patience_s
        for look, why in self._until(time.time(), limit_s, self._before, self._looks, "to be calm"):
            self._seen[look.shown.name].restless = why
            self._looks.remove(look)
        if not self._looks:
            self._step("failed", "before the fault, no panel was calm")
        return bool(self._looks) and not self.venue.stop.is_set()

    def _until(
        self,
        zero: float,
        limit_s: float,
        good: Callable[[Look, float], str],
        looks: Sequence[Look],
        what: str,
    ) -> list[tuple[Look, str]]:
        """Look until `good` says "" of each; what it says of the others in the end."""
        waiting, said = list(looks), dict.fromkeys(looks, "")
        while waiting and not self.venue.stop.is_set():
            self.look_at_traffic()
            said = {look: good(look, zero) for look in waiting}
            waiting = [look for look in waiting if said[look]]
            if not waiting or time.time() - zero > limit_s:
                break
            names = ", ".join(look.shown.name for look in waiting)
            self.tell(f"waiting for {names} {what}", zero, zero + limit_s)
            self.venue.stop.wait(LOOK_EVERY_S)
        return [(look, said[look]) for look in waiting]

    def _before(self, look: Look, began: float) -> str:
        learn = time.time() - began > 2 * self._window_s
        return look.calm(self._course.since, self._course.first_fault, learn=learn)

    def _moved(self, look: Look, injected: float) -> str:
        seen = self._seen[look.shown.name]
        seen.how = look.moved(injected)
        seen.moved_s = time.time() - injected
        return "" if seen.how else "it does not move"

    def _back(self, look: Look, undone: float) -> str:
        seen = self._seen[look.shown.name]
        seen.keeps = look.keeps
        if time.time() < undone + self._window_s:
            return "not asked yet"
        seen.wrong = look.after()
        seen.back_s = time.time() - undone
        return seen.wrong

    def _verdict(self) -> Verdict:
        alert, events = self.scenario.alert, self.venue.evidence.of(self.scenario.alert)
        steps = {one.step: one for one in events if isinstance(one, FaultStep)}
        if "injected" not in steps or "failed" in steps:
            return self._not_played(steps)
        wrong = [f"{name} {seen.trouble}" for name, seen in self._seen.items() if seen.trouble]
        if not wrong:
            return Verdict(alert=alert, outcome=Outcome.PROVEN, reason="")
        excuse = excused(self.venue.evidence, alert, steps["injecting"].at)
        reason = "; ".join([*([excuse] if excuse else []), *wrong])
        return Verdict(alert=alert, outcome=Outcome.FAILED, reason=reason, excuse=excuse)

    def _not_played(self, steps: Mapping[str, FaultStep]) -> Verdict:
        alert = self.scenario.alert
        if "failed" not in steps:
            return super().played().verdict  # blocked, or never steady
        excuse = excused(self.venue.evidence, alert, 0.0)
        return Verdict(alert=alert, outcome=Outcome.FAILED, reason=steps["failed"].detail,
                       excuse=excuse)  # fmt: skip


def excused(evidence: Evidence, alert: str, since: float) -> str:
    """Who else may be why something was not seen since then (Unix seconds): the machine that was
    too busy, or who did not answer. Empty when nobody was."""
    events = evidence.of(alert)
    figures = overloaded(events, since, float("inf"))
    silent = unanswered(events, since, float("inf"))
    return "; ".join(
        words
        for words in (silent, f"the machine was overloaded: {figures}" if figures else "")
        if words
    )
