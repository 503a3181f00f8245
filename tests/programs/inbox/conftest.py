"""Runs real inboxes for the tests: a process of its own on free ports."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from stack.paths import REPO

_http = httpx.Client(verify=False, timeout=30)
KEY = "0123456789abcdef0123456789abcdef"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Running:
    """An inbox that answers."""

    process: subprocess.Popen
    http_port: int
    smtp_port: int
    since: int = 0
    """The newest id before the test: tests share one process, and see only what is theirs."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def messages(self, after: int = 0) -> list[dict]:
        found = _http.get(f"{self.url}/api/messages", params={"after": after or self.since})
        return found.json()


@contextmanager
def running(
    folder: Path, *, heartbeat_timeout_s: float = 60, more: Sequence[str] = ()
) -> Iterator[Running]:
    """Bring up an inbox whose database and control file are in the folder."""
    key_file = folder / "key"
    key_file.write_text(KEY + "\n")
    http_port, smtp_port = free_port(), free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "stack.programs.inbox"),
            *("--http-port", str(http_port), "--smtp-port", str(smtp_port)),
            *("--database", str(folder / "inbox.db"), "--control", str(folder / "control.json")),
            *("--pagerduty-service", f"on-call={key_file}"),
            *("--heartbeat-timeout", str(heartbeat_timeout_s)),
            *more,
        ],
        cwd=REPO,
    )
    try:
        inbox = Running(process, http_port, smtp_port)
        wait_until_healthy(inbox)
        yield inbox
    finally:
        process.kill()
        process.wait(10)


def wait_until_healthy(inbox: Running) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert inbox.process.poll() is None, "the inbox ended while it started"
        try:
            if _http.get(f"{inbox.url}/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError("after 30 s: the inbox does not answer")


@pytest.fixture(scope="session")
def shared_inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("inbox")) as found:
        yield found


@pytest.fixture
def inbox(shared_inbox: Running) -> Running:
    """An inbox that stays up; what arrived before the test is not seen."""
    newest = _http.get(f"{shared_inbox.url}/health").json()["newest"]
    return replace(shared_inbox, since=newest)


@pytest.fixture
def fresh_inbox(tmp_path: Path) -> Iterator[Running]:
    """An inbox of the test's own, with its files in `tmp_path`."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def run_inbox():
    """The context manager itself, for tests that start and stop inboxes."""
    return running


@pytest.fixture
def routing_key() -> str:
    return KEY


@pytest.fixture
def a_free_port() -> int:
    return free_port()
