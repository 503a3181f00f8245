"""How far each file was sent: a file beside the shipper's data, always replaced as a whole.

It is not synced to disk: after a crash of the host a few lines are sent again, which the store
already has.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from stack import jsontext
from stack.errors import HostCannot
from stack.programs.logship.reader import Note

_MOST = 2**63
"""Offsets, inodes and nanoseconds since 1970 stay below it."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a file was read, and what the next timestamp depends on. Times are ns since 1970."""

    offset: int
    own_ns: int
    """The last timestamp that came from a line itself, as it was sent."""
    clock_ns: int
    """The last one that came from the clock."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far one file, identified by its inode and its beginning, was sent."""

    job: str
    path: str
    """Under which it is collected; it may have been renamed since."""
    inode: int
    head: str
    """Its first bytes, in hexadecimal."""
    mark: Mark
    """Everything before it was acknowledged."""
    notes: tuple[Note, ...]
    """What the clock decided after it."""


def save(file: Path, positions: Iterable[Position]) -> None:
    """Raises HostCannot when the file cannot be written."""
    document = orjson.dumps({"version": 1, "files": list(positions)})
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_bytes(document)
        new.replace(file)
    except OSError as error:
        raise HostCannot(
            f"positions cannot be written to `{file}`: {error.strerror}.",
            cure="Free disk space, or make its folder writable; nothing is sent until then.",
        ) from None


def load(file: Path) -> tuple[list[Position], str]:
    """What `save` wrote, and what is wrong with the file; empty if nothing is.

    A file that cannot be read is moved aside, and all logs are then read from the start.
    """
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], _aside(file, str(error))
    try:
        document = orjson.loads(text)
        return [_position(each) for each in document["files"]], ""
    except (ValueError, KeyError, TypeError) as error:
        return [], _aside(file, f"{type(error).__name__}: {error}")


def _position(entry: object) -> Position:
    """Raises ValueError for what `save` cannot have written."""
    found = jsontext.made(Position, entry)
    bytes.fromhex(found.head)
    mark = found.mark
    numbers = [found.inode, mark.offset, mark.own_ns, mark.clock_ns]
    for note in found.notes:
        numbers += [note.start, note.end, note.time_ns]
    if not all(0 <= number < _MOST for number in numbers):
        raise ValueError("a number is negative, or larger than any that a file has")
    if "\0" in found.path:
        raise ValueError("a path has a NUL in it")
    return found


def _aside(file: Path, why: str) -> str:
    kept = file.with_name(f"{file.name}.bad")
    try:
        file.replace(kept)
    except OSError as error:
        return f"`{file}` cannot be read ({why}) or moved aside ({error})"
    return f"`{file}` cannot be read ({why}); it was moved aside to `{kept.name}`"
