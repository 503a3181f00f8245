"""Faults of backups, before any is taken: where one cannot show, it is blocked."""

from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.faults.backups import BackupsForgotten
from scenarios.proof.catalogue import find
from scenarios.tasks.incident import possible

(SCENARIO,) = (one.scenario for one in find() if one.scenario.alert == "BackupTooOld")


def living(speed: float) -> Any:
    return SimpleNamespace(layout=SimpleNamespace(speed=speed), name="default")


@pytest.mark.parametrize("of_proof", [60.0, 30.0])
def test_proof_and_its_slower_try_live_fast_enough(of_proof: float) -> None:
    assert SCENARIO.fault.blocked(living(SCENARIO.speed(of_proof))) is None


def test_nobody_waits_for_a_day_of_a_slow_instance() -> None:
    fault = BackupsForgotten(hours=26, shows_after_s=30.0, shows_within_s=72.0)
    why = fault.blocked(living(60.0))
    assert why == (
        "a backup is too old after 26 h, and at speed 60 nobody waits for that:"
        " `doit up --speed 1300` lives fast enough"
    )
    assert fault.blocked(living(1300.0)) is None
    assert fault.blocked(living(1299.0))


def test_day_of_incidents_has_none_that_cannot_happen() -> None:
    slow = SimpleNamespace(scenario=SCENARIO)
    other = SimpleNamespace(
        scenario=SimpleNamespace(fault=SimpleNamespace(blocked=lambda it: None))
    )
    stage: Any = SimpleNamespace(incidents={"slow": slow, "other": other}, instance=living(1.0))
    assert possible(stage) == {"other": other}
