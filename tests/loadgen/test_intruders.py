"""Somebody who is refused: against a scheduler and a database that only say no, or do not."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.intruders import DatabaseLogInsRefused, OldLinesPushed, PasswordsGuessed


class Door(BaseHTTPRequestHandler):
    """Answers every log-in alike, and lets the test wait for the next ones."""

    status = 401
    knocks = threading.Semaphore(0)
    said = b""

    def do_POST(self) -> None:
        type(self).said = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.knocks.release()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def scheduler() -> Iterator[Target]:
    Door.status, Door.knocks = 401, threading.Semaphore(0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    made: Any = SimpleNamespace(layout=SimpleNamespace(url=lambda service: url))
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What `psycopg.connect` meets: an error, or a session when there is none."""
    found = SimpleNamespace(
        knocks=threading.Semaphore(0),
        error=psycopg.OperationalError('FATAL: password authentication failed for user "x"'),
        target=SimpleNamespace(layout=SimpleNamespace(port=lambda service: 1)),
    )

    def connect(**_: object) -> SimpleNamespace:
        found.knocks.release()
        if found.error:
            raise found.error
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(psycopg, "connect", connect)
    return found


def knocked(knocks: threading.Semaphore, times: int) -> bool:
    return all(knocks.acquire(timeout=20) for _ in range(times))


def test_passwords_are_guessed_until_the_end(scheduler: Target) -> None:
    fault = PasswordsGuessed(username="coordinator1")
    fault.inject(scheduler)
    assert knocked(Door.knocks, 3)
    assert fault.verify(scheduler) == "it is still attempted"
    fault.undo(scheduler)
    assert fault.verify(scheduler) is None
    assert not [one for one in threading.enumerate() if one.name == "repeated"]


def test_guess_that_fits_is_no_fault(scheduler: Target) -> None:
    Door.status = 200
    with pytest.raises(FaultFailed, match="was answered with 200, expected 401"):
        PasswordsGuessed(username="coordinator1").inject(scheduler)


def test_scheduler_that_is_away_is_no_fault() -> None:
    away: Any = SimpleNamespace(layout=SimpleNamespace(url=lambda service: "http://127.0.0.1:1"))
    with pytest.raises(FaultFailed, match="the scheduler does not answer"):
        PasswordsGuessed(username="coordinator1").inject(away)


def test_database_is_asked_until_the_end(database: Any) -> None:
    fault = DatabaseLogInsRefused()
    fault.inject(database.target)
    assert knocked(database.knocks, 2)
    database.error = psycopg.OperationalError("connection refused")
    assert knocked(database.knocks, 2), "a database that is away is tried again"
    fault.undo(database.target)
    assert fault.verify(database.target) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, "`postgresql` let `reporting` log in"),
        (psycopg.OperationalError("connection refused"), "`postgresql` does not answer: connect"),
    ],
)
def test_database_that_does_not_refuse_is_no_fault(
    database: Any, error: Exception | None, said: str
) -> None:
    database.error = error
    with pytest.raises(FaultFailed, match=said):
        DatabaseLogInsRefused().inject(database.target)


def test_old_lines_are_pushed_until_the_end(scheduler: Target) -> None:
    Door.status = 400
    fault = OldLinesPushed()
    fault.inject(scheduler)
    assert knocked(Door.knocks, 3)
    (stream,) = json.loads(Door.said)["streams"]
    ((at_ns, _),) = stream["values"]
    assert 29 < (time.time_ns() - int(at_ns)) / 86_400e9 < 31
    assert fault.verify(scheduler) == "it is still attempted"
    fault.undo(scheduler)
    assert fault.verify(scheduler) is None
    assert not [one for one in threading.enumerate() if one.name == "repeated"]


def test_line_that_is_taken_is_no_fault(scheduler: Target) -> None:
    Door.status = 204
    with pytest.raises(FaultFailed, match="Loki answers 204 to a line that is a month old"):
        OldLinesPushed().inject(scheduler)


def test_loki_that_is_away_is_no_fault() -> None:
    away: Any = SimpleNamespace(layout=SimpleNamespace(url=lambda service: "http://127.0.0.1:1"))
    with pytest.raises(FaultFailed, match=r"POST http://127\.0\.0\.1:1/loki/api/v1/push"):
        OldLinesPushed().inject(away)


@pytest.mark.parametrize(
    "fault", [PasswordsGuessed(username="a"), DatabaseLogInsRefused(), OldLinesPushed()]
)
def test_undo_is_harmless_when_nobody_knocked(fault: Any) -> None:
    fault.undo(SimpleNamespace())
    assert fault.verify(SimpleNamespace()) is None
