"""Incidents on a real instance: begun, ended, killed half-way; nothing of them stays."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from scenarios.demo.ledger import Ledger
from scenarios.demo.leftovers import undone
from scenarios.demo.stage import Stage
from scenarios.tasks import instance as tasks
from scenarios.tasks.incident import incident
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.run.instance import Instance
from stack.run.lifecycle import bring_down, bring_up, running
from stack.run.supervisor import processes
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


def told_of(ledger: Ledger) -> int:
    """Incidents that have ended."""
    return len(ledger.truth.read_text().splitlines()) if ledger.truth.exists() else 0


def test_incident_begins_is_not_begun_twice_and_ends(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, keeper = begin()
    before = told_of(ledger)
    with pytest.raises(BadInput, match="is going on already"):
        begin()
    end()
    said = capsys.readouterr().out
    assert "PagerDuty on-call" in said
    assert "all is right again" in said
    assert instance.service_running("worker")
    assert told_of(ledger) == before + 1
    eventually(lambda: not _alive(keeper), "the keeper to leave")
    end()
    assert "no incident is going on" in capsys.readouterr().out


@pytest.mark.nightly
def test_incident_ends_by_itself(instance: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, _ = begin(lasts="4m")
    assert "it ends before that, so nobody is told" not in capsys.readouterr().out
    eventually(lambda: ledger.read(INCIDENT) is None, "its end")
    assert instance.service_running("worker")


def test_incident_that_ends_before_anybody_is_told_says_so(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, _ = begin(lasts="30s")
    assert "it ends before that, so nobody is told" in capsys.readouterr().out
    eventually(lambda: ledger.read(INCIDENT) is None, "its end")


def test_incident_whose_holder_is_killed_is_undone_at_once(instance: Instance) -> None:
    ledger, keeper = begin()
    [holder] = [one for one in psutil.Process(keeper).children() if one.name() != "locust"]
    holder.send_signal(signal.SIGKILL)
    eventually(lambda: ledger.read(INCIDENT) is None, "its end")
    assert instance.service_running("worker")


@pytest.mark.nightly
def test_two_who_begin_the_same_at_once_do_it_once(instance: Instance) -> None:
    stages = [Stage(NAME, say=lambda words: None) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        tried = [pool.submit(one.begin, one.incidents[INCIDENT], 3600) for one in stages]
    refused = [error for one in tried if (error := one.exception())]
    assert [type(error) for error in refused] == [BadInput]
    assert "is going on already" in str(refused[0])
    assert stages[0].end() == [INCIDENT]
    assert instance.service_running("worker")


def killed(ledger: Ledger, keeper: int) -> None:
    """As `kill -9` of all that keeps an incident, its people included."""
    family = [psutil.Process(keeper), *psutil.Process(keeper).children(recursive=True)]
    for one in family:
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
    assert ledger.left_behind()


def test_incident_whose_keepers_are_all_killed_is_undone_by_the_next_command(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    killed(*begin())
    end()
    assert "its keeper was killed; undone" in capsys.readouterr().out
    assert instance.service_running("worker")


def test_status_shows_what_goes_on_and_what_was_left_behind_and_up_undoes_that(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, keeper = begin()
    with pytest.raises(CheckFailed, match="not running: worker"):
        tasks.status(NAME)
    assert f"incident {INCIDENT} is going on until" in capsys.readouterr().out
    killed(ledger, keeper)
    with pytest.raises(CheckFailed, match=f"{INCIDENT} was left behind") as left:
        tasks.status(NAME)
    assert left.value.cure == f"`doit up --instance {NAME} --speed 60` undoes it."
    with undone(NAME):
        assert instance.service_running("worker")
    tasks.status(NAME)
    assert ledger.entries() == []


@pytest.mark.nightly
def test_what_an_incident_left_in_the_data_is_undone_when_all_that_ran_was_killed(
    instance: Instance,
) -> None:
    """With the scheduler's password changed under it, it would never get ready."""
    name = "HealthCheckFailing"
    incident([name], end=False, lasts="10h", by_schedule=False, seed=None, instance=NAME)
    ledger = Ledger(directory=instance.directory)
    entry = ledger.read(name)
    assert entry
    killed(ledger, entry.keeper)
    for one in (found := processes(instance.directory)):
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(found, timeout=10)
    with pytest.raises(CheckFailed, match=f"{name} was left behind"):
        tasks.status(NAME)
    with undone(NAME) as on_ready:
        again = bring_up(NAME, speed=60, free_ports=True, on_ready=on_ready)
    assert again.service_running("backend")
    assert ledger.entries() == []


@pytest.mark.nightly
def test_instance_goes_down_without_its_incidents(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, keeper = begin()
    tasks.down(NAME, wipe=False)
    assert f"{INCIDENT} is over" in capsys.readouterr().out
    assert ledger.entries() == []
    eventually(lambda: not _alive(keeper), "the keeper to leave")
    bring_up(NAME, speed=60, free_ports=True)


@pytest.mark.nightly
def test_instance_that_is_down_has_no_incidents(instance: Instance) -> None:
    _, keeper = begin()
    bring_down(NAME)
    eventually(lambda: not _alive(keeper), "the keeper to leave")
    with pytest.raises(HostCannot, match="is down: nothing can happen to it"):
        begin()
    with pytest.raises(BadInput, match="`ContainerDwon`"):
        incident(
            ["ContainerDwon"], end=False, lasts="", by_schedule=False, seed=None, instance=NAME
        )
    bring_up(NAME, speed=60, free_ports=True)


def _alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return psutil.pid_exists(pid)
