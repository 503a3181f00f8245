"""The simulated host's folder: files replaced atomically, and the state kept between two runs."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from stack import jsontext
from stack.errors import HostCannot
from stack.programs.simhost.files import proc_files, sys_files
from stack.programs.simhost.model import CPUS, Levels, State

_MOST = 2**62
"""No figure of a host comes near; from more, and from what is no number, nothing could be counted
on."""


def replace_text(path: Path, text: str) -> None:
    """Give `path` new content so that a reader sees the old or the new one, never a mixture.

    The host and its exporter start together, and both prepare the folder: each uses a temporary
    name of its own.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb", buffering=0) as file:  # the texts are small: one call writes all
        file.write(text.encode())
    aside.replace(path)


def prepare(root: Path) -> None:
    """Make the folders and the files that never change. Raises HostCannot."""
    try:
        for folder in ("proc/net", "proc/1", "proc/self", "sys", "root", "udev"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in sys_files().items():
            (root / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
            replace_text(root / "sys" / name, text)
    except OSError as error:
        raise HostCannot(f"simulated host in `{root}`: {error}") from error


def write(root: Path, state: State, levels: Levels) -> None:
    """Write one moment. The state goes first: a kill between two files loses no counts."""
    replace_text(root / "state.json", json.dumps(asdict(state)))
    for name, text in proc_files(state, levels).items():
        replace_text(root / "proc" / name, text)


def load(root: Path) -> State | None:
    """The state of the previous run; None if there was none or it cannot be used."""
    try:
        state = jsontext.made(State, jsontext.read((root / "state.json").read_bytes()))
    except (OSError, ValueError):
        return None
    figures = asdict(state)
    counts = [*figures.pop("busy_s"), *figures.pop("idle_s"), *figures.values()]
    if not all(0 <= count < _MOST for count in counts):
        return None
    return state if len(state.busy_s) == len(state.idle_s) == CPUS else None
