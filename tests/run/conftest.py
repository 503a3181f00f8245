"""The commands as a user runs them, on ports and in a state folder of their own."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT, REPO
from stack.run.ports import FREE, check_free, shifted
from stack.run.services import SERVICES

Doit = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-m", "stack.tasks"]


def _apart() -> list[int]:
    """Offsets whose ports meet neither each other's, nor the stack's own, nor those that are
    chosen where `--free-ports` is asked for."""
    own = {port for service in SERVICES.values() for port in service.ports.values()}
    offsets, taken = [], set(own)
    for offset in range(1000, FREE.start - max(own)):
        wanted = {port + offset for port in own}
        if not wanted & taken:
            offsets.append(offset)
            taken |= wanted
    return offsets


def _free_offset(*used: str) -> str:
    """One at which nobody listens, and which no other process of this run is given."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = _apart()[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    for candidate in random.SystemRandom().sample(mine, len(mine)):
        with contextlib.suppress(HostCannot):
            check_free(shifted(SERVICES.values(), candidate))
            if str(candidate) not in used:
                return str(candidate)
    raise AssertionError("at every port offset of this process somebody listens")


@pytest.fixture(scope="module")
def offset() -> str:
    """A port offset at which nobody listens."""
    return _free_offset()


@pytest.fixture(scope="module")
def moved(offset: str) -> str:
    """Another one, for what moves."""
    return _free_offset(offset)


@pytest.fixture(scope="session")
def copy_config() -> Callable[[Path], Path]:
    """Copies the configuration that people edit into a folder, where a test may break it."""

    def copied(root: Path) -> Path:
        for folder in CONFIG_ROOT.iterdir():
            if folder.is_dir() and not any(folder.glob("*.py")) and folder.name != "__pycache__":
                shutil.copytree(folder, root / folder.name)
        return root

    return copied


@pytest.fixture(scope="module")
def doit(state_dir: Path) -> Doit:
    def run(*arguments: str, before: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(before or []), *COMMAND, *arguments],
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def begun(state_dir: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command without waiting for it; killed when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
