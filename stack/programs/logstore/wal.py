"""The write-ahead log: entries that were acknowledged but are not in a segment yet.

One file for each memtable, named by its number. A record is what one commit added: its length and
its CRC-32, then JSON. A commit is acknowledged once its record is on disk.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from stack.errors import HostCannot
from stack.programs.logstore.streams import Known

_CURE = "Move the file away to start without its entries."
_HEADER = struct.Struct("<II")


class Part(NamedTuple):
    """Entries of one stream, as columns of the same length."""

    stream: Known
    timestamps_ns: Sequence[int]
    lines: Sequence[str]


class Recorded(NamedTuple):
    """A part as it was written; a stream's labels are in its first record in the file."""

    labels: dict[str, str]
    timestamps_ns: list[int]
    lines: list[str]


class Wal:
    """One file that is appended to. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        """Continues where the last complete record ends. Raises OSError."""
        self.path = path
        self._size = _whole(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._file, self._size)
        sync_folder(path.parent)
        self._named: set[int] = set()

    def append(self, parts: Sequence[Part]) -> None:
        """Write a record and return once it is on disk.

        Raises OSError; the file is then as it was before.
        """
        body = orjson.dumps(
            [
                (
                    part.stream.ident,
                    None if part.stream.ident in self._named else dict(part.stream.labels),
                    part.timestamps_ns,
                    part.lines,
                )
                for part in parts
            ]
        )
        record = memoryview(_HEADER.pack(len(body), zlib.crc32(body)) + body)
        try:
            at = self._size
            while record:
                written = os.pwrite(self._file, record, at)
                record, at = record[written:], at + written
            os.fdatasync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size = at
        self._named.update(part.stream.ident for part in parts)

    def close(self) -> None:
        os.close(self._file)


def replay(path: Path) -> Iterator[Recorded]:
    """What the file holds. An incomplete last record, which was never acknowledged, is left out.

    Raises HostCannot for a broken record that is not the last one, and for one of a stream whose
    first record is gone.
    """
    labels: dict[int, dict[str, str]] = {}
    for body in _records(path):
        for ident, named, timestamps_ns, lines in orjson.loads(body):
            if named is not None:
                labels[ident] = named
            if ident not in labels:
                raise HostCannot(f"`{path}` is corrupt: a record is gone.", cure=_CURE)
            yield Recorded(labels[ident], timestamps_ns, lines)


def _whole(path: Path) -> int:
    """Bytes of the file up to the end of its last complete record; 0 if there is no file."""
    if not path.exists():
        return 0
    return sum(_HEADER.size + len(body) for body in _records(path))


def _records(path: Path) -> Iterator[bytes]:
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at + _HEADER.size <= size:
            length, checksum = _HEADER.unpack(file.read(_HEADER.size))
            end = at + _HEADER.size + length
            body = file.read(min(length, size - at))
            sound = zlib.crc32(body) == checksum
            # A length of 0 is what a file system leaves of an unfinished write.
            if not length or len(body) < length or (not sound and end == size):
                return
            if not sound:
                raise HostCannot(
                    f"`{path}` is corrupt: the record at byte {at} has a wrong checksum.",
                    cure=_CURE,
                )
            yield body
            at = end


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
