"""A file for readers that want one, in memory where there is such a folder."""

import tempfile
from functools import cache
from pathlib import Path

_MEMORY = Path("/dev/shm")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None)


def folder(name: str) -> Path:
    found = Path(_folder().name) / name
    found.mkdir(exist_ok=True)
    return found


def file(name: str, data: bytes) -> Path:
    """A file of that name with these bytes."""
    path = Path(_folder().name) / name
    path.write_bytes(data)
    return path
