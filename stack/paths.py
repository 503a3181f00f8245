"""Where the lab keeps what it makes. Everything else derives from these folders.

As root both folders are the system's own, because PostgreSQL then runs under an unprivileged
user who may not enter root's home.
"""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
"""The checkout that this code runs from."""

CONFIG_ROOT = REPO / "stack" / "config"
"""The configuration that people edit."""

_NAME = "residency-lab"


def cache_dir() -> Path:
    """Folder of `artifacts/` and `store/`: safe to delete, made again by a build.

    `STACK_CACHE` in the environment overrides it.
    """
    return _folder("STACK_CACHE", Path("/var/cache"), "XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """Folder of `instances/`: what runs, and its data. `STACK_STATE` overrides it."""
    return _folder("STACK_STATE", Path("/var/lib"), "XDG_STATE_HOME", ".local/state")


def given(path: str) -> Path:
    """A path as the user typed it. Tasks run in the checkout, wherever `dodo.py` was called from;
    STACK_CALLED_FROM in the environment, set by the bootstrap, says where that was.
    """
    return Path(os.environ.get("STACK_CALLED_FROM", "."), path).absolute()


def short(path: Path) -> Path:
    """A path as short as it is where the user stands."""
    here = given(".")
    return path.relative_to(here) if path.is_relative_to(here) else path


def _folder(override: str, system: Path, xdg: str, home: str) -> Path:
    if chosen := os.environ.get(override):
        return given(chosen).resolve()
    if os.geteuid() == 0:
        return system / _NAME
    return given(os.environ.get(xdg) or str(Path.home() / home)).resolve() / _NAME
