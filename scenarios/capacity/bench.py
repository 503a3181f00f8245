"""Measures a running instance under Locust's open arrivals: latencies, CPU, memory, the pool."""

import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from loadgen.arrivals import Books
from loadgen.traffic import PASSWORD
from scenarios.capacity.search import Died
from scenarios.capacity.window import LOGGED, OTHERS, STOLEN, Window
from stack import loopback
from stack.paths import REPO
from stack.run.instance import Instance

SCHEDULER = "backend"
RATE = "CAPACITY_RATE"
"""As in `scenarios.capacity.told`, which only locust may import."""
PACE_S, SPAWN_PER_S = 4.0, 1000.0

HEARD_WITHIN_S = 60.0
"""A locust that says nothing for so long is gone; it says something four times a second."""
DRAINED_WITHIN_S = 20.0
SAMPLE_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Report:
    """One line of locust's: totals, and what ended since the line before."""

    at: float
    """By the clock that all processes of a machine share (`time.perf_counter`)."""
    books: Books
    took: Mapping[str, list[float]]
    """Method and path → seconds of each."""
    failed: int


class Bench:
    """Of a running instance, under a locust of its own; to be closed."""

    def __init__(self, instance: Instance, folder: Path, *, waits: bool = False) -> None:
        """Locust's log goes to `folder`. With `waits`, what is settled for is not a rate of
        arrivals but a number of people who ask again as soon as they are answered."""
        self._instance = instance
        self._rate = folder / "rate"
        self._rate.write_text("0")
        self._asked, self._sources = 0.0, 1.0 if waits else PACE_S
        self._log = (folder / "locust.log").open("w")
        self._targets = instance.control_file("load")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
        environment[PASSWORD] = instance.layout.secret("scheduler_password").read_text().strip()
        environment[RATE] = str(self._rate)
        self._locust = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f",
             "loadgen/clinic.py,scenarios/capacity/told.py", "--headless", "--only-summary",
             "--loglevel", "WARNING", "--host", instance.url(SCHEDULER),
             *(["--pace", "0"] if waits else ["--open-pace", f"{PACE_S}"]),
             "--tell", str(self._targets)],
            cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._log, text=True, process_group=0,
        )  # fmt: skip
        self._reports: queue.Queue[Report | None] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._pid = instance.pid(SCHEDULER)
        self._last = self._next()
        self._http = loopback.client(instance.url(SCHEDULER))

    def __enter__(self) -> "Bench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._locust.terminate()
        try:
            self._locust.wait(10)
        except subprocess.TimeoutExpired:
            self._locust.kill()
            self._locust.wait()
        self._thread.join(10)
        if self._locust.stdout:
            self._locust.stdout.close()
        self._http.close()
        self._log.close()
        self._targets.unlink(missing_ok=True)

    def settle(self, rate: float, seconds: float) -> None:
        partial = self._rate.with_suffix(".part")
        partial.write_text(f"{rate}")
        partial.replace(self._rate)
        # Sources of arrivals come one after the other; only then there is what was asked for.
        coming_s = max(0.0, rate - self._asked) * self._sources / SPAWN_PER_S if seconds else 0.0
        self._asked = rate
        self._until(time.perf_counter() + coming_s + seconds)

    def drain(self) -> None:
        self.settle(0, 0)
        give_up = time.perf_counter() + DRAINED_WITHIN_S
        while self._last.books.in_flight > 1 and time.perf_counter() < give_up:
            self._last = self._next()

    def measure(self, seconds: float) -> Window:
        self._until(time.perf_counter())  # what was said meanwhile is of before
        begun, took, failed = self._last, dict[str, list[float]](), 0
        usage = Usage(self._instance, self._locust.pid)
        pool: list[Mapping[str, float]] = []
        sampled = 0.0
        while self._last.at < begun.at + seconds:
            if time.perf_counter() > sampled + SAMPLE_EVERY_S:
                sampled = time.perf_counter()
                with suppress(httpx.HTTPError, ValueError):
                    pool.append(_pool(self._http.get("/metrics").text))
            self._last = self._next()
            for name, seconds_each in self._last.took.items():
                took.setdefault(name, []).extend(seconds_each)
            failed += self._last.failed
        of, ended = begun.books, self._last.books
        used, figures = usage.since()
        return Window(
            seconds=self._last.at - begun.at,
            offered=ended.offered - of.offered,
            dropped=ended.dropped - of.dropped,
            late=ended.late - of.late,
            by_name=took,
            failed=failed,
            in_flight=(of.in_flight, ended.in_flight),
            usage={**used, "database pool": _waits(pool)},
            figures={**figures, **_means(pool)},
        )

    def _until(self, at: float) -> None:
        while self._last.at < at:
            self._last = self._next()

    def _next(self) -> Report:
        """Raises Died."""
        try:
            found = self._reports.get(timeout=HEARD_WITHIN_S)
        except queue.Empty:
            found = None
        if found is None:
            raise Died("the load generator died; its log is in the report's folder")
        if not self._reports.qsize() and self._instance.pid(SCHEDULER) != self._pid:
            raise Died("the scheduler died under the load")
        return found

    def _listen(self) -> None:
        for line in self._locust.stdout or ():
            if line.startswith("{"):
                said: dict[str, Any] = json.loads(line)
                self._reports.put(Report(at=said["at"], books=Books(**said["books"]),
                                         took=said["took"], failed=said["failed"]))  # fmt: skip
        self._reports.put(None)


def calibrated() -> float:
    """Seconds that a piece of work takes on a core of this machine right now, the best of some: for
    when nothing else runs, and figures of two times are compared."""

    def once() -> float:
        begun = time.perf_counter()
        sum(range(1_000_000))
        return time.perf_counter() - begun

    return min(once() for _ in range(15))


class Usage:
    """CPU and memory of an instance's processes, of the generator and of the machine, from now."""

    def __init__(self, instance: Instance, generator: int) -> None:
        self._instance, self._generator = instance, generator
        self._at = time.perf_counter()
        self._log = _size(instance.layout.log(SCHEDULER))
        self._machine = psutil.cpu_times()
        self._before = self._now()

    def since(self) -> tuple[dict[str, float], dict[str, float]]:
        """Share in use of what each can have (a core for a process that has one thread of work, all
        cores for PostgreSQL), and figures."""
        seconds = time.perf_counter() - self._at
        cores = psutil.cpu_count() or 1
        usage, figures = dict[str, float](), dict[str, float]()
        ours = 0.0
        for name, (cpu_s, memory) in self._now().items():
            spent = max(0.0, cpu_s - self._before.get(name, (cpu_s, 0))[0]) / seconds
            ours += spent
            figures[f"cores of {name}"] = spent
            figures[f"memory of {name}"] = memory
            if name in (SCHEDULER, "generator", "postgresql", "database-link"):
                have = {"postgresql": cores, SCHEDULER: self._instance.layout.backends}.get(name, 1)
                usage["generator CPU" if name == "generator" else f"CPU of {name}"] = spent / have
        after = psutil.cpu_times()
        busy = _busy(self._machine, after)
        usage["machine"] = busy
        figures[OTHERS] = max(0.0, busy * cores - ours)
        figures[STOLEN] = (
            getattr(after, "steal", 0) - getattr(self._machine, "steal", 0)
        ) / seconds
        if (grown := _size(self._instance.layout.log(SCHEDULER)) - self._log) >= 0:  # not rotated
            figures[LOGGED] = grown / seconds
        return usage, figures

    def _now(self) -> dict[str, tuple[float, float]]:
        """Name → seconds of CPU so far and bytes of memory, with all that it started."""
        pids = {name: state.pid for name, state in self._instance.supervisor.states().items()}
        found = {}
        for name, pid in {**pids, "generator": self._generator}.items():
            if pid:
                with suppress(psutil.NoSuchProcess):
                    found[name] = _of_all(psutil.Process(pid))
        return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _of_all(process: psutil.Process) -> tuple[float, float]:
    cpu_s = memory = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            cpu_s += times.user + times.system
            memory += one.memory_info().rss
    # A child that ended has handed on what it used.
    waited = process.cpu_times()
    return cpu_s + waited.children_user + waited.children_system, memory


def _busy(before: Any, after: Any) -> float:
    """Share of the machine's CPU that was in use."""
    total = sum(after) - sum(before)
    idle = after.idle + after.iowait - before.idle - before.iowait
    return min(1.0, max(0.0, 1 - idle / total)) if total > 0 else 0.0


def _pool(text: str) -> Mapping[str, float]:
    """Connections of the scheduler's pool, and requests that wait for one."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "db_pool_connections":
                found[f"connections {sample.labels['state']}"] = sample.value
            elif sample.name == "db_pool_requests_waiting":
                found["requests waiting for a connection"] = sample.value
    return found


def _waits(samples: list[Mapping[str, float]]) -> float:
    """Share of the samples in which somebody waited for a connection."""
    waiting = [one.get("requests waiting for a connection", 0) > 0 for one in samples]
    return statistics.fmean(waiting) if waiting else 0.0


def _means(samples: list[Mapping[str, float]]) -> dict[str, float]:
    names = {name for one in samples for name in one}
    return {name: statistics.fmean(one.get(name, 0) for one in samples) for name in sorted(names)}
