"""Imports go one way, and `doit lint` notices one that does not (the contract: pyproject.toml)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

WRONG = [
    (
        "stack/errors.py",
        "from loadgen import shapes",
        ["stack is not allowed to import loadgen", "stack.errors -> loadgen.shapes"],
    ),
    (
        "stack/store/tree.py",
        "from stack.run import ports",
        ["stack.store is not allowed to import stack.run", "stack.store.tree -> stack.run.ports"],
    ),
    (
        "stack/programs/worker/strain.py",
        "from stack.run import supervisor",
        ["stack.programs.worker.strain -> stack.run.supervisor"],
    ),
    (
        "stack/programs/worker/strain.py",
        "from stack.programs.simhost import model",
        ["stack.programs.worker is not allowed to import stack.programs.simhost"],
    ),
    (
        "stack/tasks/gc.py",
        "from stack.programs.inbox import message",
        ["Illegal imports of protected package stack.programs.inbox", "stack.tasks.gc ->"],
    ),
    (
        "scenarios/proof/verdict.py",
        "from scenarios.routing import bench",
        ["scenarios.proof is not allowed to import scenarios.routing"],
    ),
    (
        "stack/logql/tokens.py",
        "from stack.logql import parse",
        ["No cycles are allowed in stack.logql"],
    ),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("stack", "loadgen", "scenarios"):
        shutil.copytree(
            REPO / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    return tmp_path


def lint(checkout: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"],
        cwd=checkout, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_contract_is_kept() -> None:
    code, said = lint(REPO)
    assert code == 0, said


@pytest.mark.parametrize(("file", "line", "named"), WRONG, ids=[row[1] for row in WRONG])
def test_wrong_import_is_named(copy: Path, file: str, line: str, named: list[str]) -> None:
    path = copy / file
    path.write_text(f"{path.read_text()}\n{line}  # noqa\n")
    code, said = lint(copy)
    assert code == 1
    for words in named:
        assert words in said
