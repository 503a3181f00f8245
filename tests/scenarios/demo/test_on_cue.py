"""Incidents on a real instance: begun, ended, killed half-way; nothing of them stays."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scenarios.demo.ledger import Ledger
from scenarios.tasks.incident import incident
from stack.errors import BadInput, HostCannot
from stack.run.instance import Instance
from stack.run.lifecycle import bring_down, running
from tests.waiting import eventually

NAME, INCIDENT = "cue", "ContainerDown"


@pytest.fixture(scope="module")
def instance(state_dir: Path) -> Iterator[Instance]:
    with running(NAME, speed=60) as made:
        yield made


def begin(lasts: str = "10h") -> tuple[Ledger, int]:
    """The ledger, and the PID of the keeper."""
    incident([INCIDENT], end=False, lasts=lasts, by_schedule=False, seed=None, instance=NAME)
    ledger = Ledger(directory=Instance.open(NAME).directory)
    entry = ledger.read(INCIDENT)
    assert entry
    assert not Instance.open(NAME).service_running("worker")
    return ledger, entry.keeper


def end() -> None:
    incident([], end=True, lasts="", by_schedule=False, seed=None, instance=NAME)


def test_incident_begins_is_not_begun_twice_and_ends(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, keeper = begin()
    with pytest.raises(BadInput, match="is going on already"):
        begin()
    end()
    said = capsys.readouterr().out
    assert "PagerDuty on-call" in said
    assert "all is right again" in said
    assert instance.service_running("worker")
    assert len(ledger.truth.read_text().splitlines()) == 1
    eventually(lambda: not _alive(keeper), "the keeper to leave")
    end()
    assert "no incident is going on" in capsys.readouterr().out


def test_incident_ends_by_itself(instance: Instance) -> None:
    ledger, _ = begin(lasts="2m")
    eventually(lambda: ledger.read(INCIDENT) is None, "its end")
    assert instance.service_running("worker")


def test_incident_whose_holder_is_killed_is_undone_at_once(instance: Instance) -> None:
    ledger, keeper = begin()
    [holder] = [one for one in psutil.Process(keeper).children() if one.name() != "locust"]
    holder.send_signal(signal.SIGKILL)
    eventually(lambda: ledger.read(INCIDENT) is None, "its end")
    assert instance.service_running("worker")


def test_incident_whose_keepers_are_all_killed_is_undone_by_the_next_command(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, keeper = begin()
    family = [psutil.Process(keeper), *psutil.Process(keeper).children()]
    for one in family:
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
    assert ledger.left_behind()
    end()
    assert "its keeper was killed; undone" in capsys.readouterr().out
    assert instance.service_running("worker")


def test_instance_that_is_down_has_no_incidents(instance: Instance) -> None:
    _, keeper = begin()
    bring_down(NAME)
    eventually(lambda: not _alive(keeper), "the keeper to leave")
    with pytest.raises(HostCannot, match="is down: nothing can happen to it"):
        begin()


def _alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return psutil.pid_exists(pid)
