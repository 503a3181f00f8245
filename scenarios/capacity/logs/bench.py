"""Measures a pair under lines that are written at a rate: how long they take, and what is full."""

import json
import queue
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

import psutil

from loadgen.loglines import Figures
from scenarios.capacity.logs.pair import Pair
from scenarios.capacity.logs.watch import Watch, behind, waits
from scenarios.capacity.search import Died
from scenarios.capacity.window import OTHERS, Window, percentile
from stack.paths import REPO

HEARD_WITHIN_S = 30.0
"""A writer that says nothing for so long is gone; it says something four times a second."""

DRAINED_WITHIN_S = 90.0

SENT, DROPPED = "promtail_sent_entries_total", "promtail_dropped_entries_total"
PUSHING = "promtail_request_duration_seconds_sum"
GENERATOR = "generator CPU"


class Bench:
    """Of a pair that runs alone, under a writer of its own; to be closed."""

    def __init__(self, pair: Pair, sample: Path, folder: Path) -> None:
        self._pair = pair
        self._rate = folder / "rate"
        self._rate.write_text("0")
        self._log = (folder / "writer.log").open("w")
        self._writer = subprocess.Popen(
            [sys.executable, "-m", "loadgen.loglines", "--to", str(pair.log),
             "--sample", str(sample), "--rate", str(self._rate)],
            cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log,
            text=True, process_group=0,
        )  # fmt: skip
        self._reports: queue.Queue[Figures | None] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._watch = Watch(pair.newest)
        self._last = self._next()
        self._watch.__enter__()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._watch.__exit__()
        self._writer.terminate()
        try:
            self._writer.wait(10)
        except subprocess.TimeoutExpired:
            self._writer.kill()
            self._writer.wait()
        self._thread.join(10)
        if self._writer.stdout:
            self._writer.stdout.close()
        self._log.close()

    @property
    def written(self) -> Figures:
        """All that was, until now."""
        return self._last

    def settle(self, rate: float, seconds: float) -> None:
        partial = self._rate.with_suffix(".part")
        partial.write_text(f"{rate}")
        partial.replace(self._rate)
        self._until(time.time() + seconds)

    def drain(self) -> None:
        """Until the last line can be queried, or nothing more comes."""
        self.settle(0, 0.5)
        give_up = time.time() + DRAINED_WITHIN_S
        while time.time() < give_up:
            self._last = self._next()
            look = self._watch.last
            if look and look.newest >= self._last.newest - 0.001:
                return

    def measure(self, seconds: float) -> Window:
        self._until(time.time())
        begun = self._last
        usage = Usage(self._pair, self._writer.pid)
        while self._last.at < begun.at + seconds:
            self._last = self._next()
        ended = self._last
        used, figures = usage.since()
        looks = self._watch.between(begun.at, ended.at)
        took = waits(looks)
        written = ended.lines - begun.lines
        per_s = (ended.size_bytes - begun.size_bytes) / max(1e-9, ended.at - begun.at)
        lost = figures["lines dropped"]
        if per_s:
            figures["lag by the shipper's own figures"] = figures.pop("unread bytes") / per_s
        return Window(
            seconds=ended.at - begun.at,
            offered=written,
            dropped=0,
            late=ended.late - begun.late,
            by_name={"line": took},
            failed=min(len(took), round(lost / max(1, written) * len(took))),
            in_flight=(behind(looks, begun.at + 1), behind(looks, ended.at)),
            usage=used,
            figures={
                "bytes/s written": per_s,
                "lag": looks[-1].lag_s if looks else 0.0,
                "lag P50": percentile(took, 0.5),
                "query for the newest line": percentile(sorted(one.took_s for one in looks), 0.5),
                **figures,
            },
        )

    def _until(self, at: float) -> None:
        while self._last.at < at:
            self._last = self._next()

    def _next(self) -> Figures:
        """Raises Died."""
        try:
            found = self._reports.get(timeout=HEARD_WITHIN_S)
        except queue.Empty:
            found = None
        if found is None:
            raise Died("who writes the lines died; its log is in the report's folder")
        if found.trouble:
            raise Died(found.trouble)
        if not self._reports.qsize():
            self._pair.check()
        return found

    def _listen(self) -> None:
        for line in self._writer.stdout or ():
            with suppress(ValueError, TypeError):
                self._reports.put(Figures(**json.loads(line)))
        self._reports.put(None)


@dataclass(frozen=True, kw_only=True)
class _Now:
    at: float
    cpu_s: Mapping[str, float]
    memory: Mapping[str, float]
    machine: Any
    disk_ms: float
    said: Mapping[str, float]


class Usage:
    """CPU, memory and disk of a pair, of who writes and of the machine, from now on."""

    def __init__(self, pair: Pair, writer: int) -> None:
        self._pair, self._writer = pair, writer
        self._disk = _disk(pair.data)
        self._before = self._now()

    def since(self) -> tuple[dict[str, float], dict[str, float]]:
        """Share in use of what each can have, and figures."""
        before, now = self._before, self._now()
        seconds = now.at - before.at
        cores = psutil.cpu_count() or 1
        usage, figures = dict[str, float](), dict[str, float]()
        ours = 0.0
        for name, cpu_s in now.cpu_s.items():
            spent = max(0.0, cpu_s - before.cpu_s.get(name, cpu_s)) / seconds
            ours += spent
            figures[f"cores of {name}"] = spent
            figures[f"memory of {name}"] = now.memory[name]
            have = self._pair.cores.get(name, 1)
            usage[f"CPU of {name}" if name in self._pair.cores else GENERATOR] = spent / have

        def more(name: str) -> float:
            return max(0.0, now.said.get(name, 0.0) - before.said.get(name, 0.0))

        usage["store's answers"] = more(PUSHING) / seconds
        if self._disk:
            usage["disk"] = min(1.0, (now.disk_ms - before.disk_ms) / 1000 / seconds)
        total = sum(now.machine) - sum(before.machine)
        idle = now.machine.idle + now.machine.iowait - before.machine.idle - before.machine.iowait
        usage["machine"] = min(1.0, max(0.0, 1 - idle / total)) if total > 0 else 0.0
        figures[OTHERS] = max(0.0, usage["machine"] * cores - ours)
        figures["lines/s stored"] = more(SENT) / seconds
        figures["lines dropped"] = more(DROPPED)
        figures["unread bytes"] = 0.0
        with suppress(OSError, ValueError):
            figures["unread bytes"] = self._pair.unread_bytes()
        return usage, figures

    def _now(self) -> _Now:
        cpu_s, memory = {}, {}
        for name, pid in {**self._pair.processes(), "writer": self._writer}.items():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                times = process.cpu_times()
                cpu_s[name] = times.user + times.system
                memory[name] = float(process.memory_info().rss)
        return _Now(
            at=time.perf_counter(), cpu_s=cpu_s, memory=memory, machine=psutil.cpu_times(),
            disk_ms=_busy_ms(self._disk), said=self._pair.figures(),
        )  # fmt: skip


def _disk(folder: Path) -> str:
    """The name of the device that a folder lies on; empty where there is none to be seen."""
    device = folder.stat().st_dev
    link = Path(f"/sys/dev/block/{device >> 8 & 0xFFF}:{device & 0xFF}")
    return link.resolve().name if link.exists() else ""


def _busy_ms(disk: str) -> float:
    found = psutil.disk_io_counters(perdisk=True) or {}
    return float(getattr(found.get(disk), "busy_time", 0.0))
