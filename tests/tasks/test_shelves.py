"""`list-faults` and `list-users`: what scenarios can use, and how one uses it."""

from pathlib import Path

import pytest

import loadgen.faults
from scenarios.proof import catalogue
from scenarios.tasks import shelves
from stack.errors import BadInput

FAULTS = {one.name: one for one in shelves.faults()}
USERS = {one.name: one for one in shelves.users()}


def test_faults_are_those_of_the_index() -> None:
    """`loadgen/faults/__init__.py` names the classes that are there for scenarios."""
    index = loadgen.faults.__doc__ or ""
    assert [name for name in FAULTS if name.partition(".")[2] not in index] == []


def test_every_scenario_takes_its_fault_and_its_users_from_the_shelves() -> None:
    used = {alert for one in FAULTS.values() for alert in one.uses}
    assert used == {one.scenario.alert for one in catalogue.find()}
    for found in catalogue.find():
        acting = {name for name, one in USERS.items() if found.scenario.alert in one.uses}
        assert {user.__name__ for user in found.scenario.traffic.users} <= acting


def test_fault_says_what_it_takes_and_shows_a_use(capsys: pytest.CaptureFixture[str]) -> None:
    shelves.list_faults(["DiskFilled"])
    assert capsys.readouterr().out == (
        "disk.DiskFilled(free_percent)\n"
        "  `/data` of the simulated host has `free_percent` of its size left.\n"
        "  from loadgen.faults.disk import DiskFilled\n"
        "  DiskSpaceCritical has DiskFilled(free_percent=5)\n"
        "  also in DiskSpaceWarning\n"
    )


def test_faults_are_chosen_by_module_pattern_and_bare_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def titles(*names: str) -> list[str]:
        shelves.list_faults(names)
        lines = capsys.readouterr().out.splitlines()
        return [line.partition("(")[0] for line in lines if line and line[0] != " "]

    assert titles("disk") == ["disk.DiskFilled", "disk.DiskFilling"]
    assert titles("cpu") == ["container.cpu", "host.cpu"]
    assert titles("*.Service*") == ["killed.ServiceKilled", "service.ServiceStopped"]


def test_user_says_what_it_does_how_often(capsys: pytest.CaptureFixture[str]) -> None:
    shelves.list_users(["Faculty"])
    said = capsys.readouterr().out
    assert said.startswith("Faculty\n  Looks at the clinic and decides on swaps.\n")
    assert "look at own week (4 in 7)" in said


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="no kind of user `Residnt`") as refused:
        shelves.list_users(["Residnt"])
    assert refused.value.cure == "Did you mean Resident?"


BROKEN = "def inject(:\n"


def test_broken_scenario_takes_nothing_from_the_list(tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "x.py").write_text(f"SCENARIO = Scenario(\n{BROKEN}")
    found = shelves.faults(scenarios=tmp_path)
    assert {one.name for one in found} == set(FAULTS)
    assert not any(one.uses for one in found)
