"""The open model in Locust: a server that stalls is seen by all who were due meanwhile."""

import asyncio
import importlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.check.offered import table
from stack.paths import REPO
from tests.waiting import eventually

STALL_S = 2.0
RATE = 40


class Stalling:
    """Answers at once, but for once: from its `AFTER`th request on it is silent for a while."""

    AFTER = 3 * RATE

    def __init__(self) -> None:
        self.port = 0
        self.requests = 0
        self._until = 0.0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b'{"access_token": "t", "items": []}'
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                self.requests += 1
                if self.requests == self.AFTER:
                    self._until = time.monotonic() + STALL_S
                await asyncio.sleep(max(0.0, self._until - time.monotonic()))
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@pytest.fixture
def server() -> Iterator[Stalling]:
    made = Stalling()
    yield made
    made.close()


def locust(server: Stalling, *words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "SCHEDULER_PASSWORD": "secret"}
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", "loadgen/clinic.py", "--headless", "--only-summary",
         "--host", f"http://127.0.0.1:{server.port}", "-u", f"{RATE}", "-r", "100", *words],
        cwd=REPO, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
    )  # fmt: skip


def latencies(report: Path) -> list[float]:
    """Milliseconds that each request took, sorted; Locust rounds them to two digits."""
    entries = json.loads(Path(f"{report}.json").read_text())
    return sorted(
        float(took) for entry in entries if entry["name"] != "/api/v1/auth/login"
        for took, count in entry["response_times"].items() for _ in range(count)
    )  # fmt: skip


def test_source_stays_who_it_logged_in_as(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's swaps are refused."""
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    users, opening = (importlib.import_module(f"loadgen.{one}") for one in ("users", "open"))
    made = opening.opened(users.Resident, 1.0, 10)
    one = made.__new__(made)
    name = one.username()
    assert [one.username() for _ in range(20)] == [name] * 20
    assert name == f"resident{one.person_id:02}"


@pytest.mark.nightly
def test_stall_is_seen_by_all_who_were_due_in_it(server: Stalling, tmp_path: Path) -> None:
    """`RATE` are due in each second of silence, and each waits for what is left of it."""
    report = tmp_path / "report"
    run = locust(server, "--open-pace", "1", "-t", "10s", "--json-file", str(report))
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0, said
    told = re.search(r"offered: (\d+) requests.*; (\d+) of them dropped", said)
    assert told, said
    assert int(told[2]) == 0
    took = latencies(report)
    for wait_s in (0.5, 1.0, 1.5):
        waited = sum(one >= 950 * wait_s for one in took)
        assert waited >= 0.9 * RATE * (STALL_S - wait_s), (wait_s, took)


def test_arrivals_beyond_those_in_flight_are_dropped_and_said(server: Stalling) -> None:
    run = locust(server, "--open-pace", "1", "-t", "8s", "--in-flight", "10")
    said, _ = run.communicate(timeout=120)
    told = re.search(r"offered: (\d+) requests.*; (\d+) of them dropped", said)
    assert told, said
    assert int(told[2]) >= STALL_S * RATE * 0.5
    assert f"{told[2]} " in said.partition("Error report")[2], "it is in Locust's own report"
    assert "dropped: 10 requests were in flight" in said
    assert run.returncode == 1


def test_figures_are_where_the_file_says_and_are_those_of_the_table(
    server: Stalling, tmp_path: Path
) -> None:
    told = tmp_path / "load.json"
    run = locust(server, "--open-pace", "1", "-t", "60s", "--tell", str(told))
    try:
        [group] = eventually(lambda: json.loads(told.read_text()), "where the figures are")

        def figures() -> str:
            with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics") as answer:
                return str(answer.read().decode())

        def answered() -> float:
            return float(re.findall(r"^load_requests_answered_total (.*)$", figures(), re.M)[0])

        eventually(lambda: answered() > server.AFTER, "the stall to be over", within_s=60)
        text = eventually(lambda: figures() if "quantile=" in figures() else "", "latencies")
        names = set(re.findall(r"^(load_\w+)", text, re.M))
        assert names == set(table().jobs["load"])
    finally:
        run.terminate()
        run.communicate(timeout=60)
    assert not told.exists()
