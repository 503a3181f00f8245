"""A copy of everything that `doit check` looks at, to be sabotaged."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from stack.check.programs import Programs
from stack.check.run import Setup
from stack.paths import REPO
from stack.run.services import SERVICES
from stack.tasks import check as task

CONFIGURATION = (
    "stack/config/prometheus",
    "stack/config/loki",
    "stack/config/promtail",
    "stack/config/alertmanager",
    "stack/config/blackbox",
    "stack/config/grafana",
    "stack/config/nginx",
    "stack/config/runbooks",
)
SCENARIOS = ("scenarios", "loadgen")


@pytest.fixture(scope="session")
def programs() -> Programs:
    return task.programs()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder that stands for the checkout."""
    for folder in (*CONFIGURATION, *SCENARIOS):
        shutil.copytree(
            REPO / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


@pytest.fixture
def setup(copy: Path, programs: Programs) -> Setup:
    """All that `doit check` looks at, of the copy."""
    return Setup(
        config_root=copy / "stack" / "config",
        scenarios=copy / "scenarios",
        addresses={
            f"{service.name}:{port}"
            for service in SERVICES.values()
            for port in service.ports.values()
        },
        programs=programs,
        services=SERVICES,
        readers=task.READERS,
        scraped=task.SCRAPED,
        health=task.HEALTH,
    )


Sabotage = Callable[[str, str, str], int]


@pytest.fixture
def sabotage(copy: Path) -> Sabotage:
    """`sabotage(file, old, new)` replaces the first `old`, and returns its line."""

    def replace(file: str, old: str, new: str) -> int:
        path = copy / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r} any more"
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    return replace


def sampled(rows: Iterable[Any], every: int) -> list[Any]:
    """All rows, of which each `every`th is played in any run and the rest in the nightly one: a row
    costs a whole check."""
    return [
        pytest.param(row, marks=() if count % every == 0 else pytest.mark.nightly)
        for count, row in enumerate(rows)
    ]
