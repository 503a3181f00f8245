"""A fault that was too weak: the field that gives it time or strength, with file and line."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.proof import catalogue
from scenarios.proof.strength import advice
from stack.paths import REPO

FOUND = {one.scenario.alert: one for one in catalogue.survey()[0]}


def line(file: str, words: str) -> str:
    lines = (REPO / file).read_text().splitlines()
    (at,) = [number for number, text in enumerate(lines, 1) if words in text]
    return f"{file}:{at}"


def test_advice_names_both_fields_where_the_fault_is_made() -> None:
    where = line("scenarios/database/postgresql_high_connections.py", "fault=")
    within = FOUND["PostgreSQLHighConnections"].scenario.fault.shows_within_s
    assert advice(FOUND["PostgreSQLHighConnections"]) == (
        f"give it more time with `shows_within_s` (now {within:g} s) in {where}"
        f", or more strength with `total` (now 88) in {where}, or have the rule ask for less"
    )


def test_advice_leads_to_the_class_where_a_function_makes_the_fault() -> None:
    said = advice(FOUND["HighCPUUsage"])
    assert line("loadgen/faults/host.py", "shows_within_s") in said
    where = line("scenarios/infrastructure/high_cpu_usage.py", "fault=")
    assert said.endswith(
        f", or more strength with `percent` (now 93) in {where}, or have the rule ask for less"
    )


def test_advice_finds_a_fault_that_has_a_name(tmp_path: Path) -> None:
    file = tmp_path / "high_cpu_usage.py"
    file.write_text("\nSTRAIN = HostStrained(level=3)\nSCENARIO = Scenario(fault=STRAIN)\n")
    assert f"`level` (now 3) in {file}:2" in advice(replace(FOUND["HighCPUUsage"], file=file))


def test_only_what_there_can_be_more_of_is_strength(tmp_path: Path) -> None:
    file = tmp_path / "high_cpu_usage.py"
    file.write_text(
        "SCENARIO = Scenario(fault=PeopleAway("
        "who=(Faculty,), planners=False, service='backend', count=3, days=PLANNED))\n"
    )
    said = advice(replace(FOUND["HighCPUUsage"], file=file))
    assert said.endswith(
        f", or more strength with `count` (now 3) or `days` (now PLANNED) in {file}:1,"
        " or have the rule ask for less"
    )


@pytest.mark.parametrize("text", ["SCENARIO = made()\n", "def (\n", None])
def test_nothing_is_advised_where_no_fault_is_found(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "high_cpu_usage.py"
    if text is not None:
        file.write_text(text)
    assert advice(replace(FOUND["HighCPUUsage"], file=file)) == ""


@pytest.mark.parametrize("alert", sorted(FOUND))
def test_every_scenario_can_be_advised(alert: str) -> None:
    said = advice(FOUND[alert])
    for place in [word.rstrip(",") for word in said.split() if ".py:" in word]:
        file, _, number = place.partition(":")
        assert (REPO / file).read_text().splitlines()[int(number) - 1].strip()
    assert "`shows_within_s`" in said
