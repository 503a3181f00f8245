"""Prints what a request costs at the scheduler, and at a plain handler with the same SQL.

    python -m tests.bench.bench_scheduler [--requests N] [--rounds N]

Both over one PostgreSQL, asked in short turns over one kept connection each, so that a machine that
is slower for a second is so for both; the median of the turns' ratios counts. Goal: no slower, and
at most 1.25 times the CPU.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil

from stack.programs.scheduler import seed
from tests.programs.scheduler.conftest import PASSWORD, free_port, server, settings
from tests.waiting import eventually

QUERY = {"start": "2026-01-05", "end": "2026-01-11", "person_id": "7"}
PATH = "/api/v1/schedule"


class Served:
    """One of the two, with a connection to it."""

    def __init__(self, process: psutil.Process, client: httpx.Client) -> None:
        self.process, self.client = process, client

    def round(self, requests: int) -> tuple[float, float]:
        """Median milliseconds of a request as its client sees it, and those of CPU of each."""
        before, took = self._cpu_s(), []
        for _ in range(requests):
            began = time.perf_counter()
            self.client.get(PATH, params=QUERY).raise_for_status()
            took.append(time.perf_counter() - began)
        return 1000 * statistics.median(took), 1000 * (self._cpu_s() - before) / requests

    def _cpu_s(self) -> float:
        """By the kernel's scheduler, in nanoseconds: what `/proc/PID/stat` has is in hundredths."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def served(module: str, arguments: list[str], url: str, port: int) -> Iterator[Served]:
    environment = {**os.environ, "DATABASE_URL": url, "SCHEDULER_PASSWORD": PASSWORD}
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

            def answers() -> bool:
                assert process.poll() is None
                try:
                    return client.get(PATH, params=QUERY).status_code in (200, 401)
                except httpx.TransportError:
                    return False

            eventually(answers)
            yield Served(psutil.Process(process.pid), client)
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=25, help="of a round")
    parser.add_argument("--rounds", type=int, default=150)
    options = parser.parse_args()
    ours_port, plain_port = free_port(), free_port()
    with ExitStack() as stack:
        database = stack.enter_context(server())
        url = database.create()
        seed.seed(settings(url))
        ours = stack.enter_context(served("stack.programs.scheduler", ["--port", f"{ours_port}"],
                                          url, ours_port))  # fmt: skip
        plain = stack.enter_context(served("tests.bench.plain_scheduler", [f"{plain_port}"], url,
                                           plain_port))  # fmt: skip
        login = {"username": "resident07", "password": PASSWORD}
        eventually(lambda: ours.client.get("/health/ready").status_code == 200)
        token = ours.client.post("/api/v1/auth/login", json=login).json()["access_token"]
        ours.client.headers["Authorization"] = f"Bearer {token}"
        same = [one.client.get(PATH, params=QUERY).json() for one in (ours, plain)]
        assert same[0] == same[1], "they do not answer alike"
        for one in (ours, plain):
            one.round(400)
        rounds = [(ours.round(options.requests), plain.round(options.requests))
                  for _ in range(options.rounds)]  # fmt: skip
    for at, what in enumerate(("takes", "costs, in CPU,")):
        own = statistics.median(one[0][at] for one in rounds)
        other = statistics.median(one[1][at] for one in rounds)
        ratio = statistics.median(one[0][at] / one[1][at] for one in rounds)
        print(
            f"a request {what} {own:.2f} ms, {other:.2f} ms at a plain handler: {ratio:.2f} times"
        )


if __name__ == "__main__":
    main()
