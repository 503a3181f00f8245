"""Faults on a target that only remembers what was done to it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadgen.faults import disk
from loadgen.faults.base import FaultFailed, read_control, update_control
from loadgen.faults.database_link import SlowDatabaseLink
from loadgen.faults.disk import DiskFilled
from loadgen.faults.service import ServiceStopped
from stack.errors import CheckFailed


class Remembering:
    """Stands in for an instance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = SimpleNamespace(data=lambda service: folder / service)
        self.running = True
        self.obeys = True
        self.starts = 0

    def pid(self, service: str) -> int:
        return 4711

    def service_running(self, service: str) -> bool:
        return self.running

    def stop_service(self, service: str) -> None:
        self.running = not self.obeys

    def start_service(self, service: str) -> None:
        self.starts += 1
        self.running = self.obeys

    def control_file(self, service: str) -> Path:
        return self.folder / "control" / f"{service}.json"


@pytest.fixture
def target(tmp_path: Path) -> Remembering:
    return Remembering(tmp_path)


def test_service_stopped_stops_and_starts_again(target: Remembering) -> None:
    fault = ServiceStopped(service="postgresql")
    fault.inject(target)  # type: ignore[arg-type]
    assert not target.running
    assert fault.verify(target) == "`postgresql` is still not running"  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]


def test_service_stopped_touches_those_that_depend_on_it() -> None:
    assert ServiceStopped(service="postgresql").touches >= {"postgresql", "backend"}
    assert ServiceStopped(service="inbox").touches == {"inbox"}


def test_service_stopped_leaves_a_running_service_alone(target: Remembering) -> None:
    ServiceStopped(service="postgresql").undo(target)  # type: ignore[arg-type]
    assert target.starts == 0


def test_service_stopped_says_when_it_goes_on_running(target: Remembering) -> None:
    target.obeys = False
    with pytest.raises(FaultFailed, match="`postgresql` is still running after it was stopped"):
        ServiceStopped(service="postgresql").inject(target)  # type: ignore[arg-type]


def test_slow_link_writes_and_clears_its_control_file(target: Remembering) -> None:
    fault = SlowDatabaseLink(latency_s=1.3)
    assert fault.verify(target) is None  # type: ignore[arg-type]
    fault.inject(target)  # type: ignore[arg-type]
    assert json.loads(target.control_file("database-link").read_text()) == {"latency_s": 1.3}
    assert "latency_s" in str(fault.verify(target))  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]


def test_slow_link_refuses_to_be_no_fault(target: Remembering) -> None:
    with pytest.raises(FaultFailed, match="latency_s is 0, expected more than 0"):
        SlowDatabaseLink(latency_s=0).inject(target)  # type: ignore[arg-type]


def test_slow_link_shows_once_a_request_has_ended() -> None:
    fault = SlowDatabaseLink(latency_s=1.25)
    assert (fault.shows_after_s, fault.lingers_s) == (2.5, 2.5)
    assert fault.shows_within_s > fault.shows_after_s


def test_disk_that_did_not_fill_is_no_fault(
    target: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.disk, "fill", lambda pid, root, *, free_percent: None)
    monkeypatch.setattr(disk.disk, "usage", lambda pid, root: (100, 70))
    with pytest.raises(FaultFailed, match=r"70\.0 % of /data is free, expected 15 %"):
        DiskFilled(free_percent=15).inject(target)  # type: ignore[arg-type]
    assert DiskFilled(free_percent=15).verify(target) is None  # type: ignore[arg-type]


def test_disk_fault_reports_a_host_that_is_gone(
    target: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(pid: int, root: Path, **_: float) -> None:
        raise CheckFailed(f"process {pid} of the simulated host is gone")

    monkeypatch.setattr(disk.disk, "fill", gone)
    with pytest.raises(FaultFailed, match="process 4711 of the simulated host is gone"):
        DiskFilled(free_percent=15).inject(target)  # type: ignore[arg-type]


def test_disk_fault_is_blocked_where_there_are_no_namespaces(
    target: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "disk_unavailable", lambda: "no user namespace for uid 1000")
    fault = DiskFilled(free_percent=15)
    assert fault.blocked(target) == "no user namespace for uid 1000"  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"[" * 20_000])
def test_control_file_that_nobody_can_read_is_written_anew(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "control.json"
    path.write_bytes(text)
    update_control(path, put={"a": 1})
    assert read_control(path) == {"a": 1}
