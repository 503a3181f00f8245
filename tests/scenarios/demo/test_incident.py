"""Incidents by themselves: which there are, which go together, what is written of them."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from scenarios.demo import schedule
from scenarios.demo.board import Board
from scenarios.demo.incident import check_apart, choose, choose_to_end, known
from scenarios.demo.keeper import guarded
from scenarios.demo.ledger import Entry, Ledger
from scenarios.tasks.incident import _table
from stack.check.configuration import read
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT
from tests.waiting import eventually

INCIDENTS = known(read(CONFIG_ROOT))
DOWN = INCIDENTS["PostgreSQLDown"]


def test_every_alert_has_an_incident_and_faster_instances_tell_sooner() -> None:
    assert set(INCIDENTS) == {rule.name for rule in read(CONFIG_ROOT).alerts}
    for name, fast in known(read(CONFIG_ROOT), 60).items():
        assert 0 < fast.first_told_s <= INCIDENTS[name].first_told_s
        assert fast.first_told_s < fast.lasts_s


def test_list_and_page_say_the_same_of_when_somebody_is_told() -> None:
    told: dict[str, Any] = {}
    stage = SimpleNamespace(
        incidents=INCIDENTS, runbook=lambda one: "", dashboard=lambda one: "",
        instance=SimpleNamespace(), ledger=None,
    )  # fmt: skip
    for one in INCIDENTS.values():
        told[one.name] = Board._words(cast(Any, SimpleNamespace(_stage=stage)), one)["soonest"]
    console = Console(width=200)
    with console.capture() as shown:
        console.print(_table(INCIDENTS.values(), console.width))
    rows = {row.split()[0]: row.rstrip() for row in shown.get().splitlines()[1:]}
    assert rows.keys() == told.keys()
    assert [name for name, row in rows.items() if not row.endswith(f" {told[name]}")] == []
    assert told["HighErrorRate"] == "5 min 30 s"


def test_incident_is_found_in_any_case_and_else_the_nearest_are_named() -> None:
    assert choose("postgresqldown", INCIDENTS) is DOWN
    with pytest.raises(BadInput, match="no incident `PostgresDown`") as refused:
        choose("PostgresDown", INCIDENTS)
    assert "PostgreSQLDown" in refused.value.cure
    with pytest.raises(BadInput) as refused:
        choose("x", INCIDENTS)
    assert "`doit incident` lists" in refused.value.cure


@pytest.mark.parametrize(
    ("given", "ended"),
    [
        (["Postgre*"], ["PostgreSQLDown"]),
        (["postgresqldown"], ["PostgreSQLDown"]),
        (["Disk*", "TargetDown"], ["DiskSpaceWarning", "TargetDown"]),
        (["High*"], [name for name in INCIDENTS if name.startswith("High")]),
        ([], []),
    ],
    ids=["pattern", "name", "named but over", "pattern of none that goes on", "none: all"],
)
def test_pattern_of_incidents_to_end_means_those_that_go_on(
    given: list[str], ended: list[str]
) -> None:
    going_on = ["PostgreSQLDown", "DiskSpaceWarning"]
    assert choose_to_end(given, INCIDENTS, going_on) == ended


def test_incident_neither_begins_twice_nor_beside_one_that_it_disturbs() -> None:
    check_apart(DOWN, [INCIDENTS["DiskSpaceWarning"]])
    with pytest.raises(BadInput, match="is going on already"):
        check_apart(DOWN, [DOWN])
    with pytest.raises(BadInput, match="would disturb each other") as refused:
        check_apart(DOWN, [INCIDENTS["HealthCheckFailing"]], " --instance x")
    assert "--end HealthCheckFailing --instance x" in refused.value.cure


def test_day_of_incidents_is_the_same_for_the_same_seed_and_ends() -> None:
    fast = known(read(CONFIG_ROOT), 60)
    days = [
        [(quiet, one.name) for quiet, one in schedule.day(fast, seed, 60)] for seed in (1, 1, 2)
    ]
    assert days[0] == days[1] != days[2]
    assert "Watchdog" not in {name for _, name in days[0]}
    spent = sum(quiet + fast[name].lasts_s for quiet, name in days[0])
    assert 0 < spent <= schedule.DAY_S / 60


def test_ledger_knows_what_goes_on_what_was_left_behind_and_the_truth(tmp_path: Path) -> None:
    ledger = Ledger(directory=tmp_path)
    entry = Entry(name=DOWN.name, keeper=1, began=10.0, until=20.0, injected=True)
    with ledger.kept(DOWN.name) as ours:
        assert ours
        ledger.write(entry)
        with ledger.kept(DOWN.name) as again:
            assert not again
        assert ledger.entries() == [entry]
        assert ledger.left_behind() == []
    assert ledger.left_behind() == [entry]
    ledger.close(entry, DOWN, 15.5)
    assert ledger.entries() == []
    [line] = ledger.truth.read_text().splitlines()
    truth = json.loads(line)
    assert (truth["incident"], truth["fault"]) == (DOWN.name, "postgresql stopped")
    assert truth["end"] == "1970-01-01T00:00:15.500+00:00"
    assert {"channel": "pagerduty", "destination": "on-call"} in truth["notifications"]


def test_what_was_never_injected_is_no_truth(tmp_path: Path) -> None:
    ledger = Ledger(directory=tmp_path)
    with ledger.kept(DOWN.name):
        entry = Entry(name=DOWN.name, keeper=1, began=10.0, until=20.0)
        ledger.write(entry)
        ledger.close(entry, DOWN, 15.5)
    assert not ledger.truth.exists()


WHOLE = '"name": "a", "keeper": 1, "began": 1.0, "until": 2'


@pytest.mark.parametrize(
    "text",
    ['{"name": "Postg', "[]", "[" * 20_000, f'{{{WHOLE}, "touches": 5}}',
     f'{{{WHOLE}, "touches": [5]}}', f'{{{WHOLE}, "other": 5}}'],
)  # fmt: skip
def test_entry_that_is_half_there_or_none_is_left_out(tmp_path: Path, text: str) -> None:
    ledger = Ledger(directory=tmp_path)
    with ledger.kept(DOWN.name):
        ledger.file(DOWN.name).write_text(text)
        assert ledger.entries() == []
        ledger.file(DOWN.name).write_text(f"{{{WHOLE}}}")
        assert [one.name for one in ledger.entries()] == ["a"]


def _guard(held: str, undone: Path) -> int:
    """The PID of a process in which something is held as `held` says, or undone."""
    pid = os.fork()
    if pid:
        return pid

    def hold() -> bool:
        (undone.parent / "holder").write_text(str(os.getpid()))
        if held == "waits":
            stop = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            stop.wait(60)
        if held == "fails":
            raise ValueError("no")
        return held != "is wrong"

    def undo() -> str:
        undone.touch()
        return ""

    os._exit(guarded(hold, undo))


@pytest.mark.parametrize(
    ("held", "kill", "wanted"),
    [
        ("is right", 0, False),
        ("is wrong", 0, True),
        ("fails", 0, True),
        ("waits", signal.SIGTERM, False),
        ("waits", signal.SIGKILL, True),
    ],
)
def test_who_guards_an_incident_undoes_it_when_its_holder_cannot(
    tmp_path: Path, held: str, kill: int, wanted: bool
) -> None:
    holder = tmp_path / "holder"
    guard = _guard(held, tmp_path / "undone")
    if kill:
        eventually(lambda: holder.exists() and holder.read_text(), "the holder")
        time.sleep(0.1) if kill == signal.SIGTERM else None
        os.kill(guard if kill == signal.SIGTERM else int(holder.read_text()), kill)
    _, status = os.waitpid(guard, 0)
    assert status == 0
    assert (tmp_path / "undone").exists() is wanted
