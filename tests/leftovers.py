"""What a run of the tests makes outside pytest's own folder, and what earlier ones left behind.

However a run ends, the next one of the same user finds its folders, processes and mounts, and
removes them: a run holds a lock for as long as it lives, and all that it starts inherits its mark.
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "LAB_TEST_RUN"
"""Environment variable of a run and of all that it starts: the run's own folder."""

_PREFIX = "lab-run-"
_MADE = "folders"
"""File in the run's folder that names, one a line, the others that it made. Only there once the
lock is held."""


@contextmanager
def run(parent: Path = Path("/tmp")) -> Iterator[Path]:
    """The folder of a run that lasts as long as the block."""
    folder = parent / f"{_PREFIX}{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    before = os.environ.get(MARK)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        (folder / _MADE).touch()
        os.environ[MARK] = str(folder)
        yield folder
    finally:
        os.close(lock)
        os.environ.pop(MARK)
        if before is not None:
            os.environ[MARK] = before
        shutil.rmtree(folder, ignore_errors=True)


def fresh(prefix: str, parent: str = "/tmp") -> Path:
    """A new folder that only its owner may enter; whoever asks for it removes it."""
    folder = Path(parent) / f"{prefix}{secrets.token_hex(4)}"
    if MARK in os.environ:  # a benchmark is no run of tests
        with (Path(os.environ[MARK]) / _MADE).open("a") as made:
            made.write(f"{folder}\n")
    folder.mkdir(mode=0o700)
    return folder


def sweep(parent: Path = Path("/tmp")) -> list[Path]:
    """End and remove what runs of this user left that have ended; their folders."""
    swept = []
    for folder in sorted(parent.glob(f"{_PREFIX}*")):
        with suppress(OSError):  # somebody else sweeps, too
            made = folder / _MADE
            if folder.is_symlink() or made.stat().st_uid != os.geteuid():
                continue
            with _held_by_nobody(folder) as dead:
                if dead:
                    _end(folder)
                    for path in [*map(Path, made.read_text().splitlines()), folder]:
                        _remove(path)
                    swept.append(folder)
    return swept


@contextmanager
def _held_by_nobody(folder: Path) -> Iterator[bool]:
    """Whether the run has ended; for as long as the block lasts nobody else sweeps it."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _end(folder: Path) -> None:
    """Kill all that has the mark of the run. Some are started again by others, until none is."""
    while found := [one for one in psutil.process_iter() if _mark(one) == str(folder)]:
        for one in found:
            with suppress(psutil.Error):
                one.send_signal(signal.SIGKILL)
        psutil.wait_procs(found, timeout=5)


def _mark(process: psutil.Process) -> str | None:
    try:
        alive = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
        return str(process.environ().get(MARK)) if alive else None
    except (psutil.Error, OSError):
        return None


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():  # which may be PostgreSQL's user's by now
        return
    below = [one.mountpoint for one in psutil.disk_partitions(all=True)]
    for mount in sorted((one for one in below if Path(one).is_relative_to(path)), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    for entry in path.rglob("*"):  # what was built into a store may not be written
        if entry.is_dir() and not entry.is_symlink():
            entry.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
