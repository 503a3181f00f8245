"""Measures a Prometheus under a fleet of one size: begun anew, steady, as a block, read again."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from loadgen.fleet.process import Fleet
from loadgen.fleet.roster import Plan as FleetPlan
from scenarios.capacity.metrics.monitor import JOB, Died, Monitor
from scenarios.capacity.metrics.sizes import Size, Storage, Window
from stack.run.service import Layout

LATER = 6
"""Scrapes between two looks at the disk."""

_SAMPLE_EVERY_S = 0.5
_FULL_WITHIN_S = 120.0
"""Prometheus hears of targets every five seconds, and scrapes each within an interval."""

_APPENDED = "prometheus_tsdb_head_samples_appended_total"
_SERIES = "prometheus_tsdb_head_series"
_RULES = "prometheus_rule_group_last_duration_seconds"
_UNWRITTEN = "prometheus_tsdb_wal_writes_failed_total"
_LEFT_OUT = "prometheus_rule_group_iterations_missed_total"


@dataclass(frozen=True, kw_only=True)
class Dwell:
    """How long a size is looked at."""

    settle_s: float = 45.0
    """Once all targets are scraped: until the heap has the size that it keeps."""
    window_s: float = 20.0
    windows: int = 2

    @property
    def seconds(self) -> float:
        return self.settle_s + self.window_s * self.windows


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where, with what and for how long."""

    layout: Layout
    """Of the instance whose program, rules and flags are measured."""
    shape: Path
    """What a real scheduler answered."""
    folder: Path
    """Data of what is measured; empty again after each size."""
    interval_s: float
    dwell: Dwell = field(default_factory=Dwell)
    stores: bool = True
    """Whether to look at the disk, and start it again, at the end."""

    def measure(self, fleet: FleetPlan, tell: Callable[[Size], None] = lambda size: None) -> Size:
        """A Prometheus that begins with nothing and scrapes that fleet; `tell` is given what there
        is after each window. Raises Died, and what starting raises."""
        with self._fleet(fleet) as served, self._monitor("one") as monitor:
            filled(monitor, fleet.targets)
            settle([monitor], self.dwell.settle_s)
            windows: list[Window] = []
            for _ in range(self.dwell.windows):
                windows += watch([monitor], served, self.dwell.window_s)
                tell(Size(targets=fleet.targets, windows=windows))
            storage = self._stored(monitor) if self.stores else None
            return Size(targets=fleet.targets, windows=windows, storage=storage)

    def side_by_side(self, fleet: FleetPlan, receiver: str) -> tuple[Size, Size]:
        """Two that scrape the same fleet at the same time: one alone, one that also writes to the
        receiver."""
        with (
            self._fleet(fleet) as served,
            self._monitor("without") as alone,
            self._monitor("with", receiver) as writing,
        ):
            both = [alone, writing]
            for one in both:
                filled(one, fleet.targets)
            settle(both, self.dwell.settle_s)
            rounds = [watch(both, served, self.dwell.window_s) for _ in range(self.dwell.windows)]
            without, with_ = zip(*rounds, strict=True)
            return (Size(targets=fleet.targets, windows=without),
                    Size(targets=fleet.targets, windows=with_))  # fmt: skip

    def _stored(self, monitor: Monitor) -> Storage:
        block = monitor.block()
        settle([monitor], LATER * self.interval_s)
        later = monitor.block()
        samples = monitor.metrics().get(_APPENDED, 0.0)
        monitor.stop()
        wal = monitor.wal_bytes()
        restart_s = monitor.start()
        return Storage(
            wal_bytes=wal, wal_samples=samples, restart_s=restart_s, block_samples=block.samples,
            block_series=block.series, chunk_bytes=block.chunk_bytes, index_bytes=block.index_bytes,
            later_samples=later.samples, later_chunk_bytes=later.chunk_bytes,
        )  # fmt: skip

    @contextmanager
    def _fleet(self, plan: FleetPlan) -> Iterator[Fleet]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with Fleet(plan, self.shape, self._targets, self.folder / "fleet.log") as fleet:
            yield fleet

    @contextmanager
    def _monitor(self, name: str, receiver: str = "") -> Iterator[Monitor]:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with Monitor(self.layout, folder, self._targets, interval_s=self.interval_s,
                         remote_write=receiver) as monitor:  # fmt: skip
                yield monitor
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _targets(self) -> Path:
        return self.folder / "targets.json"


def filled(monitor: Monitor, targets: int) -> None:
    """Returns once all of them were scraped. Raises Died when that does not happen."""
    give_up = time.monotonic() + _FULL_WITHIN_S
    while (up := monitor.number(f'count(up{{job="{JOB}"}} == 1)')) < targets:
        if time.monotonic() > give_up:
            raise Died(f"only {up:.0f} of {targets} targets were scraped within"
                       f" {_FULL_WITHIN_S:g} s: Prometheus is beyond what it can do")  # fmt: skip
        time.sleep(_SAMPLE_EVERY_S)


def settle(monitors: Sequence[Monitor], seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for monitor in monitors:
            monitor.check()
        time.sleep(min(left, _SAMPLE_EVERY_S))


def watch(monitors: Sequence[Monitor], fleet: Fleet, seconds: float) -> list[Window]:
    """A window of each, over the same seconds. Raises Died."""
    began = time.perf_counter()
    machine = psutil.cpu_times()
    before = [_Begun.of(monitor) for monitor in monitors]
    fleet_s = _cpu_s(fleet.process)
    resident: list[list[int]] = [[] for _ in monitors]
    while time.perf_counter() < began + seconds:
        for monitor, seen in zip(monitors, resident, strict=True):
            monitor.check()
            with suppress(psutil.NoSuchProcess):
                seen.append(monitor.process.memory_info().rss)
        if not fleet.alive:
            raise Died("the fleet of synthetic schedulers ended by itself")
        time.sleep(_SAMPLE_EVERY_S)
    took = time.perf_counter() - began
    after = [_Begun.of(monitor) for monitor in monitors]
    fleet_cores = (_cpu_s(fleet.process) - fleet_s) / took
    cores = [(now.cpu_s - then.cpu_s) / took for then, now in zip(before, after, strict=True)]
    others = max(0.0, _busy_cores(machine, psutil.cpu_times(), took) - fleet_cores - sum(cores))
    return [
        _window(monitor, then, now, seen, took, used, fleet_cores, others)
        for monitor, then, now, seen, used in zip(
            monitors, before, after, resident, cores, strict=True
        )
    ]


def _window(
    monitor: Monitor, before: "_Begun", after: "_Begun", resident: Sequence[int], took: float,
    cores: float, fleet_cores: float, others: float,
) -> Window:  # fmt: skip
    def grown(name: str) -> float:
        return after.metrics.get(name, 0.0) - before.metrics.get(name, 0.0)

    if grown(_UNWRITTEN):
        raise Died(f"Prometheus cannot write what it scrapes: {monitor.trouble()}")
    of = f'scrape_duration_seconds{{job="{JOB}"}}'
    down = monitor.number(f'sum(1 - avg_over_time(up{{job="{JOB}"}}[{round(took)}s]))')
    return Window(
        seconds=took,
        samples_per_s=grown(_APPENDED) / took,
        series=after.metrics.get(_SERIES, 0.0),
        scrape_s=monitor.number(f"quantile(0.5, {of})"),
        slowest_scrape_s=monitor.number(f"max({of})"),
        rules_s=after.metrics.get(_RULES, 0.0),
        cores=cores,
        memory_bytes=sum(resident) / max(1, len(resident)),
        peak_bytes=max(resident, default=0),
        fleet_cores=fleet_cores,
        other_cores=others,
        missed=max(0.0, down) + grown(_LEFT_OUT),
    )


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """What a window begins, or ends, with."""

    metrics: Mapping[str, float]
    cpu_s: float

    @classmethod
    def of(cls, monitor: Monitor) -> "_Begun":
        return cls(metrics=monitor.metrics(), cpu_s=_cpu_s(monitor.process))


def _cpu_s(process: psutil.Process) -> float:
    """Seconds of CPU so far. Raises Died for one that is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        raise Died("what is measured ended by itself") from None
    return float(times.user + times.system)


def _busy_cores(before: object, after: object, seconds: float) -> float:
    """Cores of the machine that were in use."""
    busy = {
        name: getattr(after, name) - getattr(before, name)
        for name in after._fields  # type: ignore[attr-defined]  # a named tuple of psutil's
        if name not in ("idle", "iowait", "guest", "guest_nice")
    }
    return float(sum(busy.values())) / seconds
