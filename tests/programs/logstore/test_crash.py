"""Killed at any moment, with a full disk, or asked for too much: what was acknowledged is there."""

import random
import resource
import threading
import time

import httpx
import pytest

from tests.programs.logstore.conftest import Running, configuration, free_port, running, start

STREAM = {"service": "crash"}


class Writer(threading.Thread):
    """Pushes numbered lines, several at a time; sends again what was not acknowledged."""

    def __init__(self, store: Running, first: int) -> None:
        super().__init__()
        self.store, self.next = store, first
        self.acknowledged: list[int] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        began = time.time_ns()
        while not self.stopped.is_set():
            numbers = list(range(self.next, self.next + 20))
            values = [(began + number, f"line {number}") for number in numbers]
            try:
                answer = self.store.push(STREAM, *values)
            except httpx.TransportError:
                return
            if answer.status_code != 204:
                return
            self.acknowledged += numbers
            self.next += 20


def written(store: Running) -> list[str]:
    """All lines, in pages."""
    lines: list[str] = []
    start = time.time_ns() - 3600 * 10**9
    while True:
        found = store.get(
            "/loki/api/v1/query_range", query='{service="crash"}', limit=5000,
            direction="forward", start=str(start), end=str(time.time_ns() + 10**9),
        ).json()["data"]["result"]  # fmt: skip
        if not found:
            return lines
        lines += [line for _, line in found[0]["values"]]
        start = int(found[0]["values"][-1][0]) + 1


def survive(folder, kills: int, seed: int) -> None:
    """Kill a store in mid-write again and again; each acknowledged line is there exactly once."""
    chance = random.Random(seed)
    port = free_port()
    config = configuration(folder, port)
    acknowledged: list[int] = []
    first = 0
    for _ in range(kills):
        store = start(folder, port, config)
        writer = Writer(store, first)
        writer.start()
        wanted = chance.randrange(1, 120)
        while writer.is_alive() and len(writer.acknowledged) < wanted:
            time.sleep(0.001)
        store.kill()
        writer.stopped.set()
        writer.join(30)
        acknowledged += writer.acknowledged
        first = writer.next + 20  # what was not acknowledged may be there or not
    store = start(folder, port, config)
    try:
        lines = written(store)
    finally:
        store.kill()
    assert len(lines) == len(set(lines)), "some line is there twice"
    assert len(acknowledged) >= kills
    missing = {f"line {number}" for number in acknowledged} - set(lines)
    assert not missing


def test_store_survives_being_killed_in_mid_write(tmp_path):
    survive(tmp_path, kills=4, seed=random.randrange(1 << 30))


@pytest.mark.nightly
def test_store_survives_being_killed_fifty_times(tmp_path):
    survive(tmp_path, kills=50, seed=random.randrange(1 << 30))


def test_store_keeps_once_what_is_sent_again_after_a_crash(tmp_path):
    port = free_port()
    config = configuration(tmp_path, port)
    at = time.time_ns()
    values = [(at + number, f"line {number}") for number in range(10)]
    for _ in range(2):
        store = start(tmp_path, port, config)
        assert store.push(STREAM, *values).status_code == 204
        store.kill()
    store = start(tmp_path, port, config)
    try:
        assert sorted(written(store)) == sorted(line for _, line in values)
    finally:
        store.kill()


def test_store_answers_500_on_a_full_disk_and_recovers_when_there_is_room(tmp_path):
    """No file of the process may grow beyond 100 kB: for it the disk is full."""
    port = free_port()
    limit = 100_000

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    store = start(tmp_path, port, configuration(tmp_path, port), preexec_fn=small_disk)
    try:
        kept, status, at = [], 204, time.time_ns()
        while status == 204:
            line = f"{len(kept)} " + "x" * 20_000
            answer = store.push(STREAM, (at + len(kept), line))
            status = answer.status_code
            if status == 204:
                kept.append(line)
        assert status == 500
        assert answer.text.startswith("the store cannot keep entries now: File too large")
        assert len(kept) == 4
        assert written(store) == kept
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(store.process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert store.push(STREAM, (at + len(kept), "room")).status_code == 204
        assert written(store) == [*kept, "room"]
    finally:
        store.kill()


def test_store_that_ends_by_itself_leaves_nothing_to_do(tmp_path):
    with running(tmp_path) as store:
        assert store.push(STREAM, (time.time_ns(), "line")).status_code == 204
    with running(tmp_path) as store:
        assert written(store) == ["line"]
