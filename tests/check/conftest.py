"""A configuration to break: the checked-in one in a folder of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stack.check import Programs, Setup, scenario_path
from stack.check.configuration import load
from stack.paths import REPO
from stack.store import realise

ADDRESSES = ("backend:8000", "prometheus:9090", "alertmanager:9093", "node-exporter:9100",
             "postgres-exporter:9187", "inbox:8025", "inbox:1025", "postgresql:5432")  # fmt: skip


@pytest.fixture(scope="session")
def programs() -> Programs:
    built = realise(["prometheus", "alertmanager"])
    return Programs(
        promtool=built["prometheus"] / "bin" / "promtool",
        amtool=built["alertmanager"] / "bin" / "amtool",
    )


@pytest.fixture(scope="session")
def short_tests() -> dict[str, str]:
    """Of each file of unit tests only a quiet case and the first that fires: they take their time.

    File name → text.
    """
    texts = {}
    for path in (REPO / "stack" / "prometheus" / "tests").glob("*.yml"):
        document = yaml.safe_load(path.read_text())
        first: dict[tuple[str, bool], dict[str, object]] = {}
        for group in document["tests"]:
            for case in group.get("alert_rule_test") or ():
                kind = (case["alertname"], bool(case.get("exp_alerts")))
                first.setdefault(kind, {**group, "alert_rule_test": [case]})
        short = {**document, "tests": list(first.values()), "evaluation_interval": "15s"}
        texts[path.name] = yaml.safe_dump(short)
    return texts


@pytest.fixture
def setup(tmp_path: Path, programs: Programs, short_tests: dict[str, str]) -> Setup:
    """A copy that is whole: what a test finds wrong with it, the test did."""
    root = tmp_path / "stack"
    for folder in ("prometheus", "alertmanager", "runbooks"):
        shutil.copytree(REPO / "stack" / folder, root / folder)
    for name, text in short_tests.items():
        (root / "prometheus" / "tests" / name).write_text(text)
    for alert in load(root).alerts:
        path = tmp_path / "scenarios" / scenario_path(alert.name, alert.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Setup(
        config_root=root,
        scenarios=tmp_path / "scenarios",
        addresses=ADDRESSES,
        programs=programs,
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
