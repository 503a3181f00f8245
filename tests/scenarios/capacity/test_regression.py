"""Real runs against real baselines: an endpoint that became a fifth slower is named, and runs of
what did not change are not told apart."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.paths import REPO

pytestmark = [pytest.mark.nightly, pytest.mark.alone, pytest.mark.timeout(1800)]

PAIRS = 5
SLOWER = 1.2
ENDPOINT = "GET /api/v1/people/[id]"
HANDLER = "async def read_person(person_id: Id, db: Db, claims: Caller) -> Person:\n"
FILE = "stack/programs/scheduler/routes/people.py"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def copy(tmp_path: Path, state_dir: Path) -> tuple[Path, Run]:
    """The sources of their own, and how they are measured at low rates."""
    there = tmp_path / "lab"
    ignored = shutil.ignore_patterns(".*", "reports", "tests", "__pycache__")
    shutil.copytree(REPO, there, ignore=ignored)

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "stack.tasks", "capacity", "scheduler", "--start", "20",
             "--highest", "80", *words],
            cwd=there, text=True, capture_output=True, check=False, timeout=300,
            env={**os.environ, "STACK_STATE": str(state_dir), "STACK_REPORTS": str(tmp_path)},
        )  # fmt: skip

    return there, run


def test_slower_endpoint_is_caught_and_five_clean_pairs_are_not(
    copy: tuple[Path, Run], tmp_path: Path
) -> None:
    there, run = copy
    before = tmp_path / "before.json"
    for number in range(PAIRS + 1):
        done = run(*(["--baseline", str(before)] if number else []))
        assert done.returncode == 0, f"pair {number}: {done.stdout}{done.stderr}"
        shutil.copy(tmp_path / "latest" / "report.json", before)
    medians = json.loads(before.read_text())["medians"][ENDPOINT]
    took = sorted(one for rate in medians.values() for one in rate)
    pause_s = (SLOWER - 1) * took[len(took) // 2]
    source = (there / FILE).read_text()
    assert source.count(HANDLER) == 1
    head, tail = source.split(HANDLER)
    (there / FILE).write_text(f"{head}{HANDLER}    __import__('time').sleep({pause_s!r})\n{tail}")
    done = run("--baseline", str(before))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"`{ENDPOINT}` takes 1." in done.stderr
