"""Faults of the simulated host, on a target that only has a control file and a disk of numbers."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadgen.faults import host
from loadgen.faults.base import FaultFailed, read_control, update_control
from loadgen.faults.disk import DiskFilled, DiskFilling
from loadgen.faults.disk import disk as simulated_disk
from stack.errors import CheckFailed
from stack.programs.simhost.model import targets

ALL = {
    "cpu": host.cpu(percent=97),
    "memory": host.memory(percent=96),
    "network": host.network(megabytes_per_s=400),
}


class Remembering:
    """Stands in for an instance of speed 7200, where two hours are a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = SimpleNamespace(data=lambda service: folder / service, speed=7200.0)
        self.running = True

    def pid(self, service: str) -> int:
        return 4711

    def service_running(self, service: str) -> bool:
        return self.running

    def control_file(self, service: str) -> Path:
        return self.folder / "control" / f"{service}.json"

    def told(self) -> object:
        return json.loads(self.control_file("simulated-host").read_text())


@pytest.fixture
def target(tmp_path: Path) -> Remembering:
    return Remembering(tmp_path)


class Disk:
    """A disk of 1000 bytes, 700 of them free."""

    def __init__(self) -> None:
        self.free = 700.0
        self.seen: list[float] = []
        self.half_way = threading.Event()
        self.broken = False

    def fill(self, pid: int, root: Path, *, free_percent: float) -> None:
        if self.broken:
            self.half_way.set()
            raise CheckFailed(f"process {pid} of the simulated host is gone")
        self.free = free_percent * 10
        self.seen.append(self.free)
        if len(self.seen) > 20:
            self.half_way.set()

    def clear(self, pid: int, root: Path) -> None:
        self.free = 700.0

    def usage(self, pid: int, root: Path) -> tuple[int, float]:
        return 1000, self.free


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    for name in ("fill", "clear", "usage"):
        monkeypatch.setattr(simulated_disk, name, getattr(made, name))
    return made


@pytest.mark.parametrize("fault", ALL.values(), ids=ALL)
def test_host_fault_writes_what_the_host_understands_and_takes_it_back(
    target: Remembering, fault: host.HostStrained
) -> None:
    assert fault.verify(target) is None  # type: ignore[arg-type]
    fault.inject(target)  # type: ignore[arg-type]
    assert target.told() == fault.levels
    targets(dict(fault.levels))  # raises for a key or a value that the host refuses
    assert "still says" in str(fault.verify(target))  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    assert target.told() == {}
    assert fault.verify(target) is None  # type: ignore[arg-type]


def test_host_fault_undone_without_having_been_injected_is_harmless(target: Remembering) -> None:
    ALL["cpu"].undo(target)  # type: ignore[arg-type]
    assert target.told() == {}


def test_host_fault_says_that_nothing_could_show(target: Remembering) -> None:
    target.running = False
    with pytest.raises(FaultFailed, match="`simulated-host` is not running"):
        ALL["cpu"].inject(target)  # type: ignore[arg-type]


def test_host_faults_touch_their_resource_alone() -> None:
    touched = [fault.touches for fault in ALL.values()] + [DiskFilled(free_percent=5).touches]
    assert frozenset().union(*touched) == {
        "simulated-host.cpu", "simulated-host.memory", "simulated-host.network",
        "simulated-host.disk",
    }  # fmt: skip
    assert sum(map(len, touched)) == 4
    assert DiskFilling(free_percent=20, hours=2).touches == DiskFilled(free_percent=5).touches


def test_leftover_interfaces_are_understood_and_touch_all_that_is_known_of_the_host(
    target: Remembering,
) -> None:
    fault = host.leftover_interfaces(count=200)
    assert fault.touches == {"simulated-host", "node-exporter"}
    assert targets(dict(fault.levels)).leftover_interfaces == 200
    fault.inject(target)  # type: ignore[arg-type]
    assert target.told() == {"leftover_interfaces": 200}
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]
    assert str(fault) == "200 network interfaces left behind"


def test_host_faults_at_once_leave_each_other_alone(target: Remembering) -> None:
    def again(fault: host.HostStrained) -> None:
        for _ in range(50):
            fault.inject(target)  # type: ignore[arg-type]
            assert fault.verify(target) is not None  # type: ignore[arg-type]
            fault.undo(target)  # type: ignore[arg-type]
            assert fault.verify(target) is None  # type: ignore[arg-type]
            fault.inject(target)  # type: ignore[arg-type]

    threads = [threading.Thread(target=again, args=(fault,)) for fault in ALL.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.told() == {k: v for fault in ALL.values() for k, v in fault.levels.items()}
    ALL["memory"].undo(target)  # type: ignore[arg-type]
    assert target.told() == {**ALL["cpu"].levels, **ALL["network"].levels}


def test_control_file_keeps_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "control" / "x.json"
    update_control(path, put={"a": 1, "b": 2})
    update_control(path, put={"b": 3}, drop={"a", "never there"})
    assert read_control(path) == {"b": 3}


def test_disk_fills_in_steps_until_undone(target: Remembering, disk: Disk) -> None:
    fault = DiskFilling(free_percent=20, hours=200)
    fault.inject(target)  # type: ignore[arg-type]
    assert disk.half_way.wait(30)
    assert fault.verify(target) is not None  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    written = len(disk.seen)
    assert disk.seen == sorted(disk.seen, reverse=True)
    assert min(disk.seen) > 200
    assert fault.verify(target) is None  # type: ignore[arg-type]
    assert len(disk.seen) == written


def test_disk_stops_filling_by_itself(target: Remembering, disk: Disk) -> None:
    fault = DiskFilling(free_percent=20, hours=0.1)
    fault.inject(target)  # type: ignore[arg-type]
    assert fault._now.thread is not None
    fault._now.thread.join(30)
    assert disk.seen[-1] == pytest.approx(200)
    fault.undo(target)  # type: ignore[arg-type]
    fault.inject(target)  # type: ignore[arg-type]  # and may be had once more
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]


def test_disk_that_is_full_already_cannot_fill(target: Remembering, disk: Disk) -> None:
    disk.free = 150
    with pytest.raises(FaultFailed, match=r"15\.0 % of /data is free, expected more than 20 %"):
        DiskFilling(free_percent=20, hours=2).inject(target)  # type: ignore[arg-type]


def test_disk_that_stops_filling_too_early_is_told_of(target: Remembering, disk: Disk) -> None:
    disk.broken = True
    fault = DiskFilling(free_percent=20, hours=2)
    fault.inject(target)  # type: ignore[arg-type]
    assert disk.half_way.wait(30)
    with pytest.raises(FaultFailed, match="the disk stopped filling: process 4711"):
        fault.undo(target)  # type: ignore[arg-type]


def test_disk_undone_without_having_been_injected_is_harmless(
    target: Remembering, disk: Disk
) -> None:
    fault = DiskFilling(free_percent=20, hours=2)
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]
