"""A proof: scenarios packed onto instances, run, judged, reported."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO

from scenarios.proof import catalogue, report
from scenarios.proof.catalogue import Found
from scenarios.proof.evidence import Evidence
from scenarios.proof.packing import pack
from scenarios.proof.play import Played, Progress, Stage, Tell, play
from scenarios.proof.report import Proof, Result
from scenarios.proof.show import display
from scenarios.proof.slots import Slots
from scenarios.proof.verdict import Outcome, Verdict
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.instance import Instance
from stack.lifecycle import CONFIG_ROOT, running
from stack.paths import REPO

INSTANCES_AT_ONCE = 2
"""One per core of the smallest machine that the lab is meant for."""

REPORTS = REPO / "reports"


def verify_alerts(
    only: Sequence[str] = (),
    *,
    speed: float = 60.0,
    keep: bool = False,
    config_root: Path = CONFIG_ROOT,
    reports: Path = REPORTS,
    instances: int = INSTANCES_AT_ONCE,
) -> int:
    """Prove the alerts called `only`, all when empty, and write a report; 0 when all are proven.

    Raises CheckFailed when one failed, HostCannot when some are blocked and none failed, BadInput
    for an unknown name or a declaration that cannot be played, and KeyboardInterrupt after SIGINT
    or SIGTERM, once everything is put right and the evidence so far is reported.
    """
    if speed < 1:
        raise BadInput(f"--speed is {speed:g}, wanted 1 or more.")
    found = catalogue.find()
    chosen = catalogue.choose(found, only)
    known = catalogue.rules(config_root)
    gaps = catalogue.uncovered(found, known)
    if only:
        gaps = {name: why for name, why in gaps.items() if name in _names(chosen)}
    playable = [one for one in chosen if one.scenario.alert not in gaps]
    folder = report.new_folder(reports, datetime.now(UTC))
    proof = _Proof(speed=speed, keep=keep, config_root=config_root, folder=folder)
    started = time.time()
    with (folder / "evidence.jsonl").open("w") as file, _signals(proof.stop):
        with display(_names(playable)) as tell:
            proof.run(pack(playable), file, tell, instances)
        results = [*proof.results.values(), *(_gap(name, why) for name, why in gaps.items())]
        done = Proof(
            started=started, took_s=time.time() - started, speed=speed, results=tuple(results),
            instances=dict(proof.hashes), packages=dict(proof.packages), folder=folder,
            interrupted=proof.stop.is_set() and not proof.errors, notes=tuple(proof.notes),
        )  # fmt: skip
        report.write(done)
        report.tell(done, kept=proof.kept)
    return _end(done, proof.errors)


def _end(done: Proof, errors: Sequence[BaseException]) -> int:
    if errors:
        raise errors[0]
    if done.interrupted:
        raise KeyboardInterrupt
    failed = [one.alert for one in done.results if one.outcome is Outcome.FAILED]
    blocked = [one.alert for one in done.results if one.outcome is Outcome.BLOCKED]
    if failed:
        raise CheckFailed(f"not proven: {', '.join(failed)}.", cure=f"See {done.page}.")
    if blocked:
        raise HostCannot(f"blocked on this host: {', '.join(blocked)}.", cure=f"See {done.page}.")
    return 0


@dataclass(kw_only=True)
class _Proof:
    """The moving parts of one proof."""

    speed: float
    keep: bool
    config_root: Path
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    results: dict[str, Result] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Why an instance did not come up."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _evidence_lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, groups: Sequence[list[Found]], file: IO[str], tell: Tell, instances: int) -> None:
        """Play all groups; each worker takes the next one when it is done with its last."""
        waiting = list(groups)
        with Slots() as slots:
            workers = [
                threading.Thread(target=self._work, args=(waiting, file, tell, slots))
                for _ in range(min(instances, len(groups)))
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        for group in groups:
            for found in group:
                self.results.setdefault(found.scenario.alert, self._unplayed(found))

    def _work(self, waiting: list[list[Found]], file: IO[str], tell: Tell, slots: Slots) -> None:
        """An instance after another, each for groups that want its speed."""
        group: list[Found] | None = None
        try:
            while not self.stop.is_set() and (group := self._next(waiting)):
                name, speed = slots.take(), self._speed(group)
                with self._instance(name, group, tell) as instance:
                    while self._play(instance, group, file, tell):
                        following = self._next(waiting, speed)
                        if not following:
                            break
                        group = following
                    group = None
                if not self.keep:
                    slots.give_back(name)
        except HostCannot as error:
            # This instance did not come up; what waits may still be played on another one.
            if not self.stop.is_set():
                self.notes.append(str(error))
                waiting += [group] if group else []
        except BaseException as error:
            # Nobody else would see it in this thread; the others stop, and the main thread raises.
            self.errors.append(error)
            self.stop.set()

    def _next(self, waiting: list[list[Found]], speed: float | None = None) -> list[Found] | None:
        """Take the first group that wants `speed`, any when None."""
        with self._lock:
            for index, group in enumerate(waiting):
                if speed is None or self._speed(group) == speed:
                    return waiting.pop(index)
        return None

    def _speed(self, group: Sequence[Found]) -> float:
        return group[0].scenario.speed(self.speed)

    def _unplayed(self, found: Found) -> Result:
        """Interrupted before its turn, or no instance came up that could host it."""
        blocked = self.notes and not self.stop.is_set()
        verdict = Verdict(
            alert=found.scenario.alert,
            outcome=Outcome.BLOCKED if blocked else Outcome.FAILED,
            reason=self.notes[0] if blocked else "was not played: the proof ended before its turn",
        )
        return Result(verdict=verdict, scenario=found.scenario, file=found.where)

    @contextmanager
    def _instance(self, name: str, group: Sequence[Found], tell: Tell) -> Iterator[Instance]:
        for found in group:
            tell(Progress(alert=found.scenario.alert, instance=name, what="instance starts"))
        speed = self._speed(group)
        with running(name, speed=speed, config_root=self.config_root, keep=self.keep) as instance:
            self.hashes[name] = instance.hash
            self.packages.update({k: Path(v).name for k, v in instance.record.packages.items()})
            yield instance
        if self.keep:
            self.kept.append(name)

    def _play(self, instance: Instance, group: list[Found], file: IO[str], tell: Tell) -> bool:
        """Play one group; True when the instance is as good as new and may host another."""
        evidence = Evidence(instance=instance.name, file=file, lock=self._evidence_lock)
        stage = Stage(
            instance=instance, evidence=evidence, folder=self.folder, stop=self.stop, tell=tell
        )
        played = play(group, stage)
        with self._lock:
            for found in group:
                name = found.scenario.alert
                self.results[name] = _result(found, played[name], instance, evidence)
        for name, one in played.items():
            verdict = one.verdict
            tell(Progress(alert=name, instance=instance.name,
                          what=f"{verdict.outcome}: {verdict.reason}".rstrip(": ")))  # fmt: skip
        clean = all(one.verdict.outcome is Outcome.PROVEN for one in played.values())
        return clean and not evidence.bystanders(set(played)) and not self.stop.is_set()


def _result(found: Found, played: Played, instance: Instance, evidence: Evidence) -> Result:
    return Result(
        verdict=played.verdict,
        scenario=found.scenario,
        file=found.where,
        instance=instance.name,
        deadlines=played.deadlines,
        rule=played.rule,
        explained=played.explained,
        events=evidence.of(found.scenario.alert),
    )


def _gap(alert: str, why: str) -> Result:
    return Result(verdict=Verdict(alert=alert, outcome=Outcome.FAILED, reason=why))


def _names(found: Sequence[Found]) -> list[str]:
    return [one.scenario.alert for one in found]


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM end the proof in order: faults undone, instances down, report written."""

    def handle(number: int, frame: FrameType | None) -> None:
        again = stop.is_set()
        stop.set()
        word = "still putting things right" if again else "putting things right"
        os.write(2, f"\n{signal.Signals(number).name}: {word}, then the report …\n".encode())

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with ExitStack() as restore:
        for number in (signal.SIGINT, signal.SIGTERM):
            restore.callback(signal.signal, number, signal.signal(number, handle))
        yield
