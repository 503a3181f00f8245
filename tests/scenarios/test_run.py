"""The runner around the scenarios: what it does when nothing can be played."""

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenarios.proof import run
from scenarios.proof.slots import Slots
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO

RULE = """
groups:
  - name: more
    rules: [{alert: Forgotten, expr: up == 0, labels: {severity: info}}]
"""


@pytest.fixture(autouse=True)
def hopeless(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    """No instance comes up."""

    @contextmanager
    def running(name: str, **_: object) -> Iterator[None]:
        raise HostCannot(f"`{name}`: disk full", cure="Make room.")
        yield

    monkeypatch.setattr(run, "running", running)


def test_proof_is_blocked_when_no_instance_comes_up(tmp_path: Path) -> None:
    with pytest.raises(HostCannot, match="blocked on this host: .*DiskSpaceWarning"):  # noqa: RUF043
        run.verify_alerts(reports=tmp_path)
    skipped = ET.parse(tmp_path / "latest" / "junit.xml").getroot().iter("skipped")
    assert all("disk full" in str(one.get("message")) for one in skipped)


def test_rule_without_scenario_fails_the_proof(tmp_path: Path) -> None:
    rules = tmp_path / "stack" / "prometheus" / "rules"
    shutil.copytree(REPO / "stack" / "prometheus" / "rules", rules)
    (rules / "more.yml").write_text(RULE)
    with pytest.raises(CheckFailed, match="not proven: Forgotten"):
        run.verify_alerts(reports=tmp_path / "reports", config_root=tmp_path / "stack")


def test_rule_without_scenario_is_no_matter_for_a_chosen_one(tmp_path: Path) -> None:
    rules = tmp_path / "stack" / "prometheus" / "rules"
    shutil.copytree(REPO / "stack" / "prometheus" / "rules", rules)
    (rules / "more.yml").write_text(RULE)
    with pytest.raises(HostCannot, match="blocked on this host: PostgreSQLDown"):
        run.verify_alerts(
            ["PostgreSQLDown"], reports=tmp_path / "reports", config_root=tmp_path / "stack"
        )


def test_scenario_without_rule_fails_the_proof(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="DiskSpaceWarning"):
        run.verify_alerts(reports=tmp_path, config_root=tmp_path / "empty")


def test_speed_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--speed is 0\.5, wanted 1 or more"):
        run.verify_alerts(speed=0.5, reports=tmp_path)


def test_slots_are_not_shared() -> None:
    with Slots() as one, Slots() as other:
        names = [one.take(), one.take(), other.take()]
        assert len(set(names)) == 3
        one.give_back(names[0])
        assert other.take() == names[0]
