"""Faults of the application, on targets that only remember, and on stand-ins of what they ask."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.faults import rights
from loadgen.faults.base import FaultFailed
from loadgen.faults.killed import ServiceKilled
from loadgen.faults.people import PeopleAway
from loadgen.faults.rights import DatabasePasswordChanged, TableRevoked
from loadgen.faults.staff import StaffAbsent

DAYS = ("2026-03-02", "2026-03-15")


class Resident:
    pass


class Planner:
    """Stands in for a class of users."""


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield sleeper
    sleeper.kill()
    sleeper.wait()


def supervised(process: "subprocess.Popen[bytes]", *, obeys: bool = True) -> Any:
    """A target whose service is that process; one that does not obey starts it again."""
    held = []

    def running(service: str) -> bool:
        return not obeys or (not held and process.poll() is None)

    return SimpleNamespace(
        pid=lambda service: 0 if process.returncode is not None else process.pid,
        service_running=running,
        stop_service=held.append,
        start_service=lambda service: held.clear(),
        held=held,
    )


def test_killed_service_gets_sigkill_and_is_held_down(process) -> None:
    target = supervised(process)
    ServiceKilled(service="backend").inject(target)
    assert process.wait(timeout=10) == -9
    assert target.held == ["backend"]
    assert ServiceKilled(service="backend").verify(target) == "`backend` is still not running"


def test_killed_service_is_started_again(process) -> None:
    target = supervised(process)
    target.held.append("backend")
    fault = ServiceKilled(service="backend")
    fault.undo(target)
    assert fault.verify(target) is None


def test_killed_service_that_comes_back_is_no_fault(process) -> None:
    with pytest.raises(FaultFailed, match="`backend` is still running after it was stopped"):
        ServiceKilled(service="backend").inject(supervised(process, obeys=False))


def test_service_that_does_not_run_cannot_be_killed(process) -> None:
    process.kill()
    process.wait()
    with pytest.raises(FaultFailed, match="`backend` is not running, so it cannot be killed"):
        ServiceKilled(service="backend").inject(supervised(process))


def test_people_away_are_named_in_the_control_file_until_the_end(tmp_path: Path) -> None:
    target: Any = SimpleNamespace(control_file=lambda name: tmp_path / f"{name}.json")
    fault, other = PeopleAway(who=(Planner,)), PeopleAway(who=(Resident,), planners=False)
    assert fault.verify(target) is None
    fault.inject(target)
    other.inject(target)
    told = json.loads((tmp_path / "traffic.json").read_text())
    assert told == {"Planner": "away", "Resident": "away"}
    assert "Planner" in str(fault.verify(target))
    fault.undo(target)
    assert fault.verify(target) is None
    assert "Resident" in str(other.verify(target)), "the others stay away"


def test_nobody_away_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(FaultFailed, match="`who` is empty"):
        PeopleAway(who=()).inject(SimpleNamespace())  # type: ignore[arg-type]


class Absences(BaseHTTPRequestHandler):
    """The part of the scheduler that keeps absences."""

    kept: dict[int, dict[str, Any]]
    refuses: bool

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/login"):
            self._answer(200, {"access_token": "t"})
        elif self.refuses:
            self._answer(503, {})
        else:
            self.kept[len(self.kept) + 1] = body
            self._answer(201, body)

    def do_GET(self) -> None:
        self._answer(200, {"items": [{"id": n, **one} for n, one in self.kept.items()]})

    def do_DELETE(self) -> None:
        del self.kept[int(self.path.rpartition("/")[2])]
        self.send_response(204)
        self.end_headers()

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def roster(tmp_path: Path) -> Iterator[Any]:
    """A target with a scheduler that keeps one absence already."""
    Absences.kept, Absences.refuses = {100: {"person_id": 7, "note": "a cold"}}, False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Absences)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "scheduler_password").write_text("secret")
    url = f"http://127.0.0.1:{server.server_port}"
    yield SimpleNamespace(
        layout=SimpleNamespace(url=lambda service: url, secret=lambda name: tmp_path / name)
    )
    server.shutdown()
    server.server_close()


def absent() -> StaffAbsent:
    return StaffAbsent(people=range(61, 64), days=DAYS)  # type: ignore[arg-type]


def test_absent_staff_is_on_leave_until_the_end(roster: Any) -> None:
    absent().inject(roster)
    assert [one["person_id"] for one in Absences.kept.values()] == [7, 61, 62, 63]
    assert absent().verify(roster) == "3 people are still on leave"
    absent().undo(roster)
    assert list(Absences.kept) == [100], "what others entered stays"
    assert absent().verify(roster) is None


def test_undo_of_absent_staff_is_harmless_when_nobody_was(roster: Any) -> None:
    absent().undo(roster)
    assert list(Absences.kept) == [100]


def test_scheduler_that_refuses_is_told(roster: Any) -> None:
    Absences.refuses = True
    with pytest.raises(FaultFailed, match=r"refuses a coordinator: .*503"):
        absent().inject(roster)


class Superuser:
    """A session that remembers, and answers what it is told to."""

    def __init__(self, answers: list[object]) -> None:
        self.answers = answers
        self.said: list[str] = []
        self.open = 0

    def __enter__(self) -> "Superuser":
        self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.open -= 1

    def execute(self, query: Any, parameters: object = ()) -> Any:
        text = query if isinstance(query, str) else query.as_string()
        self.said.append(text)
        if not text.startswith("SELECT"):
            return None
        return SimpleNamespace(fetchone=lambda: (self.answers.pop(0),))


def superuser(monkeypatch: pytest.MonkeyPatch, *answers: object) -> Superuser:
    session = Superuser(list(answers))
    monkeypatch.setattr(rights, "connected", lambda instance, name: session)
    return session


def test_revoked_table_is_granted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = superuser(monkeypatch, False, True)
    fault, target = TableRevoked(table="violations"), SimpleNamespace()
    fault.inject(target)  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]
    changes = [text for text in session.said if not text.startswith("SELECT")]
    assert changes == [
        'REVOKE ALL ON TABLE "violations" FROM "scheduler"',
        'GRANT ALL ON TABLE "violations" TO "scheduler"',
    ]
    assert session.open == 0


def test_table_that_can_still_be_read_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    superuser(monkeypatch, True)
    with pytest.raises(FaultFailed, match="still reads `violations` after it was revoked"):
        TableRevoked(table="violations").inject(SimpleNamespace())  # type: ignore[arg-type]


def test_password_is_changed_and_set_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "scheduler_database_password").write_text("it's secret\n")
    link: list[str] = []
    target: Any = SimpleNamespace(
        layout=SimpleNamespace(secret=lambda name: tmp_path / name),
        stop_service=lambda name: link.append(f"{name} stopped"),
        start_service=lambda name: link.append(f"{name} started"),
    )
    session = superuser(monkeypatch, 1)
    monkeypatch.setattr(DatabasePasswordChanged, "verify", lambda self, instance: "cannot log in")
    DatabasePasswordChanged().inject(target)
    DatabasePasswordChanged().undo(target)
    assert link == ["database-link stopped", "database-link started"]
    assert session.said[1] == """ALTER ROLE "scheduler" PASSWORD 'it''s secret'"""
    assert session.open == 0


def test_password_that_still_opens_the_door_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    superuser(monkeypatch, 1)
    monkeypatch.setattr(DatabasePasswordChanged, "verify", lambda self, instance: None)
    with pytest.raises(FaultFailed, match="still logs in with its old password"):
        DatabasePasswordChanged().inject(
            SimpleNamespace(stop_service=str, start_service=str)  # type: ignore[arg-type]
        )
