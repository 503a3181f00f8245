"""Writes several files, or none of them."""

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def write(contents: Mapping[Path, str]) -> None:
    """Write each file's text. All are written aside first and then renamed, in this order.

    Whatever goes wrong, and whoever interrupts it, no file is changed. Only what cannot be caught,
    between two renames, leaves some of them. Raises OSError.
    """
    aside: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            aside[path] = path.with_name(f".{path.name}.draft")
            with aside[path].open("w") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, aside[path])
        with _undisturbed():
            _rename(aside)
    finally:
        for path in aside.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _rename(aside: Mapping[Path, Path]) -> None:
    done: dict[Path, bytes | None] = {}
    try:
        for path, new in aside.items():
            before = path.read_bytes() if path.exists() else None
            new.replace(path)
            done[path] = before
    except OSError:
        for path, before in done.items():
            if before is None:
                path.unlink()
            else:
                path.write_bytes(before)
        raise


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end a program wait until the block is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
