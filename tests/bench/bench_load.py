"""Prints what the load generator can do, beside wrk and vegeta where they are installed.

    python -m tests.bench.bench_load [--seconds N]

- its rate against wrk's while the server is the limit, and its ceiling while the server is not;
- how well a rate is kept, and what it sees of a server that stalls, beside vegeta's figures;
- what two workers do beside one.

Rates are counted by the server, once all have begun. Server and generator
have a core each, but for two workers, which share with the server what cores there are.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from scenarios.capacity.window import percentile
from stack.paths import REPO

WARM_S, TAIL_S = 4.0, 0.5
"""Before and after what is counted."""
CONNECTIONS = 16
RATE = 200
STALLED_RATE = 100
QUANTILES = (0.5, 0.9, 0.95, 0.99)
ROOM = 1.3
"""Arrivals offered to a server that can do no more, over what it can do."""

CORES = sorted(psutil.Process().cpu_affinity() or range(psutil.cpu_count() or 1))


@dataclass
class Server:
    """A server of `tests.bench.load.servers`, and when requests came, once it has ended."""

    url: str
    came: list[float] = field(default_factory=list)

    def rate(self, seconds: float) -> float:
        """Requests a second, at the end: all had begun by then."""
        if not self.came:
            return 0.0
        end = self.came[-1] - TAIL_S
        return sum(end - seconds <= one < end for one in self.came) / seconds


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load.servers", kind], cwd=REPO, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert run.stdout
    psutil.Process(run.pid).cpu_affinity(CORES[:1])
    server = Server(url=f"http://127.0.0.1:{run.stdout.readline().strip()}")
    try:
        yield server
    finally:
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
    said = run.communicate()[1]
    if run.returncode not in (0, 1):
        sys.exit(f"locust failed:\n{said}")


def missing(name: str) -> bool:
    if shutil.which(name):
        return False
    print(f"  {name} is not installed: no figures beside it (Debian's package `{name}`)")
    return True


def wrk(kind: str, seconds: float) -> float | None:
    """Requests a second, counted by the server; None where there is no wrk."""
    if missing("wrk"):
        return None
    with serving(kind) as server:
        subprocess.run(
            ["taskset", "-c", f"{CORES[-1]}", "wrk", "-t1", f"-c{CONNECTIONS}",
             f"-d{seconds + WARM_S:.0f}s", server.url],
            check=True, capture_output=True,
        )  # fmt: skip
    return server.rate(seconds)


def against(what: float, beside: float | None, goal: str = "") -> str:
    return f"{what:8.0f}/s" + (f", {what / beside:.3f} of wrk's{goal}" if beside else "")


def rates(seconds: float) -> None:
    print("server is the limit (2 ms of CPU for each request)")
    beside = wrk("busy", seconds)
    if beside:
        print(f"  wrk              {beside:8.0f}/s")
    with serving("busy") as server:
        locust(server, CONNECTIONS, seconds)
    print(f"  people who wait  {against(server.rate(seconds), beside, ' (goal 0.95)')}")
    sources = round((beside or 450) * ROOM)
    with serving("busy") as server:
        locust(server, sources, seconds, pace_s=1.0)
    print(f"  arrivals, {sources}/s {against(server.rate(seconds), beside, ' (goal 0.95)')}")
    print("generator is the limit (the server answers at once)")
    beside = wrk("instant", seconds)
    if beside:
        print(f"  wrk              {beside:8.0f}/s")
    with serving("instant") as server:
        locust(server, CONNECTIONS, seconds)
    print(f"  people who wait  {against(server.rate(seconds), beside)}")
    ceiling = open_ceiling(seconds, server.rate(seconds))
    print(f"  arrivals         {against(ceiling, beside)}")


def open_ceiling(seconds: float, offered: float) -> float:
    """Of a rate that is above it."""
    with serving("instant") as server:
        locust(server, round(offered), seconds, pace_s=1.0)
    return server.rate(seconds)


def kept(seconds: float) -> None:
    print(f"rate of {RATE}/s")
    with serving("instant") as server:
        locust(server, RATE, seconds, pace_s=1.0)
    found = server.rate(seconds)
    print(f"  counted {found:.2f}/s: off by {100 * abs(found / RATE - 1):.2f} % (goal 1 %)")


def stalls() -> None:
    print(f"server that is silent for 2 s, {STALLED_RATE}/s for 10 s: from due to answered")
    with tempfile.TemporaryDirectory() as folder, serving("stalls") as server:
        file = Path(folder) / "took"
        locust(server, STALLED_RATE, 6, pace_s=1.0, took=str(file))
        ours = sorted(json.loads(file.read_text()))
    _say("locust", ours)
    if missing("vegeta"):
        return
    with serving("stalls") as server:
        attack = subprocess.run(
            ["vegeta", "attack", f"-rate={STALLED_RATE}", "-duration=10s", "-max-workers=1000"],
            input=f"GET {server.url}/\n".encode(), capture_output=True, check=True,
        )  # fmt: skip
        said = subprocess.run(["vegeta", "encode", "-to", "json"], input=attack.stdout,
                              capture_output=True, check=True).stdout  # fmt: skip
    theirs = sorted(json.loads(line)["latency"] / 1e9 for line in said.splitlines())
    _say("vegeta", theirs)
    late = [(percentile(ours, of), percentile(theirs, of)) for of in (0.9, 0.95, 0.99)]
    off = [abs(one / other - 1) for one, other in late]
    mean = abs(statistics.fmean(ours) / statistics.fmean(theirs) - 1)
    print(f"  mean off by {100 * mean:.1f} %, P90 to P99 by {100 * max(off):.1f} % at most"
          " (goal 5 %)")  # fmt: skip


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
    kept(options.seconds)
    stalls()
    workers(options.seconds)


if __name__ == "__main__":
    main()
