"""Scenarios are imported, in a process of their own, and say what is wrong with themselves.

Importing Locust takes longer than all other checks together, so what imported well is not imported
again until some file of `scenarios/` or `loadgen/` changes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from stack.check import passed_tests
from stack.check.coverage import NO_SCENARIOS
from stack.check.problem import Problem
from stack.errors import HostCannot
from stack.paths import REPO
from stack.progress import Progress

_TIMEOUT_S = 120.0

_PROGRAM = """
import importlib.util, json, sys, traceback
found = []
for name, file in enumerate(sys.argv[1:]):
    try:
        spec = importlib.util.spec_from_file_location(f"scenario_{name}", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for said in module.SCENARIO.problems():
            found.append([file, None, said])
    except SyntaxError:
        pass
    except BaseException as error:
        said = traceback.TracebackException.from_exception(error)
        lines = [frame.lineno for frame in said.stack if frame.filename == file]
        words = " ".join("".join(said.format_exception_only()).split())
        found.append([file, lines[-1] if lines else None, words])
print("\\n" + json.dumps(found))
"""
"""A file that is not valid Python is told by `declared`, with its line."""


def check(scenarios: Path, report: Progress) -> Iterator[Problem]:
    """`scenarios` is their folder; `loadgen/` lies beside it, or the lab's own is used."""
    files = sorted(
        path
        for path in scenarios.glob("*/*.py")
        if path.parent.name not in NO_SCENARIOS
        and not path.name.startswith("_")
        and path.stat().st_size
    )
    key = passed_tests.key(
        sys.executable,
        *(part for folder in (scenarios, scenarios.parent / "loadgen", REPO / "stack")
          for path in sorted(folder.rglob("*.py"))
          for part in (path.relative_to(folder), path.read_bytes())),
    )  # fmt: skip
    if not files or passed_tests.passed(key):
        return
    with report.doing(f"importing {len(files)} scenarios"):
        problems = [_problem(*one) for one in _imported(files, scenarios.parent)]
    if not problems:
        passed_tests.remember(key)
    yield from problems


def _imported(files: list[Path], root: Path) -> list[tuple[str, int | None, str]]:
    """File, line and words of each fault."""
    paths = os.pathsep.join(dict.fromkeys([str(root), str(REPO)]))
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *map(str, files)],
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=root,
            stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostCannot(
            f"scenarios could not be imported within {_TIMEOUT_S:.0f} s.",
            cure="The machine is too busy, or one of them waits for something as it is imported.",
        ) from None
    except OSError as error:
        raise HostCannot(f"scenarios cannot be imported: {error}.") from None
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        words = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        found = [[str(files[0].parent.parent), None, f"importing them ended with {words[0]}"]]
    return [(file, line, said) for file, line, said in found]


def _problem(file: str, line: int | None, said: str) -> Problem:
    return Problem(
        check="scenarios/import",
        path=Path(file),
        line=line,
        what=f"it cannot be played: {said.rstrip('.')}.",
        cure="Fix it; `doit verify-alerts` would stop here.",
    )
