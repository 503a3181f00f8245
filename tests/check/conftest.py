"""A configuration to break: the checked-in one in a folder of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.check.configuration import load
from stack.check.names import scenario_path
from stack.check.programs import Programs
from stack.check.run import Setup
from stack.paths import CONFIG_ROOT
from stack.run.services import SERVICES
from stack.tasks import check as task

ADDRESSES = {
    f"{service.name}:{port}" for service in SERVICES.values() for port in service.ports.values()
}


@pytest.fixture(scope="session")
def programs() -> Programs:
    return task.programs()


@pytest.fixture
def setup(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A copy that is whole: what a test finds wrong with it, the test did.

    promtool's unit tests take their time, so they count as passed until `monkeypatch.undo()`.
    """
    monkeypatch.setattr("stack.check.programs.check_unit_tests", lambda *_: [])
    root = tmp_path / "stack" / "config"
    for folder in (
        "prometheus",
        "loki",
        "promtail",
        "alertmanager",
        "blackbox",
        "runbooks",
        "grafana",
    ):
        shutil.copytree(CONFIG_ROOT / folder, root / folder)
    for alert in load(CONFIG_ROOT).alerts:
        path = tmp_path / "scenarios" / scenario_path(alert.name, alert.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Setup(
        config_root=root,
        scenarios=tmp_path / "scenarios",
        addresses=ADDRESSES,
        programs=programs,
        services=SERVICES,
        readers=task.READERS,
        scraped=task.SCRAPED,
        health=task.HEALTH,
    )


Edit = Callable[[str, str, str], int]


@pytest.fixture
def edit(setup: Setup) -> Edit:
    """`edit(file, old, new)` replaces the first `old`, and returns its line."""

    def replace(file: str, old: str, new: str) -> int:
        path = setup.config_root / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r} any more"
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    return replace
