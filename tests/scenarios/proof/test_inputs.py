"""What a verdict follows from beside the configuration: code, packages, speed, machine."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scenarios.proof import catalogue, inputs
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.inputs import Inputs, Remembered
from stack.check.configuration import read
from stack.paths import CONFIG_ROOT, REPO

PACKAGES = {"prometheus": "0-prometheus-2.53", "glibc": "1-glibc-2.41"}

IMPORTS: dict[str, Sequence[str]] = {}
"""What modules import, by their content: read once for all tests."""

ONE, OTHER = "PostgreSQLDown", "HighErrorRate"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that is code."""
    repo = tmp_path_factory.mktemp("checkout")
    for name in ("stack", "loadgen", "scenarios"):
        shutil.copytree(REPO / name, repo / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dodo.py", "requirements.txt", "pyproject.toml", "README.md"):
        shutil.copy(REPO / name, repo / name)
    return repo


def look(repo: Path, *, speed: float = 60.0, packages: Mapping[str, str] = PACKAGES) -> Inputs:
    found = [
        ScenarioFile(scenario=one.scenario, file=repo / one.file.relative_to(REPO))
        for one in catalogue.find()
    ]
    return Inputs(read(CONFIG_ROOT), found, speed=speed, packages=packages, repo=repo,
                  imports=IMPORTS)  # fmt: skip


def of(repo: Path, **others: object) -> dict[str, dict[str, str]]:
    """Alert → its inputs, of two alerts."""
    known = look(repo, **others)  # type: ignore[arg-type]
    return {
        one.scenario.alert: known.of(
            ScenarioFile(scenario=one.scenario, file=repo / one.file.relative_to(REPO))
        )
        for one in catalogue.find()
        if one.scenario.alert in (ONE, OTHER)
    }


@pytest.fixture(scope="module")
def before(checkout: Path) -> dict[str, dict[str, str]]:
    return of(checkout)


def differ(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [one for one in {**before, **after} if before.get(one) != after.get(one)]


@pytest.mark.parametrize(
    ("file", "one", "other"),
    [
        ("scenarios/database/postgresql_down.py", ["scenario"], []),
        ("loadgen/faults/service.py", ["fault loadgen/faults/service.py"], []),
        ("loadgen/users.py", ["traffic loadgen/users.py"], ["traffic loadgen/users.py"]),
        ("stack/config/audience.py", ["audience table"], ["audience table"]),
        ("stack/programs/inbox/store.py", ["stack/programs/inbox"], ["stack/programs/inbox"]),
        ("stack/run/keeper.py", ["stack/run"], ["stack/run"]),
        ("scenarios/proof/chain.py", ["scenarios/proof"], ["scenarios/proof"]),
        ("requirements.txt", ["Python and its libraries"], ["Python and its libraries"]),
        ("scenarios/routing/grouping.py", [], []),
        ("scenarios/quiet/run.py", [], []),
        ("stack/check/coverage.py", ["stack/check"], ["stack/check"]),
        ("stack/mutation/rules.py", [], []),
        ("stack/lock.toml", [], []),
        ("README.md", [], []),
        ("dodo.py", [], []),
    ],
)
def test_an_edit_of_code_touches_whom_it_concerns(
    checkout: Path, before: dict[str, dict[str, str]], file: str, one: list[str], other: list[str]
) -> None:
    edited = checkout / file
    kept = edited.read_bytes()
    edited.write_bytes(kept + b"\n# more\n")
    try:
        after = of(checkout)
    finally:
        edited.write_bytes(kept)
    assert differ(before[ONE], after[ONE]) == one
    assert differ(before[OTHER], after[OTHER]) == other


DIFFERENT: dict[str, tuple[dict[str, object], list[str]]] = {
    "speed": ({"speed": 30.0}, ["speed"]),
    "package": (
        {"packages": {**PACKAGES, "glibc": "2-glibc-2.42"}},
        ["package glibc"],
    ),
    "logs": (
        {"packages": {**PACKAGES, "loki": "3", "promtail": "4"}},
        ["choice of logs", "package loki", "package promtail"],
    ),
    "dashboards": (
        {"packages": {**PACKAGES, "grafana": "3"}},
        ["choice of dashboards", "package grafana"],
    ),
}


@pytest.mark.parametrize(("made", "names"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_runs_is_an_input(
    checkout: Path, before: dict[str, dict[str, str]], made: dict[str, object], names: list[str]
) -> None:
    after = of(checkout, **made)
    assert sorted(differ(before[ONE], after[ONE])) == names


def test_routing_cases_have_their_own_code(checkout: Path) -> None:
    found = look(checkout).of_routing(checkout / "scenarios/routing/run.py")
    assert "scenarios/routing/grouping.py" in found
    assert "scenarios/database/postgresql_down.py" not in found


def test_the_machine_and_its_python_are_inputs(
    checkout: Path, before: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(inputs.sys, "version", "4.0")
    assert differ(before[ONE], of(checkout)[ONE]) == ["Python and its libraries", "machine"]


def test_what_is_remembered_of_imports_is_read_again_by_another_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Remembered(tmp_path / "imports.json")
    first.imports["a" * 64] = ["stack.paths"]
    first.keep()
    assert Remembered(tmp_path / "imports.json").imports == {"a" * 64: ["stack.paths"]}
    monkeypatch.setattr(inputs, "_reader", lambda: "another")
    assert Remembered(tmp_path / "imports.json").imports == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"seal": "", "content": {}}', b"\xff"])
def test_damaged_memory_of_imports_is_no_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "imports.json").write_bytes(content)
    assert Remembered(tmp_path / "imports.json").imports == {}
