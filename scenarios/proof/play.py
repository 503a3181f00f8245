"""Plays a group of scenarios on one instance, all at the same time."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event as Flag
from typing import Any

from loadgen.faults.base import FaultFailed, undo
from loadgen.traffic import Crew
from scenarios.proof import graphs
from scenarios.proof.absence import derive_absence
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.deadlines import POLL_S, Deadlines, Promised, derive
from scenarios.proof.evidence import Earlier, Evidence, FaultStep, Lost, Stopped, TrafficSeen
from scenarios.proof.gate import pass_gate
from scenarios.proof.messages import Expected, expected
from scenarios.proof.scenario import Scenario
from scenarios.proof.strength import advice
from scenarios.proof.timing import (
    RuleTiming,
    fleeting,
    notification_groups,
    route_timing,
    rule_timing,
)
from scenarios.proof.verdict import Outcome, Verdict, failed, judge
from scenarios.proof.watch import Key, Watcher
from stack.check.configuration import Configuration
from stack.errors import LabError
from stack.run.instance import Instance

WATCHER_MAY_LAG_S = 5.0
"""A deadline is held against what has been watched, unless the watcher is this far behind."""

LOOK_EVERY_S = POLL_S

RESOLVED_KEPT_S = 15 * 60.0
"""Real seconds for which Prometheus goes on sending an alert that has ended, at any speed
(`resolvedRetention` in rules/alerting.go)."""

RESEND_S = 60.0
"""Prometheus' `rules.alert.resend-delay` at speed 1."""


class Stage(StrEnum):
    """How far one scenario is."""

    WAITING = "waiting"
    """For its turn, or for another one."""
    RUNNING = "running"
    SEEN = "seen"
    """All there is to see of it was seen; it is judged with the others of its group."""
    PROVEN = "proven"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Status:
    """What one scenario is doing, for whoever looks on."""

    alert: str
    instance: str
    what: str
    stage: Stage = Stage.RUNNING
    zero: float | None = None
    """Unix seconds from which the deadline counts; None before the fault."""
    due: float | None = None


Tell = Callable[[Status], None]


@dataclass(frozen=True, kw_only=True)
class Played:
    """How one scenario went."""

    verdict: Verdict
    deadlines: Deadlines | None = None
    rule: RuleTiming | None = None
    explained: frozenset[str] = frozenset()
    wanted: Expected | None = None
    advice: str = ""


@dataclass(kw_only=True)
class Venue:
    """One instance with everything that the scenarios of a group share."""

    instance: Instance
    configuration: Configuration
    """The instance's own, read before any fault: one of them leaves a file half saved."""
    evidence: Evidence
    crew: Crew
    stop: Flag
    tell: Tell
    strayed: float = 0.0
    """The watcher's, from one group to the next, by `time.monotonic`."""
    fired: dict[Key, float] = field(default_factory=dict)
    """As the watcher's, of all groups so far."""

    def keep(self, watcher: Watcher) -> None:
        """Remember, for the next group, what was active in this one."""
        self.strayed = watcher.strayed
        self.fired |= watcher.fired


def play(
    group: Sequence[ScenarioFile], venue: Venue, part: "Callable[..., Part] | None" = None
) -> dict[str, Played]:
    """The verdict of each scenario of the group, by alert. Whatever happens, faults are undone.

    `part` makes what plays one of them, `Part` itself when None.
    """
    disturbed = frozenset[str]().union(*(found.scenario.touches for found in group))
    venue.crew.start_over([found.scenario.traffic.kind for found in group])
    names = [found.scenario.alert for found in group]
    on_logs = not venue.configuration.on_logs.isdisjoint(names)
    with Watcher(
        venue.instance, venue.evidence, disturbed, names, logs=on_logs, strayed=venue.strayed
    ) as watcher:
        parts = [(part or Part)(found, group, venue, watcher) for found in group]
        steady = [part for part in parts if part.guarded(part.gate)]
        with ThreadPoolExecutor(max(1, len(steady))) as pool:
            for future in [pool.submit(part.guarded, part.perform) for part in steady]:
                future.result()
        graphs.keep([part.rule for part in parts if part.rule], watcher, venue.evidence)
        venue.keep(watcher)
    return {part.scenario.alert: part.played() for part in parts}


class Part:
    """One scenario of the group, followed from link to link of the alert's chain.

    Who looks at something else overrides `follow` and `played`.
    """

    def __init__(
        self, found: ScenarioFile, group: Sequence[ScenarioFile], venue: Venue, watcher: Watcher
    ) -> None:
        self.scenario = found.scenario
        self.venue = venue
        self.watcher = watcher
        self.locust = venue.crew.join(found.scenario.traffic.kind, found.file, self._heard)
        self.rule: RuleTiming | None = None
        self.deadlines: Deadlines | None = None
        companions = [other.scenario for other in group if other is not found]
        self.advice = advice(found)
        self._untold = True
        self.explained = frozenset[str]().union(
            *({other.alert} | other.follows for other in companions)
        )

    def guarded(self, act: Callable[[], bool]) -> bool:
        """What `act` says; whatever a scenario's own code raises, only this one has failed."""
        try:
            return act()
        except Exception as error:
            self._step("failed", _told(error))
            return False

    def gate(self) -> bool:
        """True when this host can host the fault and the instance is steady under traffic."""
        earlier = group_mates(self.scenario, self.venue)
        for alert, labels in earlier:
            self._add(Earlier, alert=alert, labels=dict(labels))
        self.rule, self.deadlines = derived(self.scenario, self.venue, joins=bool(earlier))
        if self.scenario.speedup > 1:
            self.explained |= fleeting(self.venue.configuration)
        if reason := self.scenario.fault.blocked(self.venue.instance):
            self._step("blocked", reason)
            return False
        passed = pass_gate(
            self.rule, self.deadlines, self.watcher, self.locust, self.venue.evidence,
            stopped=self.venue.stop.is_set, tell=self.tell,
        )  # fmt: skip
        if not passed:
            self.watcher.note_scrapes()
        return passed

    def perform(self) -> bool:
        """Fault, wait for the notifications, undo, wait for the rest of the chain."""
        if self.broken():
            self.follow(until="")
            self.tell("seen to its end", stage=Stage.SEEN)
        return True

    def broken(self) -> bool:
        """Fault, wait for the notifications, undo; False when the fault failed."""
        fault, instance = self.scenario.fault, self.venue.instance
        with ExitStack() as undo:
            undo.callback(self._undo)
            self._step("injecting", str(fault))
            try:
                fault.inject(instance)
            except Exception as error:  # a fault's own code: only this scenario has failed
                self._step("failed", _told(error))
                return False
            self._step("injected", str(fault))
            self.follow(until="undone")
        return True

    def played(self) -> Played:
        if self.deadlines is None:
            why = [e.detail for e in self.venue.evidence.of(self.scenario.alert)
                   if isinstance(e, FaultStep)]  # fmt: skip
            return Played(verdict=failed(self.scenario.alert, f"could not be played: {why[-1]}"))
        so_far = self._judge(now=self.watcher.until).outcome
        if self.venue.stop.is_set() and so_far is Outcome.RUNNING:
            self._add(Stopped, why="interrupted")
        return Played(
            verdict=self._judge(now=None),
            deadlines=self.deadlines,
            rule=self.rule,
            explained=self.explained,
            wanted=self._wanted,
            advice=self.advice,
        )

    def follow(self, *, until: str) -> None:
        """Wait while the verdict is running and its next link is not `until`."""
        while not self.venue.stop.is_set():
            # Evidence is complete up to what the watcher has read, not up to this moment.
            now = max(self.watcher.until, time.time() - WATCHER_MAY_LAG_S)
            self.look_at_traffic()
            verdict = self._judge(now=now)
            link = verdict.links[-1]
            if verdict.outcome is Outcome.FAILED:
                # Now, while what broke it is still there to be asked about.
                self.watcher.note_scrapes()
            if verdict.outcome is not Outcome.RUNNING or link.name == until:
                return
            self.tell(f"waiting for {link.said}", verdict.zero, link.due)
            self.venue.stop.wait(LOOK_EVERY_S)

    def look_at_traffic(self) -> None:
        """Without its people a scenario proves nothing, whatever is seen."""
        ended = self.locust.exit_code
        what = self.locust.trouble if ended is None else f"locust ended with exit code {ended}"
        if what and self._untold:
            self._untold = False
            self._add(Lost, what=what)

    def _undo(self) -> None:
        fault, instance = self.scenario.fault, self.venue.instance
        self._step("undoing", str(fault))
        try:
            undo(fault, instance)
        except Exception as error:  # the instance is not used again, so no more than this is lost
            self._step("failed", _told(error))
        else:
            self._step("undone", str(fault))

    def _judge(self, now: float | None) -> Verdict:
        assert self.deadlines is not None  # known once the gate was reached
        events = self.venue.evidence.of(self.scenario.alert)
        return judge(
            events, self.scenario, self.deadlines,
            now=now, explained=self.explained, wanted=self._wanted, advice=self.advice,
        )  # fmt: skip

    @property
    def _wanted(self) -> Expected | None:
        """What messages about the alert have to say on this instance."""
        return expected(self.scenario.routed, self.venue.configuration, self.venue.instance.layout)

    def _heard(self, figures: Mapping[str, Any]) -> None:
        """Locust's figures, as `loadgen.leash` reports them."""
        errors = tuple(figures["errors"])
        self._add(TrafficSeen, **{**figures, "errors": errors})

    def _step(self, step: str, detail: str) -> None:
        self._add(FaultStep, step=step, detail=detail)
        self.tell(f"{step}: {detail}")

    def _add(self, kind: Any, **fields: Any) -> None:
        given = {"at": time.time(), "instance": self.venue.instance.name, **fields}
        self.venue.evidence.add(kind(scenario=self.scenario.alert, **given))

    def tell(
        self, what: str, zero: float | None = None, due: float | None = None,
        stage: Stage = Stage.RUNNING,
    ) -> None:  # fmt: skip
        name, instance = self.scenario.alert, self.venue.instance.name
        self.venue.tell(
            Status(alert=name, instance=instance, what=what, stage=stage, zero=zero, due=due)
        )


def _told(error: Exception) -> str:
    expected = isinstance(error, FaultFailed | LabError)
    return str(error) if expected else f"{type(error).__name__}: {error}"


def group_mates(scenario: Scenario, venue: Venue) -> list[Key]:
    """Alerts that fired before on this instance, and whose notification group still lives and is
    that of the scenario's alert, too."""
    if scenario.always:
        return []
    configuration, since = venue.configuration, time.time() - RESOLVED_KEPT_S
    own = notification_groups(scenario.routed, configuration)
    return [
        (alert, labels)
        for (alert, labels), at in venue.fired.items()
        if at > since
        and own & notification_groups({"alertname": alert, **dict(labels)}, configuration)
    ]


def derived(
    scenario: Scenario, venue: Venue, *, joins: bool = False
) -> tuple[RuleTiming, Deadlines]:
    """The rule as the instance has it, and the deadlines that follow; `joins` as for `derive`."""
    rule = rule_timing(scenario.alert, venue.configuration)
    route = route_timing(scenario.routed, venue.configuration)
    if not scenario.always:
        promised = Promised.to(scenario.labels["severity"], venue.instance.speed)
        return rule, derive(rule, route, scenario.fault, promised, joins=joins)
    return rule, derive_absence(
        rule, route, scenario.fault,
        missed_after_s=scenario.missed_after_s / venue.instance.speed,
        resend_s=RESEND_S / venue.instance.speed,
    )  # fmt: skip
