"""The tasks for those who change the lab: `lint` and `test`."""

import subprocess
import sys

from stack.errors import CheckFailed
from stack.paths import REPO


def lint() -> None:
    """ruff, its format and mypy. Raises CheckFailed naming those that complained."""
    tools = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
    bad = [" ".join(tool) for tool in tools if _run(tool)]
    if bad:
        raise CheckFailed(
            f"`{'`, `'.join(bad)}` found something.", cure="`ruff format .` mends the format."
        )


def test(arguments: list[str]) -> None:
    """The linters, then pytest on two processes. Raises CheckFailed when anything failed."""
    lint()
    code = _run(["pytest", "-n", "2", *arguments])
    if code:
        raise CheckFailed(f"the tests failed (pytest ended with {code}).")


def _run(tool: list[str]) -> int:
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", *tool], cwd=REPO, check=False).returncode
