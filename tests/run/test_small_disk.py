"""A stack whose disk fills up, and has room again: everything is up by itself, and nothing that was
acknowledged is lost, counted one by one."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from stack.loopback import HOST
from stack.programs.bearer import bearer
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES
from stack.run.supervisor import processes
from tests import leftovers
from tests.waiting import eventually

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.alone,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]

SIZE_BYTES = 320 << 20
FULL_S = 20.0
"""How long it stays full: many scrapes, flushes and checkpoints at speed 60."""


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = leftovers.fresh("lab-")
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=755", "small", str(folder)],
        check=True,
    )
    monkeypatch.setenv("STACK_STATE", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Take all the room that there is, to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


@dataclass
class Sender(threading.Thread):
    """Sends one number after the other, and keeps those that were acknowledged."""

    send: Callable[[int], bool]
    acknowledged: list[int] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._done.wait(0.02):
            number += 1
            try:
                good = self.send(number)
            except (httpx.HTTPError, psycopg.Error):
                good = False
            if good:
                self.acknowledged.append(number)
            else:
                self.refused += 1

    def end(self) -> None:
        self._done.set()
        self.join(60)

    __hash__ = threading.Thread.__hash__


def to_store(instance: Instance) -> Callable[[int], bool]:
    url = f"{instance.url('loki')}/loki/api/v1/push"
    known = {"Authorization": bearer(instance.layout.secret("shipper_token"))}

    def send(number: int) -> bool:
        stream = {"stream": {"job": "counted"}, "values": [[str(time.time_ns()), f"n={number}"]]}
        return httpx.post(url, json={"streams": [stream]}, headers=known).status_code == 204

    return send


def in_store(instance: Instance, query: str) -> list[str]:
    """All lines, in pages."""
    found: list[str] = []
    start_ns = time.time_ns() - 3600 * 10**9
    while True:
        answer = httpx.get(
            f"{instance.url('loki')}/loki/api/v1/query_range", timeout=60,
            params={"query": query, "direction": "forward", "limit": 5000, "start": start_ns},
        )  # fmt: skip
        streams = answer.raise_for_status().json()["data"]["result"]
        page = sorted((int(at), line) for one in streams for at, line in one["values"])
        found += [line for _, line in page]
        if len(page) < 5000:
            return found
        start_ns = page[-1][0] + 1


def to_inbox(instance: Instance) -> Callable[[int], bool]:
    url = instance.layout.secret("slack_api_url").read_text()
    return lambda number: httpx.post(url, json={"text": f"n={number}."}).status_code == 200


def in_inbox(instance: Instance) -> str:
    answer = httpx.get(f"{instance.url('inbox')}/api/messages?limit=100000", timeout=60)
    return answer.raise_for_status().text


def connected(instance: Instance) -> "psycopg.Connection[tuple[int, ...]]":
    return psycopg.connect(
        host=HOST, port=instance.port("postgresql"), dbname="postgres", user="postgres",
        password=instance.layout.secret("postgres_password").read_text(), autocommit=True,
        connect_timeout=5,
    )  # fmt: skip


def to_database(instance: Instance) -> Callable[[int], bool]:
    with connected(instance) as database:
        database.execute("CREATE TABLE counted (n int, filler text)")

    def send(number: int) -> bool:
        with connected(instance) as database:
            database.execute("INSERT INTO counted VALUES (%s, repeat('x', 1000))", (number,))
        return True

    return send


def is_well(instance: Instance) -> bool:
    """Every service runs, and answers its own probe."""
    waiting = {name: service.ready(instance.layout) for name, service in SERVICES.items()}
    assert {name: why for name, why in waiting.items() if why} == {}
    assert all(instance.service_running(name) for name in SERVICES)
    return True


def scraped_since(instance: Instance, since_s: float) -> bool:
    """Prometheus has scraped every target, and evaluated its rules, since then."""
    url = instance.url("prometheus") + "/api/v1/query"
    answer = httpx.get(url, params={"query": "timestamp(up) and up == 1"}, timeout=30)
    times = [float(one["value"][1]) for one in answer.raise_for_status().json()["data"]["result"]]
    return len(times) >= 10 and min(times) > since_s


def test_full_disk_loses_nothing_that_was_acknowledged(disk: Path) -> None:
    with running("small", speed=60.0) as instance:
        supervisor = {one.pid for one in processes(instance.directory)}
        senders = {
            "store": Sender(to_store(instance)),
            "inbox": Sender(to_inbox(instance)),
            "database": Sender(to_database(instance)),
        }
        for sender in senders.values():
            sender.start()
        log = instance.layout.log("worker")
        time.sleep(5)  # some numbers before it fills
        ballast = fill(disk)
        assert shutil.disk_usage(disk).free < 1 << 16
        until = time.monotonic() + FULL_S
        while time.monotonic() < until:
            time.sleep(0.2)
        freed = time.time()
        ballast.unlink()
        eventually(lambda: is_well(instance), "all services to be well", within_s=60)
        back_s = time.time() - freed
        eventually(lambda: scraped_since(instance, freed), "fresh samples", within_s=60)
        time.sleep(3)  # some numbers after it
        for sender in senders.values():
            sender.end()
        assert supervisor & {one.pid for one in processes(instance.directory)}
        print(
            f"\nall services well {back_s:.1f} s after there was room again; "
            + ", ".join(
                f"{name}: {len(one.acknowledged)} acknowledged, {one.refused} refused"
                for name, one in senders.items()
            )
        )
        for sender in senders.values():
            assert len(sender.acknowledged) > 30

        def missing(name: str, found: set[int]) -> set[int]:
            return set(senders[name].acknowledged) - found

        kept = {int(line.removeprefix("n=")) for line in in_store(instance, '{job="counted"}')}
        assert missing("store", kept) == set()
        with connected(instance) as database:
            rows = {n for (n,) in database.execute("SELECT n FROM counted").fetchall()}
        assert missing("database", rows) == set()
        told = in_inbox(instance)
        assert {n for n in senders["inbox"].acknowledged if f"n={n}." not in told} == set()

        # The shipper's: what stands in a log arrives, whenever there was room to write it.
        lines = log.read_text().splitlines()
        eventually(
            lambda: not set(lines) - set(in_store(instance, '{service="worker"}')),
            "every line of the worker's log",
            within_s=30,
        )
