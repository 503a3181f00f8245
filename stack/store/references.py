"""Which store paths a store path or a running process mentions, whatever the record says."""

import mmap
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(rb"[0-9a-f]{32}-[A-Za-z0-9_.+~-]+")


def used_by_processes(names: Collection[str], proc: Path = Path("/proc")) -> set[str]:
    """Those of the store names that a running process has mapped, works in or was started with.

    Of other users' processes only the arguments can be read; the loader's name all libraries.
    """
    found: set[str] = set()
    for process in proc.glob("[0-9]*"):
        for file in ("maps", "cmdline"):
            with suppress(OSError):  # it ended meanwhile, or is not ours
                found |= mentioned((process / file).read_bytes(), names)
        with suppress(OSError):
            found |= mentioned(str((process / "cwd").readlink()).encode(), names)
    return found


def closed(roots: Iterable[str], store: Path, names: Collection[str]) -> set[str]:
    """The roots and all that these mention in files and links, and so on."""
    found: set[str] = set()
    waiting = set(roots)
    while waiting:
        found |= waiting
        waiting = {new for name in waiting for new in _of(store / name, names)} - found
    return found


def mentioned(text: bytes | mmap.mmap, names: Collection[str]) -> set[str]:
    # A name in a list or a path may be followed by what could be part of one (`NAME.drv`, `NAME-`).
    return {
        name
        for match in set(_NAME.findall(text))
        if (name := _longest(match.decode(), names)) is not None
    }


def _longest(text: str, names: Collection[str]) -> str | None:
    known = (text[:end] for end in range(len(text), 33, -1))
    return next((name for name in known if name in names), None)


def _of(path: Path, names: Collection[str]) -> Iterator[str]:
    for at in path.rglob("*"):
        if at.is_symlink():
            yield from mentioned(bytes(at.readlink()), names)
        elif at.is_file() and at.stat().st_size:
            with at.open("rb") as file:
                text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                with text:
                    yield from mentioned(text, names)
