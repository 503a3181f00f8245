"""Segments: entries at rest, one Parquet file each, with an index beside it.

A segment's name is the numbers of the first and last write-ahead log that it contains, so that the
names alone say what a crash left half done: a log that a segment contains is not replayed, and a
segment within the range of another was merged into it. Rows are in order of time, equal timestamps
in order of arrival.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from stack import jsontext
from stack.errors import HostCannot
from stack.programs.logstore.database import Database, files, literal
from stack.programs.logstore.memtable import Row
from stack.programs.logstore.streams import Known
from stack.programs.logstore.wal import sync_folder

ROWS_PER_GROUP = 16_384
"""Rows that are read together; the oldest and newest timestamps of each group are known."""

_FORMAT = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, "
    f"ROW_GROUP_SIZE {ROWS_PER_GROUP}"
)
_MEMBER = (
    r'"[A-Za-z_][A-Za-z0-9_]*"[ \t\r\n]*:[ \t\r\n]*'
    r'(?:"[^"\\\x00-\x1f\x{FFFD}]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?'
    r"|true|false|null)[ \t\r\n]*"
)
PLAIN_JSON = rf"\{{[ \t\r\n]*(?:{_MEMBER}(?:,[ \t\r\n]*{_MEMBER})*)?\}}"
"""Lines that every parser reads the same: one JSON object without nesting or escapes, whose keys
are valid label names. Stored for each row, so that SQL can answer for it (`pushdown`).
"""

_ROWS_PER_INSERT = 8192
_MAGIC = b"PAR1"


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a segment holds of one stream."""

    labels: Mapping[str, str]
    rows: int
    size_bytes: int
    oldest_ns: int
    newest_ns: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """One file, and what its index says about it."""

    path: Path
    first: int
    last: int
    disk_bytes: int
    shares: Mapping[int, Share]

    @property
    def rows(self) -> int:
        return sum(share.rows for share in self.shares.values())

    def bounds(self, idents: Iterable[int]) -> tuple[int, int, int] | None:
        """(oldest, newest, rows) of the streams; None if it has none of them."""
        found = [share for ident in idents if (share := self.shares.get(ident))]
        if not found:
            return None
        return (
            min(share.oldest_ns for share in found),
            max(share.newest_ns for share in found),
            sum(share.rows for share in found),
        )

    @property
    def newest_ns(self) -> int:
        return max(share.newest_ns for share in self.shares.values())

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)
        _index_of(self.path).unlink(missing_ok=True)


def write(
    database: Database, folder: Path, number: int, rows: Sequence[Row], known: Mapping[int, Known]
) -> Segment:
    """A segment with what one memtable held, safe on disk. Raises OSError or LabError."""
    path = folder / f"{number:08}-{number:08}.parquet"
    with database.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE settling "
            "(stream BIGINT, ts BIGINT, size INTEGER, plain BOOLEAN, line VARCHAR)"
        )
        for at in range(0, len(rows), _ROWS_PER_INSERT):
            streams, timestamps_ns, lines = zip(*rows[at : at + _ROWS_PER_INSERT], strict=True)
            cursor.execute(
                "INSERT INTO settling SELECT stream, ts, strlen(line), "
                "regexp_full_match(line, $plain), line FROM (SELECT "
                "unnest($streams::BIGINT[]) stream, unnest($ts::BIGINT[]) ts, "
                "unnest($lines::VARCHAR[]) line)",
                {"streams": streams, "ts": timestamps_ns, "lines": lines, "plain": PLAIN_JSON},
            )
        temporary = _temporary(path)
        cursor.execute(f"COPY settling TO {literal(str(temporary))} ({_FORMAT})")
        shares = cursor.execute(
            "SELECT stream, count(*), sum(size), min(ts), max(ts) FROM settling GROUP BY stream"
        ).fetchall()
        cursor.execute("DROP TABLE settling")
    labels = {ident: dict(known[ident].labels) for ident, *_ in shares}
    return _put(path, number, number, _shares(shares, labels))


def merge(database: Database, segments: Sequence[Segment]) -> Segment:
    """One segment in place of several with consecutive numbers, which are not deleted yet."""
    first, last = segments[0].first, segments[-1].last
    path = segments[0].path.with_name(f"{first:08}-{last:08}.parquet")
    source = f"read_parquet({files([segment.path for segment in segments])}, " + (
        "filename = true, file_row_number = true)"
    )
    with database.cursor() as cursor:
        cursor.execute(
            f"COPY (SELECT stream, ts, size, plain, line FROM {source} "
            f"ORDER BY ts, filename, file_row_number) TO {literal(str(_temporary(path)))} "
            f"({_FORMAT})"
        )
        shares = cursor.execute(
            f"SELECT stream, count(*), sum(size), min(ts), max(ts) FROM {source} GROUP BY stream"
        ).fetchall()
    labels = {
        ident: dict(share.labels) for segment in segments for ident, share in segment.shares.items()
    }
    return _put(path, first, last, _shares(shares, labels))


def _shares(
    counted: Iterable[Sequence[int]], labels: Mapping[int, Mapping[str, str]]
) -> dict[int, Share]:
    return {
        ident: Share(labels=labels[ident], rows=rows, size_bytes=int(size_bytes),
                     oldest_ns=oldest_ns, newest_ns=newest_ns)
        for ident, rows, size_bytes, oldest_ns, newest_ns in counted
    }  # fmt: skip


def _put(path: Path, first: int, last: int, shares: dict[int, Share]) -> Segment:
    """Move the written file into place, after its index."""
    temporary = _temporary(path)
    _sync(temporary)
    disk_bytes = temporary.stat().st_size
    index = {
        "disk_bytes": disk_bytes,
        "streams": {str(ident): vars(share) for ident, share in shares.items()},
    }
    index_path = _index_of(path)
    index_path.write_bytes(orjson.dumps(index))
    _sync(index_path)
    temporary.rename(path)
    sync_folder(path.parent)
    return Segment(path=path, first=first, last=last, disk_bytes=disk_bytes, shares=shares)


def open_all(folder: Path) -> list[Segment]:
    """The segments of a folder in order, after removing what a crash left half done.

    Raises HostCannot naming a segment that is incomplete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("*.tmp"):
        leftover.unlink()
    for index in folder.glob("*.json"):
        if not index.with_suffix(".parquet").exists():
            index.unlink()
    kept: list[Segment] = []
    for path in sorted(folder.glob("*.parquet"), key=_widest_first):
        first, last = map(int, path.stem.split("-"))
        if kept and last <= kept[-1].last:  # it was merged into the one before
            path.unlink()
            _index_of(path).unlink(missing_ok=True)
        else:
            kept.append(_open(path, first, last))
    return kept


def _widest_first(path: Path) -> tuple[int, int]:
    first, last = map(int, path.stem.split("-"))
    return first, -last


def _open(path: Path, first: int, last: int) -> Segment:
    try:
        index = orjson.loads(_index_of(path).read_bytes())
        shares = {
            int(ident): jsontext.made(Share, share) for ident, share in index["streams"].items()
        }
        disk_bytes = index["disk_bytes"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _corrupt(path, f"its index cannot be read: {error}") from None
    with path.open("rb") as file:
        size, head = path.stat().st_size, file.read(4)
        file.seek(max(size - 4, 0))
        if size != disk_bytes:
            raise _corrupt(path, f"it has {size} bytes, not {disk_bytes}")
        if head != _MAGIC or file.read(4) != _MAGIC:
            raise _corrupt(path, "it is not a Parquet file")
    return Segment(path=path, first=first, last=last, disk_bytes=disk_bytes, shares=shares)


def _corrupt(path: Path, why: str) -> HostCannot:
    return HostCannot(
        f"segment `{path}` is corrupt: {why}.",
        cure="Restore it, or move it and its index away to start without its entries.",
    )


def _temporary(path: Path) -> Path:
    return path.with_suffix(".tmp")


def _index_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
