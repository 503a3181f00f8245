"""Faults of the worker, on a target that only remembers what was done to it."""

import json
from pathlib import Path

import pytest

from loadgen.faults import container
from loadgen.faults.base import FaultFailed


class Target:
    """Stands in for an instance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running = True

    def service_running(self, service: str) -> bool:
        return self.running

    def control_file(self, service: str) -> Path:
        return self.folder / f"{service}.json"

    def told(self) -> object:
        return json.loads(self.control_file("worker").read_text())


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


@pytest.mark.parametrize(
    ("fault", "told", "words"),
    [
        (container.cpu(of_limit=0.92), {"cpu_cores": 0.092}, "0.092 cores, 92% of its limit"),
        (container.memory(of_limit=0.5), {"memory_bytes": 33554432}, "34 MB, 50% of its limit"),
        (container.crash_loop(life_s=0.5, restarts=4), {"crash_after_s": 0.5}, "crashes 0.5 s"),
    ],
    ids=["cpu", "memory", "crash loop"],
)
def test_worker_is_told_and_told_no_more(
    target: Target, fault: container.WorkerStrained, told: dict[str, float], words: str
) -> None:
    assert words in str(fault)
    assert fault.verify(target) is None  # type: ignore[arg-type]
    fault.inject(target)  # type: ignore[arg-type]
    assert target.told() == told
    assert "the worker's control file still says" in str(fault.verify(target))  # type: ignore[arg-type]
    fault.undo(target)  # type: ignore[arg-type]
    assert fault.verify(target) is None  # type: ignore[arg-type]


def test_two_faults_of_the_worker_leave_each_other_alone(target: Target) -> None:
    cpu, memory = container.cpu(of_limit=1), container.memory(of_limit=1)
    cpu.inject(target)  # type: ignore[arg-type]
    memory.inject(target)  # type: ignore[arg-type]
    cpu.undo(target)  # type: ignore[arg-type]
    assert target.told() == {"memory_bytes": 64 * 1024 * 1024}


def test_worker_that_does_not_run_cannot_misbehave(target: Target) -> None:
    target.running = False
    fault = container.cpu(of_limit=1)
    with pytest.raises(FaultFailed, match="`worker` is not running"):
        fault.inject(target)  # type: ignore[arg-type]
    assert fault.verify(target) == "`worker` is still not running"  # type: ignore[arg-type]


def test_crash_loop_is_slow_enough_to_be_seen() -> None:
    with pytest.raises(ValueError, match=r"life_s is 0\.1, expected at least 0\.3"):
        container.crash_loop(life_s=0.1, restarts=4)


def test_crash_loop_shows_once_it_has_restarted_often_enough() -> None:
    fault = container.crash_loop(life_s=0.5, restarts=4)
    assert fault.shows_after_s == 1.5, "the first crash of an older worker is immediate"
    assert fault.shows_within_s > fault.shows_after_s
