"""The workflow is one that GitHub takes, and does what `doit nightly` does."""

import subprocess
import sys
from pathlib import Path

import yaml

from stack.paths import REPO

WORKFLOW = REPO / ".github" / "workflows" / "nightly.yml"


def complaints(file: Path) -> str:
    """By the schema that comes with check-jsonschema: it asks nobody."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows",
         file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_workflow_has_the_shape_that_is_documented() -> None:
    assert complaints(WORKFLOW) == ""


def test_slip_in_a_workflow_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW.read_text().replace("timeout-minutes:", "timeout-minuts:"))
    assert "timeout-minuts" in complaints(broken)


def test_store_is_cached_by_the_lock_and_the_night_is_one_command() -> None:
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    steps = {one.get("name", one.get("uses")): one for one in job["steps"]}
    assert "hashFiles('stack/lock.toml')" in steps["Store"]["with"]["key"]
    assert steps["Nightly"]["run"].startswith("python3 dodo.py nightly ")
    assert "secrets." not in steps["Nightly"]["run"]  # a shell would take it for words
    assert "reports/nightly/summary.md" in steps["Summary"]["run"]
    assert all("${{" not in one.get("run", "") for one in job["steps"])
