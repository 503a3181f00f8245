"""The tasks for those who change the lab: `lint` and `test`."""

import os
import subprocess
import sys
from pathlib import Path

from stack.errors import BadInput, CheckFailed
from stack.paths import REPO

_NO_TESTS = 5
"""pytest's exit code when it was left without a test."""

_PUTS_IN_ORDER_S = 60.0

_PYTHON = [sys.executable, "-m"]
_IMPORTS = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]


def lint() -> None:
    """ruff, its format, mypy, and the contract on imports (pyproject.toml).

    Raises CheckFailed naming those that complained.
    """
    tools = {
        "ruff check": [*_PYTHON, "ruff", "check", "."],
        "ruff format": [*_PYTHON, "ruff", "format", "--check", "."],
        "mypy": [*_PYTHON, "mypy"],
        "lint-imports": _IMPORTS,
    }
    bad = [name for name, tool in tools.items() if _run(tool, name)]
    if bad:
        raise CheckFailed(
            f"`{'`, `'.join(bad)}` found something to fix.",
            cure="`ruff format .` fixes the format.",
        )


def test(arguments: list[str]) -> None:
    """The linters, then pytest: what has deadlines of its own to keep runs alone, the rest before
    it on one process more than there are cores, since tests wait for services. `-m` among the
    arguments chooses by itself, one test after another; what is marked `nightly` runs only so.
    Raises CheckFailed when anything failed."""
    lint()
    processes = f"{(os.cpu_count() or 1) + 1}"
    parts = {
        f"tests, {processes} at a time": ["-n", processes, "-m", "not alone and not nightly"],
        # With their names, as each begins: one of them may take a minute.
        "tests that keep deadlines, one by one": ["-v", "-v", "-m", "alone and not nightly"],
    }
    if "-m" in arguments:
        parts = {"tests": []}
    codes = [_run([*_PYTHON, "pytest", *part, *arguments], what) for what, part in parts.items()]
    if failed := [code for code in codes if code not in (0, _NO_TESTS)]:
        raise CheckFailed(f"the tests failed (pytest ended with {failed[0]}).")
    if set(codes) == {_NO_TESTS}:
        raise BadInput(
            f"no test matches {' '.join(arguments)}.", cure="See `pytest --collect-only`."
        )


def _run(command: list[str], what: str) -> int:
    """Its exit code. What it says is its own, and on the terminal. After Ctrl-C, which it gets as
    well, it is waited for: pytest stops what its tests began, and says what failed."""
    print(f"{what} …", flush=True)
    with subprocess.Popen(command, cwd=REPO) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(_PUTS_IN_ORDER_S)
            except BaseException:  # too long, or a second Ctrl-C
                process.kill()
            raise
