"""Stores for the tests: in this process, or a whole one in a process of its own."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest
import yaml

from stack.paths import REPO
from stack.programs.logstore.reader import View
from stack.programs.logstore.snapshot import Sizes
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.streams import known
from stack.programs.logstore.wal import Part

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
"""A moment for what does not ask the clock."""

SMALL = Sizes(rows=50, idle_s=0.0, idle_rows=1, merge_rows=25, patience_s=20)
"""Segments of 50 rows, so that a few hundred lines make several."""


def part(labels: dict[str, str], *entries: tuple[int, str]) -> Part:
    return Part(known(labels), [at for at, _ in entries], [line for _, line in entries])


def entries(store: LogStore, *, backward: bool = False) -> list[tuple[str, int, str]]:
    """(labels, timestamp, line) of all that the store has, as it hands it out."""
    with store.snapshot() as snapshot:
        view = View(store=store, snapshot=snapshot)
        return [
            (orjson.dumps(dict(stream.labels)).decode(), at, line)
            for batch in view.select([], 0, 2**63 - 1, backward=backward)
            for at, line, stream in zip(
                batch.timestamps_ns, batch.lines, batch.streams, strict=True
            )
        ]


@contextmanager
def opened(folder: Path, sizes: Sizes = SMALL) -> Iterator[LogStore]:
    store = LogStore(folder, sizes=sizes)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    with opened(tmp_path / "store") as made:
        yield made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Running:
    """A store in a process of its own."""

    process: subprocess.Popen
    url: str
    folder: Path

    def push(self, labels: dict[str, str], *values: tuple[int, str]) -> httpx.Response:
        return self.push_streams([(labels, values)])

    def push_streams(
        self, streams: Sequence[tuple[dict[str, str], Sequence[tuple[int, str]]]]
    ) -> httpx.Response:
        body = {
            "streams": [
                {"stream": labels, "values": [[str(at), line] for at, line in values]}
                for labels, values in streams
            ]
        }
        return httpx.post(f"{self.url}/loki/api/v1/push", json=body, timeout=30)

    def get(self, path: str, **query: str | int | list[str]) -> httpx.Response:
        return httpx.get(self.url + path, params=query, timeout=30)

    def lines(self, query: str, **more: str | int) -> list[str]:
        found = self.get("/loki/api/v1/query_range", query=query, **more)
        assert found.status_code == 200, found.text
        return [value[1] for stream in found.json()["data"]["result"] for value in stream["values"]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def configuration(folder: Path, port: int, **changes: object) -> Path:
    """The checked-in loki-config.yml for a folder; a change is `ruler__resend_delay="1s"`."""
    document = yaml.safe_load((REPO / "stack/config/loki/loki-config.yml").read_text())
    document["common"]["path_prefix"] = str(folder / "data")
    document["server"].update(http_listen_address="127.0.0.1", http_listen_port=port)
    document["ruler"]["storage"]["local"]["directory"] = str(folder / "rules")
    document["ruler"]["alertmanager_url"] = ""
    for name, value in changes.items():
        section, key = name.split("__")
        document[section][key] = value
    path = folder / "loki-config.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def start(folder: Path, port: int, config: Path, *options: str, **environment: object) -> Running:
    process = subprocess.Popen(
        [sys.executable, "-m", "stack.programs.logstore", "--config", str(config), *options],
        cwd=REPO,
        **environment,
    )
    running = Running(process, f"http://127.0.0.1:{port}", folder)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the store ended while it started"
        try:
            if running.get("/ready").status_code == 200:
                return running
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError("after 60 s: the store does not answer")


@contextmanager
def running(folder: Path, **changes: object) -> Iterator[Running]:
    """A store that answers; `changes` as for `configuration`."""
    port = free_port()
    found = start(folder, port, configuration(folder, port, **changes))
    try:
        yield found
    finally:
        found.process.send_signal(signal.SIGTERM)
        try:
            assert found.process.wait(20) in (0, -signal.SIGKILL)
        finally:
            found.process.kill()
            found.process.wait(10)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One process for all tests that only ask; each uses labels of its own."""
    with running(tmp_path_factory.mktemp("served")) as found:
        yield found
