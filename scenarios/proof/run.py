"""A proof: scenarios packed onto instances, run, judged, reported."""

import os
import signal
import statistics
import threading
import time
import timeit
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil

from scenarios.proof import catalogue, report
from scenarios.proof import history as earlier
from scenarios.proof.board import Board
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.endings import ended_by
from scenarios.proof.estimate import START_S, Turn, counted, length_s, total_s, words
from scenarios.proof.packing import by_length, in_turn, pack
from scenarios.proof.play import play
from scenarios.proof.reports import KEPT, check_kept, new_folder, prune, reports_dir
from scenarios.proof.result import Proof, Result, in_order
from scenarios.proof.reuse import Reuse, look
from scenarios.proof.show import Display
from scenarios.proof.slots import MOST, check_writable
from scenarios.proof.usable import check_usable
from scenarios.proof.verdict import Outcome, failed
from scenarios.proof.workers import Play, Routing, Workers
from stack import progress
from stack.check import blanks
from stack.check.configuration import Configuration, read
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT

INSTANCES_PER_CORE = 1.5
"""At once. At the speed of a usual proof an instance with its traffic takes a third of a core, and
as it starts a whole one. With two for each core a proof is a fifth faster, but now and then all of
the machine is used for seconds, and what comes late then is not proven."""

QUICK_S = 12e-6
"""What `sum(range(1000))` takes on a core of which that is said."""

SLOW = 10.0
"""Up to this speed an instance hardly does anything, and memory alone is the limit."""

INSTANCE_BYTES = 700 << 20

REASONS = 10
"""Of so many alerts it is said at the end why they are not proven; the report has all."""


def verify_alerts(
    only: Sequence[str] = (),
    *,
    speed: float = 60.0,
    keep: bool = False,
    routing: Routing | None = None,
    config_root: Path = CONFIG_ROOT,
    reports: Path | None = None,
    instances: int = 0,
    history: Path | None = None,
    keep_reports: int = KEPT,
    attest: Callable[[Proof], Path] | None = None,
    changed: bool = False,
) -> int:
    """Prove the alerts called `only`, all when empty, and write a report; 0 when all are proven.

    `routing` has routing cases, chosen by their names as alerts are, and played as well.
    `instances` is how many may run at once; 0 leaves it to the machine. `reports` is where the
    report's folder is made (`reports_dir` when None), and `keep_reports` how many of them are
    kept. `history` is a file with the figures of earlier runs, to which those of this one are
    added. `attest` writes an attestation beside the report. With `changed`, those are not played
    whose verdict *proven* is kept and follows from inputs that have not changed (`inputs`).

    Raises CheckFailed when one failed, HostCannot when some are blocked and none failed, or nothing
    can be written, BadInput for an unknown name, a declaration that cannot be played or
    configuration that no program would start with, and KeyboardInterrupt after SIGINT, SIGTERM or
    SIGHUP, once all faults are undone and the evidence so far is reported.
    """
    check_kept(keep_reports)
    configuration = read(config_root)
    plan = whole = _plan(only, speed, routing, configuration, instances)
    runs = earlier.read(history) if history else []
    check_usable(configuration)
    check_writable()
    reuse = Reuse(partial(look, whole.names, config_root, speed, routing))
    unchanged = reuse.unchanged(plan.names if changed else ())
    for line in unchanged.reasons:
        progress.result(line, "again", why=line)
    if unchanged.before:
        plan = _plan(only, speed, routing, configuration, instances, but=unchanged.before)
    reports = reports or reports_dir()
    stop, show = threading.Event(), plan.display()
    with ExitStack() as ending:
        with written(reports):
            folder = ending.enter_context(new_folder(reports))
        ending.enter_context(ended_in_order(stop, show.ending))
        started, ticks = time.time(), time.monotonic()
        workers = perform(plan, folder, stop, show, keep=keep, config_root=config_root,
                          routing=routing)  # fmt: skip
        done = Proof(
            started=started, took_s=time.monotonic() - ticks, speed=speed,
            results=in_order([*workers.results.values(), *plan.failed]),
            packages=dict(workers.packages or reuse.packages), folder=folder,
            interrupted=stop.is_set() and not workers.errors,
            notes=workers.said, before=list(unchanged.before.values()),
            saved_s=max(0.0, whole.about_s - plan.about_s),
        )  # fmt: skip
        if trouble := reuse.keep(done):
            done = replace(done, notes=(*done.notes, trouble))
        trends = earlier.trends(runs, done) if history else {}
        with written(folder):
            report.write(done, trends)
            prune(reports, keep_reports)
        report.tell(done, kept=workers.kept, slower=[t for t in trends.values() if t.slower])
        if attest:
            with written(folder):
                report.tell_attested(attest(done))
        if history and not done.interrupted:
            earlier.append(history, done)
    return _end(done, workers.errors)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a proof will play, where, and how long that takes."""

    groups: Sequence[list[ScenarioFile]]
    """In the order in which they are begun."""
    instances: int
    """At once."""
    gaps: Mapping[str, str]
    """Alert → why it fails without being played."""
    routes: Sequence[str]
    """What is played before any group, beside nothing else."""
    turns: Sequence[Turn]
    """The routes, and each group."""
    speed: float
    called: str = "routing case"
    """What a route is."""

    @property
    def names(self) -> list[str]:
        """Of the alerts and routes that are played."""
        return [*(one.scenario.alert for group in self.groups for one in group), *self.routes]

    @property
    def failed(self) -> list[Result]:
        """Of what is not even played."""
        return [Result(verdict=failed(name, why)) for name, why in self.gaps.items()]

    def display(self) -> Display:
        """Shows how it goes."""
        return Display(Board(self.turns, self.instances, failed=list(self.gaps)))

    @property
    def figures(self) -> dict[str, float]:
        return {
            "alerts": sum(map(len, self.groups)),
            "routes": len(self.routes),
            "groups": len(self.groups),
            "instances": self.instances,
            "speed": self.speed,
            "about_s": round(self.about_s, 1),
        }

    @property
    def about_s(self) -> float:
        if not self.turns:
            return 0.0
        lengths = [turn.about_s for turn in self.turns]
        return total_s(lengths, free=[START_S] * self.instances)

    @property
    def words(self) -> str:
        alerts, routes = sum(map(len, self.groups)), len(self.routes)
        parts = [f"{counted(alerts, 'alert')} in {counted(len(self.groups), 'group')}"]
        parts = (parts if alerts or not routes else []) + [counted(routes, self.called)] * bool(
            routes
        )
        if not (alerts or routes):
            return "nothing is to be played"
        return (
            f"{' and '.join(parts)} on up to {counted(self.instances, 'instance')} at once,"
            f" at speed {self.speed:g}: about {words(self.about_s)}"
        )


def _plan(
    only: Sequence[str],
    speed: float,
    routing: Routing | None,
    configuration: Configuration,
    instances: int,
    but: Container[str] = (),
) -> Plan:
    """Of what is called `only`, without what is in `but`. Raises BadInput."""
    check_speed(speed)
    known = catalogue.rules(configuration)
    found, broken = catalogue.survey()
    gaps = catalogue.uncovered(found, known)
    gaps |= {catalogue.alert_of(file, known): why for file, why in broken.items()}
    gaps |= blanks.unfinished(configuration, catalogue.FOLDER)
    cases = routing.names() if routing else []
    areas = {**catalogue.areas(found, known, gaps), **({"routing": cases} if routing else {})}
    wanted = [name for name in catalogue.choose(only, areas) if name in gaps or name not in but]
    chosen = [one for one in found if one.scenario.alert in wanted]
    routes = [name for name in cases if name in wanted]
    gaps = {name: why for name, why in gaps.items() if name in wanted}
    if not only:
        gaps |= catalogue.unreached(found, configuration)
    lengths = {
        one.file: length_s(one, configuration, speed)
        for one in chosen
        if one.scenario.alert not in gaps
    }
    playable = [one for one in chosen if one.file in lengths]
    groups = in_turn(pack(by_length(playable, lengths), configuration.on_logs))
    at_once = instances or instances_at_once(speed, len(groups) + bool(routes))
    turns = [turn(group, max(lengths[one.file] for one in group)) for group in groups]
    if routing and routes:
        turns.insert(0, Turn(names=tuple(routes), about_s=routing.length_s(speed)))
    return Plan(
        groups=groups, instances=at_once, gaps=gaps, routes=routes, turns=turns, speed=speed
    )


def turn(group: Sequence[ScenarioFile], about_s: float) -> Turn:
    """The turn of a group that takes about so many seconds."""
    return Turn(names=tuple(one.scenario.alert for one in group), about_s=about_s)


def check_speed(speed: float) -> None:
    """Raises BadInput for one that no proof has."""
    if speed < 1:
        raise BadInput(f"--speed is {speed:g}, expected 1 or more.")


def instances_at_once(speed: float, groups: int) -> int:
    """As many as this machine carries at most."""
    by_memory = int(psutil.virtual_memory().available / INSTANCE_BYTES)
    by_cores = MOST - 1
    if speed > SLOW:
        by_cores = round(int(INSTANCES_PER_CORE * _cores()) * min(1.0, _quickness()))
    return max(1, min(groups, by_cores, by_memory))


def _quickness() -> float:
    """How quick this machine's cores are now, compared with those on which the number of instances
    was found."""
    tries, number = 25, 300
    took_s = statistics.median(timeit.repeat("sum(range(1000))", number=number, repeat=tries))
    return QUICK_S * number / took_s


def _cores() -> int:
    return os.cpu_count() or 1


def _end(done: Proof, errors: Sequence[BaseException]) -> int:
    if errors:
        raise errors[0]
    if done.interrupted:
        raise KeyboardInterrupt
    failed = {
        one.alert: one.verdict.reason for one in done.results if one.outcome is Outcome.FAILED
    }
    blocked = [one.alert for one in done.results if one.outcome is Outcome.BLOCKED]
    if failed:
        raise CheckFailed(
            "\n  ".join([f"not proven: {', '.join(failed)}.", *_reasons(failed)]),
            cure=f"See {done.short}.",
        )
    if blocked:
        raise HostCannot(f"blocked on this host: {', '.join(blocked)}.", cure=f"See {done.short}.")
    return 0


def _reasons(failed: Mapping[str, str]) -> list[str]:
    """Why, in a line for each alert: whoever wants nothing but results gets this one."""
    lines = [f"{alert}: {' '.join(why.split())}" for alert, why in failed.items()]
    return lines[:REASONS] + [f"… and {len(lines) - REASONS} more"] * (len(lines) > REASONS)


def perform(
    plan: Plan,
    folder: Path,
    stop: threading.Event,
    show: Display,
    *,
    config_root: Path,
    keep: bool = False,
    routing: Routing | None = None,
    play: Play = play,
) -> Workers:
    """Play all that is planned; the evidence goes to the folder.

    What came of it is in the workers that are returned. `routing` has the plan's routes, and `play`
    plays a group of it. Raises HostCannot when the folder cannot be written.
    """
    with written(folder):
        file = (folder / "evidence.jsonl").open("w")
    with file, show.shown(plan.words, **plan.figures):
        workers = Workers(speed=plan.speed, keep=keep, config_root=config_root, folder=folder,
                          file=file, tell=show.tell, stop=stop, routing=routing,
                          play=play)  # fmt: skip
        with _threads_that_end(workers.troubles.append):
            workers.run(plan.groups, plan.instances, plan.routes)
    return workers


@contextmanager
def ended_in_order(stop: threading.Event, tell: Callable[[str], None]) -> Iterator[None]:
    """A signal ends the proof in order: faults undone, instances down, report written."""

    def handle(number: signal.Signals) -> None:
        word = "still undoing faults" if stop.is_set() else "undoing faults"
        stop.set()
        tell(f"{number.name}: {word}, then the report …")

    with ended_by(handle):
        yield


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Raises HostCannot when the block cannot write to the folder."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise HostCannot(
            f"cannot write `{where}`: {error.strerror}.",
            cure="Make room there, or allow it, then play it again.",
        ) from None


@contextmanager
def _threads_that_end(tell: Callable[[str], None]) -> Iterator[None]:
    """Whatever ends a thread of the block, a fault's too, is told; nobody else would see it."""

    def ended(what: threading.ExceptHookArgs) -> None:
        name = what.thread.name if what.thread else "a thread"
        tell(f"thread `{name}` ended: {what.exc_type.__name__}: {what.exc_value}")

    before, threading.excepthook = threading.excepthook, ended
    try:
        yield
    finally:
        threading.excepthook = before
