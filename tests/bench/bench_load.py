"""Prints what the load generator can do, beside wrk and vegeta where they are installed.

    python -m tests.bench.bench_load [--seconds N]

- its rate against wrk's while the server is the limit, and its ceiling while the server is not;
- how well a rate is kept, and what it sees of a server that stalls, beside vegeta's figures;
- what two workers do beside one.

Rates are counted by the server, once all have begun. Server and generator
have a core each, but for two workers, which share with the server what cores there are. On a
machine where others work as well, what counts is how much of the time the server had something to
do (it ran, or waited for its core), and what the generator's rate comes to with a whole core.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil

from scenarios.capacity.window import percentile
from stack.paths import REPO
from tests.bench.load.servers import BUSY_S

WARM_S, TAIL_S = 4.0, 0.5
"""Before and after what is counted."""
CONNECTIONS = 16
RATE = 200
STALLED_RATE, STALLED_S = 100, 9.0
QUANTILES = (0.5, 0.9, 0.95, 0.99)
ROOM = 1.3
"""Arrivals offered to a server that can do no more, over what it can do with a core."""

CORES = sorted(psutil.Process().cpu_affinity() or range(psutil.cpu_count() or 1))


class Seen(threading.Thread):
    """How long a process ran and how long it waited for a core, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._file, self._over = Path(f"/proc/{pid}/schedstat"), threading.Event()
        self._looks: list[tuple[float, float, float]] = []
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.25):
            with suppress(OSError):
                ran_ns, waited_ns, _ = self._file.read_text().split()
                self._looks.append((time.monotonic(), int(ran_ns) / 1e9, int(waited_ns) / 1e9))

    def end(self) -> None:
        self._over.set()
        self.join()

    def shares(self, begin: float, end: float) -> tuple[float, float]:
        """Of that time: ran, and ran or waited."""
        looks = [one for one in self._looks if begin <= one[0] <= end]
        if len(looks) < 2:
            return 0.0, 0.0
        (first, ran, waited), (last, ran_too, waited_too) = looks[0], looks[-1]
        ran = (ran_too - ran) / (last - first)
        return ran, ran + (waited_too - waited) / (last - first)


@dataclass
class Server:
    """A server of `tests.bench.load.servers`, and when requests came, once it has ended."""

    url: str
    seen: Seen
    until: float = math.inf
    """When the generator ended, by `time.monotonic`."""
    generator: Seen | None = None
    came: list[float] = field(default_factory=list)

    def _window(self, seconds: float) -> tuple[float, float]:
        """At the end: all had begun by then. What was still queued then came later."""
        end = min(self.came[-1], self.until) - TAIL_S
        return end - seconds, end

    def busy(self, seconds: float) -> float:
        """Share of the time in which it had something to do."""
        return self.seen.shares(*self._window(seconds))[1] if self.came else 0.0

    def with_a_core(self, seconds: float) -> float:
        """Requests a second, had the generator had a whole core."""
        ran = self.generator.shares(*self._window(seconds))[0] if self.generator else 0.0
        return self.rate(seconds) / ran if ran else 0.0

    def rate(self, seconds: float) -> float:
        """Requests a second."""
        if not self.came:
            return 0.0
        begin, end = self._window(seconds)
        return sum(begin <= one < end for one in self.came) / seconds


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load.servers", kind], cwd=REPO, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert run.stdout
    psutil.Process(run.pid).cpu_affinity(CORES[:1])
    url = f"http://127.0.0.1:{run.stdout.readline().strip()}"
    server = Server(url=url, seen=Seen(run.pid))
    try:
        yield server
    finally:
        server.seen.end()
        run.send_signal(signal.SIGTERM)
        server.came = json.loads(run.communicate(timeout=60)[0] or "[]")


def locust(
    server: Server, users: int, seconds: float, *, pace_s: float = 0.0, took: str = "",
    processes: int = 1, spawn: int = 1000, pinned: bool = True,
) -> None:  # fmt: skip
    words = ["--processes", f"{processes}"] if processes > 1 else []
    run = subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", "tests/bench/load/asking.py", "--headless",
         "--only-summary", "--loglevel", "ERROR", "--host", server.url, "-u", f"{users}",
         "-r", f"{spawn}", "-t", f"{seconds + WARM_S:.0f}s", *words],
        cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "ASKING_PACE": f"{pace_s or ''}", "ASKING_TOOK": took},
    )  # fmt: skip
    if pinned:
        psutil.Process(run.pid).cpu_affinity(CORES[-1:])
    server.generator = Seen(run.pid)
    said = run.communicate()[1]
    server.until = time.monotonic()
    server.generator.end()
    if run.returncode not in (0, 1):
        sys.exit(f"locust failed:\n{said}")


def missing(name: str) -> bool:
    if shutil.which(name):
        return False
    print(f"  {name} is not installed: no figures beside it (Debian's package `{name}`)")
    return True


def wrk(kind: str, seconds: float) -> Server | None:
    """The server that it asked; None where there is no wrk."""
    if missing("wrk"):
        return None
    with serving(kind) as server:
        subprocess.run(
            ["taskset", "-c", f"{CORES[-1]}", "wrk", "-t1", f"-c{CONNECTIONS}",
             f"-d{seconds + WARM_S:.0f}s", server.url],
            check=True, capture_output=True,
        )  # fmt: skip
        server.until = time.monotonic()
    return server


def rates(seconds: float) -> None:
    print("server is the limit: 2 ms of CPU for each request, one after the other")
    beside = wrk("busy", seconds)

    def told(name: str, server: Server) -> None:
        rate, busy = server.rate(seconds), server.busy(seconds)
        than = ""
        if beside and beside is not server:
            than = (f"; of wrk's rate {rate / beside.rate(seconds):.3f}, of its time"
                    f" {busy / beside.busy(seconds):.3f} (goal 0.95)")  # fmt: skip
        print(
            f"  {name:18}{rate:8.0f}/s, the server had to do {100 * busy:.1f} % of the time{than}"
        )

    if beside:
        told("wrk", beside)
    with serving("busy") as server:
        locust(server, CONNECTIONS, seconds)
    told("people who wait", server)
    offered = round(ROOM / BUSY_S)
    with serving("busy") as server:
        locust(server, offered, seconds, pace_s=1.0)
    told(f"{offered} arrivals/s", server)


def ceiling(seconds: float) -> None:
    print("generator is the limit: the server answers at once")
    if beside := wrk("instant", seconds):
        print(f"  wrk               {beside.rate(seconds):8.0f}/s")
    with serving("instant") as server:
        locust(server, CONNECTIONS, seconds)
    waiting = server.with_a_core(seconds)
    print(f"  people who wait   {server.rate(seconds):8.0f}/s, {waiting:.0f}/s with a whole core")
    with serving("instant") as server:
        locust(server, round(waiting / 10), seconds, pace_s=0.1)
    print(f"  arrivals          {server.rate(seconds):8.0f}/s,"
          f" {server.with_a_core(seconds):.0f}/s with a whole core")  # fmt: skip


def kept(seconds: float) -> None:
    print(f"rate of {RATE}/s")
    with serving("instant") as server:
        locust(server, RATE, seconds, pace_s=1.0)
    found = server.rate(seconds)
    print(f"  counted {found:.2f}/s: off by {100 * abs(found / RATE - 1):.2f} % (goal 1 %)")


def stalls() -> None:
    print(f"server that is silent for 2 s, {STALLED_RATE}/s: from due to answered")
    with tempfile.TemporaryDirectory() as folder, serving("stalls") as server:
        file = Path(folder) / "took"
        locust(server, STALLED_RATE, STALLED_S + 2 - WARM_S, pace_s=1.0, took=str(file))
        ours = _of_those_due(json.loads(file.read_text()))
    _say("locust", ours)
    if missing("vegeta"):
        return
    with serving("stalls") as server:
        attack = subprocess.run(
            ["vegeta", "attack", f"-rate={STALLED_RATE}", f"-duration={STALLED_S + 2:.0f}s",
             "-max-workers=1000"],
            input=f"GET {server.url}/\n".encode(), capture_output=True, check=True,
        )  # fmt: skip
        said = subprocess.run(["vegeta", "encode", "-to", "json"], input=attack.stdout,
                              capture_output=True, check=True).stdout  # fmt: skip
    hits = [json.loads(line) for line in said.splitlines()]
    theirs = _of_those_due(
        [[datetime.fromisoformat(one["timestamp"][:26] + "+00:00").timestamp(),
          one["latency"] / 1e9] for one in hits]
    )  # fmt: skip
    _say("vegeta", theirs)
    quantiles = (0.9, 0.95, 0.99)
    off = max(abs(percentile(ours, of) / percentile(theirs, of) - 1) for of in quantiles)
    mean = abs(statistics.fmean(ours) / statistics.fmean(theirs) - 1)
    print(f"  mean off by {100 * mean:.1f} %, P90 to P99 by {100 * off:.1f} % at most (goal 5 %)")


def _of_those_due(hits: Sequence[Sequence[float]]) -> list[float]:
    """Seconds that those took, sorted, that were due in the first seconds after all had begun."""
    begin = min(due for due, _ in hits) + 1
    return sorted(took for due, took in hits if begin <= due < begin + STALLED_S)


def _say(name: str, took: Sequence[float]) -> None:
    shown = ", ".join(f"P{100 * of:g} {1000 * percentile(took, of):.0f} ms" for of in QUANTILES)
    print(f"  {name:8} {len(took):5} requests, mean {1000 * statistics.fmean(took):.0f} ms,"
          f" {shown}, most {1000 * took[-1]:.0f} ms")  # fmt: skip


def workers(seconds: float) -> None:
    print(f"workers, on {len(CORES)} cores that they share with the server")
    found = []
    for count in (1, 2):
        with serving("instant") as server:
            locust(server, CONNECTIONS * count, seconds, processes=count, pinned=False)
        found.append(server.rate(seconds))
        print(f"  {count}: {found[-1]:8.0f}/s")
    enough = "" if len(CORES) > 2 else "; two workers and a server want three cores"
    print(f"  two do {found[1] / found[0]:.2f} x (goal 1.8 where cores allow{enough})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="that each rate is counted for")
    options = parser.parse_args()
    rates(options.seconds)
    ceiling(options.seconds)
    kept(options.seconds)
    stalls()
    workers(options.seconds)


if __name__ == "__main__":
    main()
