"""Instances that play groups of scenarios, several at a time; each as long as it is as new."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Protocol

from loadgen.faults.base import wears
from loadgen.traffic import Crew
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.evidence import Evidence, Full
from scenarios.proof.play import Played, Stage, Status, Tell, Venue, play
from scenarios.proof.result import UNPLAYED, Result
from scenarios.proof.slots import Slots
from scenarios.proof.verdict import Outcome, Verdict, failed
from stack.check.configuration import read
from stack.deploy.backup import catalogue
from stack.errors import HostCannot, LabError
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.store.disk import refused

PACE = 0.5
"""Of the speed, for what was inconclusive when played by itself, too."""


Play = Callable[[Sequence[ScenarioFile], Venue], Mapping[str, Played]]
"""Plays one group; by alert, how that went."""


class Routing(Protocol):
    """Routing cases, handed in by whoever composes a proof (`scenarios.routing.run`)."""

    def names(self) -> list[str]:
        """Of all of them, in the order in which they are reported."""

    def length_s(self, speed: float) -> float:
        """About how long all of them take, in real seconds."""

    def prove(self, venue: Venue, only: Sequence[str]) -> list[Result]:
        """Play those called `only`; a result for each, whatever happens."""


@dataclass(kw_only=True)
class Workers:
    """The moving parts of one proof."""

    speed: float
    keep: bool
    config_root: Path
    folder: Path
    file: IO[str]
    """Takes the evidence."""
    tell: Tell
    stop: threading.Event
    routing: Routing | None = None
    play: Play = play
    results: dict[str, Result] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Why an instance did not come up."""
    troubles: list[str] = field(default_factory=list)
    """What else went wrong beside the scenarios."""
    started: int = 0
    """How many instances came up."""
    _tries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Alert or routing case → why each of its tries so far was inconclusive."""
    _unsure: list[ScenarioFile | str] = field(default_factory=list)
    """Scenarios and routing cases that are to be played again."""
    _last: bool = False
    """Whoever is inconclusive now has failed."""
    _at_work: set[threading.Thread] = field(default_factory=set)
    _allowed: int = 0
    """Workers at once; one fewer each time that the machine could not keep up."""
    _waiting: list[list[ScenarioFile]] = field(default_factory=list)
    _hosted: set[float] = field(default_factory=set)
    """Speeds other than the proof's that an instance has now. It plays all groups of its speed, one
    after the other: rules that look back a day find their yesterday there."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _evidence_lock: threading.Lock = field(default_factory=threading.Lock)
    _starting: threading.Lock = field(default_factory=threading.Lock)
    """An instance that comes up takes a core for seconds; two at once would disturb those at work
    and come up no sooner."""

    @property
    def said(self) -> tuple[str, ...]:
        """What went wrong beside the scenarios."""
        return (*(f"an instance did not come up: {note}" for note in self.notes), *self.troubles)

    def run(
        self, groups: Sequence[list[ScenarioFile]], instances: int, routes: Sequence[str] = ()
    ) -> None:
        """Play all groups in order; each worker takes the next one when it is done.

        `routes` are routing cases: the first worker begins with them, and nothing is
        played beside them, since they stop what all other proofs watch.

        What is inconclusive is played again when all else is over, by itself; then slower.
        """
        with Slots() as slots:
            self._all(slots, groups, instances, routes)
            for last in (self.speed <= 1, True):
                if not self._unsure or self.stop.is_set():
                    break
                self._last = last
                self._alone(slots)
                self.speed = max(1.0, self.speed * PACE)
        for group in groups:
            for found in group:
                name = found.scenario.alert
                unplayed = Result(verdict=self._unplayed(name), scenario=found.scenario,
                                  file=found.where)  # fmt: skip
                self.results.setdefault(name, unplayed)
        for name in routes:
            self.results.setdefault(name, Result(verdict=self._unplayed(name), file="routing/"))

    def _all(
        self, slots: Slots, groups: Sequence[list[ScenarioFile]], instances: int,
        routes: Sequence[str],
    ) -> None:  # fmt: skip
        self._waiting = list(groups)
        self._allowed = min(instances, len(groups) + bool(routes))
        workers = [
            threading.Thread(target=self._work, args=(slots, () if number else routes))
            for number in range(self._allowed)
        ]
        self._at_work = set(workers)
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _alone(self, slots: Slots) -> None:
        """Play again what is inconclusive, one after the other with nothing beside it."""
        unsure, self._unsure = self._unsure, []
        for route in [one for one in unsure if isinstance(one, str)]:
            self._all(slots, [], 1, [route])
        self._all(slots, [[one] for one in unsure if not isinstance(one, str)], 1, ())

    def _work(self, slots: Slots, routes: Sequence[str]) -> None:
        """One instance after another, until nothing waits or none comes up. A thread of its own:
        whatever happens is named."""
        try:
            self._work_on(slots, routes)
        except Exception as error:
            self.troubles.append(f"a worker of the proof ended: {_named(error)}")
        with self._lock:
            self._at_work.discard(threading.current_thread())

    def _work_on(self, slots: Slots, routes: Sequence[str]) -> None:
        while not self.stop.is_set():
            if self._too_many():
                return
            group = [] if routes else self._next()
            if not (group or routes):
                return
            try:
                name = slots.take()
            except Exception as error:
                self._put_back(group)
                self.notes.append(_named(error))
                return
            try:
                self._host(name, group, routes)
            except HostCannot as error:
                # This instance did not come up; what waits may still be played on another one.
                if not self.stop.is_set():
                    self.notes.append(str(error))
                slots.give_back(name)
                return
            except LabError as error:
                # Whatever an instance is made from is the same for all: nothing can be played.
                self.errors.append(error)
                self.stop.set()
                return
            if not self.keep:
                slots.give_back(name)
            routes = ()

    def _too_many(self) -> bool:
        """Whether the machine carries one worker fewer, and it is this one that leaves."""
        with self._lock:
            if len(self._at_work) > max(1, self._allowed):
                self._at_work.discard(threading.current_thread())
                return True
        return False

    def _host(self, name: str, group: list[ScenarioFile], routes: Sequence[str]) -> None:
        """A fresh instance plays the routes or this group, then others of its speed, while it is
        as new."""
        speed = self._speed(group) if group else self.speed
        names = [*routes, *(found.scenario.alert for found in group)]
        playing = group
        try:
            with self._instance(name, speed, names) as host, Crew(host, self.folder) as crew:
                venue = Venue(
                    instance=host, configuration=read(host.config_dir), crew=crew,
                    evidence=self._evidence(host), stop=self.stop, tell=self.tell,
                )  # fmt: skip
                if routes and self._prove(venue, routes):
                    playing = self._next(speed)
                while playing and self._play(venue, playing):
                    playing = self._next(speed)
        except HostCannot:
            self._put_back(playing)
            raise
        except LabError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and (trouble := refused(error)):
                self._put_back(playing)  # that says nothing of an alert
                raise trouble from None
            # This instance is lost, with what it was playing; the others keep running.
            why = f"instance `{name}`: {_named(error)}"
            self._lost(playing or group, why)
            for one in routes:
                self.results.setdefault(one, Result(verdict=failed(one, why)))
        finally:
            with self._lock:
                self._hosted.discard(speed)

    def _put_back(self, group: list[ScenarioFile]) -> None:
        """It had no turn: another instance may still play it."""
        with self._lock:
            self._waiting += [group] if group and not self._played(group) else []

    def _evidence(self, instance: Instance) -> Evidence:
        return Evidence(instance=instance.name, file=self.file, lock=self._evidence_lock)

    def _prove(self, venue: Venue, routes: Sequence[str]) -> bool:
        """Play the routing cases; as `_play`."""
        found = self.routing.prove(venue, routes) if self.routing else []
        for one in found:
            self._tell_of(one, venue.instance.name, again=self._take(one, one.alert))
        venue.strayed = time.monotonic()  # what an inbox that was down did not take may still come
        return not self.stop.is_set() and all(one.outcome is Outcome.PROVEN for one in found)

    def _next(self, speed: float | None = None) -> list[ScenarioFile]:
        """Take the first group that wants `speed`; when None, one that a new instance can play.
        Empty when there is none."""
        with self._lock:
            for index, group in enumerate(self._waiting):
                wanted = self._speed(group)
                if wanted == speed or (speed is None and wanted not in self._hosted):
                    self._hosted |= {wanted} - {self.speed}
                    return self._waiting.pop(index)
        return []

    def _speed(self, group: Sequence[ScenarioFile]) -> float:
        return group[0].scenario.speed(self.speed)

    def _played(self, group: Sequence[ScenarioFile]) -> bool:
        return any(found.scenario.alert in self.results or found in self._unsure for found in group)

    def _lost(self, group: Sequence[ScenarioFile], why: str) -> None:
        for found in group:
            verdict = failed(found.scenario.alert, why)
            result = Result(verdict=verdict, scenario=found.scenario, file=found.where)
            self.results.setdefault(found.scenario.alert, result)

    def _unplayed(self, name: str) -> Verdict:
        """Interrupted before its turn, or no instance came up that could host it."""
        blocked = self.notes and not self.stop.is_set()
        again = f"; before that: {self._tries[name][-1]}" if name in self._tries else ""
        why = f"{UNPLAYED}: the proof ended before its turn{again}"
        return Verdict(
            alert=name,
            outcome=Outcome.BLOCKED if blocked else Outcome.FAILED,
            reason=self.notes[0] if blocked else why,
        )

    @contextmanager
    def _instance(self, name: str, speed: float, alerts: Sequence[str]) -> Iterator[Instance]:
        with ExitStack() as ending:
            with self._starting:
                for alert in alerts:
                    self.tell(Status(alert=alert, instance=name, what="starting an instance"))
                instance = ending.enter_context(
                    running(name, speed=speed, config_root=self.config_root, keep=self.keep)
                )
            self.packages.update({k: Path(v).name for k, v in instance.record.packages.items()})
            self.started += 1
            yield instance
        if self.keep:
            self.kept.append(name)
        else:
            catalogue.forget(name)

    def _play(self, venue: Venue, group: list[ScenarioFile]) -> bool:
        """Play one group; True when the instance is as good as new and may host another."""
        instance = venue.instance
        evidence = venue.evidence = self._evidence(instance)
        played = self.play(group, venue)
        for found in group:
            name = found.scenario.alert
            result = _result(found, played[name], instance, evidence)
            self._tell_of(result, instance.name, again=self._take(result, found))
        if full := [e.what for e in evidence.of("") if isinstance(e, Full)]:
            raise HostCannot(f"{full[0]}.", cure="Make room, then play it again.")
        clean = all(one.verdict.outcome is Outcome.PROVEN for one in played.values())
        worn = any(wears(found.scenario.fault) for found in group)
        return clean and not worn and not self.stop.is_set()

    def _tell_of(self, result: Result, instance: str, *, again: bool) -> None:
        outcome = "inconclusive, to be played again" if again else result.outcome
        stage = Stage.WAITING if again else Stage(result.outcome)
        what = f"{outcome}: {result.verdict.reason}".rstrip(": ")
        self.tell(Status(alert=result.alert, instance=instance, what=what, stage=stage))

    def _take(self, result: Result, what: ScenarioFile | str) -> bool:
        """Keep what came of a try, unless it is inconclusive and there is another; True then."""
        name, verdict = result.alert, result.verdict
        with self._lock:
            earlier = self._tries.get(name, ())
            if verdict.excuse and not self._last and not self.stop.is_set():
                self._tries[name] = (*earlier, verdict.reason)
                self._unsure.append(what)
                self._allowed -= 1
                return True
            self.results[name] = replace(result, earlier=earlier)
        return False


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"


def _result(found: ScenarioFile, played: Played, instance: Instance, evidence: Evidence) -> Result:
    return Result(
        verdict=played.verdict,
        scenario=found.scenario,
        file=found.where,
        instance=instance.name,
        hash=instance.hash,
        speed=instance.speed,
        deadlines=played.deadlines,
        rule=played.rule,
        explained=played.explained,
        wanted=played.wanted,
        advice=played.advice,
        events=evidence.of(found.scenario.alert),
    )
