"""Measures one size after the other, then one that was predicted, and writes what came of it."""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time

import psutil

from loadgen.fleet import process
from loadgen.fleet.roster import Plan
from scenarios.capacity.answer import Machine
from scenarios.capacity.metrics import clinic, receiver, report
from scenarios.capacity.metrics.answer import Answer, Asked, Found
from scenarios.capacity.metrics.bench import Bench, Dwell
from scenarios.capacity.metrics.monitor import Died
from scenarios.capacity.metrics.sizes import Size
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.reports import KEPT, new_folder, prune, reports_dir
from stack import progress
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.remote import VICTORIA, RemoteWrite

KIND = "capacity-metrics-"
"""How folders of these reports begin."""

OWN = "capacity-metrics"
"""The instance that is made for it, and wiped."""

SPARE = 0.8
"""Share of the memory that a size which is only predicted may be expected to take."""

OVER = 1.3
"""So many times the samples that it is predicted to take, it is asked for at the wall."""

_LEAST_INTERVAL_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks."""

    size: int = 50
    """Schedulers of the smallest fleet."""
    steps: int = 3
    """Sizes: once, twice, three times … that."""
    repeats: int = 2
    """Times that these sizes are measured."""
    reach: int = 10
    """The size that is predicted, as so many times the smallest; 0 for none."""
    wall: bool = False
    """Whether to look for the wall."""
    interval_s: float = 5.0
    rate: float = 2.0
    """Events a second of each scheduler."""
    churn_instances: float = 0.0
    """Share of the schedulers that are replaced in an hour."""
    churn_labels: float = 0.0
    """Share of their label values that are replaced in an hour."""
    remote_write: bool = False
    seed: int = 1
    dwell: Dwell = Dwell()  # noqa: RUF009  # nobody changes it

    def fleet(self, targets: int) -> Plan:
        return Plan(
            targets=targets, rate=self.rate, churn_instances=self.churn_instances,
            churn_labels=self.churn_labels, seed=self.seed,
        )  # fmt: skip

    @property
    def largest(self) -> int:
        """Schedulers of the largest fleet that is certain to be asked for."""
        return self.size * max(self.steps, self.reach)


def metrics(wish: Wish, reports: Path | None = None, keep: int = KEPT) -> None:
    """Measure it and write the report.

    Raises BadInput and HostCannot for a fleet that cannot be, HostCannot when the instance cannot
    come up, CheckFailed when it ended early or something was lost; and KeyboardInterrupt, once the
    report of what there is has been written.
    """
    _check(wish)
    machine, room = Machine.here(), reports or reports_dir()
    with new_folder(room, KIND) as folder:
        answer, interrupted = _measured(wish, machine, folder)
        file = report.write(answer, folder)
    prune(room, keep, KIND)
    report.tell(answer, file)
    if interrupted:
        raise KeyboardInterrupt
    if answer.shortcomings:
        raise CheckFailed(f"{'; '.join(answer.shortcomings)}.")


def _check(wish: Wish) -> None:
    if wish.largest > process.MOST:
        raise BadInput(
            f"{wish.size} schedulers {max(wish.steps, wish.reach)} times are {wish.largest}; a"
            f" fleet has {process.MOST} at most.",
            cure="Choose a smaller --size, or a smaller --reach.",
        )
    process.check(wish.fleet(wish.largest))


def _measured(wish: Wish, machine: Machine, folder: Path) -> tuple[Answer, bool]:
    started, begun, found = time(), monotonic(), Found()
    what = versions = ""
    interrupted = False
    try:
        remote = RemoteWrite(to=VICTORIA if wish.remote_write else "")
        with ended_by(as_interrupt()):
            _say(f"starting instance `{OWN}` …")
            with running(OWN, speed=1.0, remote_write=remote) as instance:
                what = f"Instance `{instance.name}`, {instance.hash[:12]}"
                versions = _versions(instance)
                with _ends(found):
                    _Run(wish, instance, folder, found).all()
    except KeyboardInterrupt:
        if not what:
            raise
        interrupted, found.ended = True, "it was interrupted"
    dwell = wish.dwell
    asked = Asked(
        size=wish.size, steps=wish.steps, reach=wish.reach, interval_s=wish.interval_s,
        rate=wish.rate, churn_instances=wish.churn_instances, churn_labels=wish.churn_labels,
        seed=wish.seed, settle_s=dwell.settle_s, window_s=dwell.window_s, windows=dwell.windows,
        repeats=wish.repeats, remote_write=wish.remote_write,
    )  # fmt: skip
    answer = Answer(
        asked=asked, found=found, machine=machine, versions=versions, instance=what,
        started=started, took_s=monotonic() - begun,
    )  # fmt: skip
    return answer, interrupted


@contextmanager
def _ends(found: Found) -> Iterator[None]:
    """What ends it early goes into the report, with what there is."""
    try:
        yield
    except Died as death:
        found.ended = str(death)
    except HostCannot as error:
        found.ended = error.what.rstrip(".")


class _Run:
    """One run, part by part."""

    def __init__(self, wish: Wish, instance: Instance, folder: Path, found: Found) -> None:
        self._wish, self._instance, self._folder, self._found = wish, instance, folder, found
        self._bench = Bench(
            layout=instance.layout, shape=folder / "scheduler.txt",
            folder=instance.directory / "measured", interval_s=wish.interval_s, dwell=wish.dwell,
        )  # fmt: skip

    def all(self) -> None:
        """Raises Died and HostCannot."""
        with clinic.traffic(self._instance, self._folder / "locust.log"):
            text = clinic.shape(self._instance)
            self._bench.shape.write_text(text)
            self._found.series_each = sum(
                bool(line.strip()) and not line.startswith("#") for line in text.splitlines()
            )
            _say(f"a scheduler has {self._found.series_each} series")
            if self._wish.remote_write:
                self._found.compared = receiver.compare(self._instance, _say)
                _say(report.kept_line(self._found.compared))
        if self._wish.remote_write:
            self._cost()
        self._instance.take_down()
        self._found.available_bytes = float(psutil.virtual_memory().available)
        for _ in range(self._wish.repeats):
            for times in range(1, self._wish.steps + 1):
                self._size(self._wish.size * times)
        if self._wish.reach > self._wish.steps:
            self._reach()
        if self._wish.wall:
            self._wall()

    def _cost(self) -> None:
        targets = self._wish.size * min(2, self._wish.steps)
        _say(f"remote write: two Prometheus, {targets} schedulers each …")
        url = f"{self._instance.url(VICTORIA)}/api/v1/write"
        self._found.cost = self._bench.side_by_side(self._wish.fleet(targets), url)
        for what, one in zip(("without", "with"), self._found.cost, strict=True):
            _say(f"{what}: {report.line(one)}")

    def _size(self, targets: int) -> None:
        there = len(self._found.sizes)

        def tell(size: Size) -> None:
            self._found.sizes[there:] = [size]

        size = self._bench.measure(self._wish.fleet(targets), tell)
        tell(size)
        _say(report.line(size))

    def _reach(self) -> None:
        targets = self._wish.size * self._wish.reach
        if why := self._beyond(targets):
            self._found.notes.append(f"{targets} schedulers were not tried: {why}.")
            return
        self._found.reached = self._bench.measure(self._wish.fleet(targets), self._told)
        _say(report.line(self._found.reached))

    def _told(self, size: Size) -> None:
        self._found.reached = size

    def _beyond(self, targets: int) -> str:
        """Why so many would not fit this machine, in words."""
        answer = self._so_far()
        series = float(targets * self._found.series_each)
        if answer.peak and (need := answer.peak.at(series)) > SPARE * self._found.available_bytes:
            return (f"they would take {need / 1e9:.1f} GB, and"
                    f" {self._found.available_bytes / 1e9:.1f} are there")  # fmt: skip
        if answer.cores:
            need = answer.cores.at(series / self._wish.interval_s)
            if need > (psutil.cpu_count() or 1):
                return f"they would take {need:.1f} cores, more than there are"
        return _no_room(self._bench, series, self._wish)

    def _wall(self) -> None:
        """Ask for more than its CPU is predicted to take; what it takes then is the wall."""
        answer, each = self._so_far(), self._found.series_each
        if math.isinf(answer.cpu_wall) or not each:
            self._found.notes.append("Where the wall lies is not known, so it was not looked for.")
            return
        targets = max(1, min(process.MOST, int(SPARE * answer.memory_wall / each)))
        interval_s = targets * each / (OVER * answer.cpu_wall)
        if not _LEAST_INTERVAL_S <= interval_s <= self._wish.interval_s:
            self._found.notes.append(
                f"The wall at {answer.cpu_wall:,.0f} samples/s was not tried: {targets} schedulers"
                f" would be scraped every {interval_s:.2g} s."
            )
            return
        self._found.wall_interval_s = interval_s
        _say(f"the wall: {targets} schedulers every {interval_s:.2f} s …")

        def tell(size: Size) -> None:
            self._found.wall = size

        try:
            bench = replace(self._bench, interval_s=interval_s, stores=False)
            tell(bench.measure(self._wish.fleet(targets), tell))
        except Died as death:
            self._found.notes.append(f"At the wall: {death}.")
            return
        if self._found.wall:
            _say(report.line(self._found.wall))

    def _so_far(self) -> Answer:
        return Answer(
            asked=Asked(
                size=0, steps=0, reach=0, interval_s=self._wish.interval_s, rate=0,
                churn_instances=0, churn_labels=0, seed=0, settle_s=0, window_s=0, windows=0,
                repeats=0, remote_write=False,
            ),
            found=self._found, machine=Machine.here(), versions="", instance="", started=0,
            took_s=0,
        )  # fmt: skip


def _no_room(bench: Bench, series: float, wish: Wish) -> str:
    """Why the disk is too small for so many series, in words: some bytes of WAL a sample, twice."""
    bench.folder.mkdir(parents=True, exist_ok=True)
    samples = series / wish.interval_s * (wish.dwell.seconds + 120)
    need, free = 40 * samples + 2000 * series, shutil.disk_usage(bench.folder).free
    return f"they may take {need / 1e9:.1f} GB of disk, and {free / 1e9:.1f} are free" \
        if need > free else ""  # fmt: skip


def _versions(instance: Instance) -> str:
    """Of what is measured."""
    named = [path.name.partition("-")[2] for name, path in sorted(instance.layout.packages.items())
             if name in ("prometheus", VICTORIA)]  # fmt: skip
    return ", ".join(named)


def _say(words: str) -> None:
    if progress.chosen() is not progress.Way.QUIET:
        print(words, flush=True)
