"""What the engine reads: the entries of a snapshot in order of time, one slice at a time."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from stack.logql import Batch, Stream
from stack.logql.ast import FilterOp, LineFilter, Matcher
from stack.logql.matching import selects
from stack.programs.logstore.database import files
from stack.programs.logstore.memtable import Memtable, Row, size_of, timestamp
from stack.programs.logstore.segment import Segment
from stack.programs.logstore.slices import Extent, slices
from stack.programs.logstore.snapshot import Snapshot
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.streams import Known

FIRST_ROWS = 2048
"""Rows in the first slice; each next one has twice as many, as long as few of them match."""
KEPT_ROWS = 32_768
"""Rows that a slice should have left after its filters: what is in memory at once."""
SCANNED_ROWS = 4_000_000


class Condition(NamedTuple):
    """A condition in SQL on a row of a segment, the values of its parameters, and additional
    columns that it needs: name -> expression."""

    sql: str
    values: Mapping[str, Any]
    columns: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class View:
    """A snapshot as a `Source`: all of it, or the part that a query still has to read."""

    store: LogStore
    snapshot: Snapshot
    condition: Condition | None = None
    """Rows of segments for which it is not true need not be read."""
    only_memory: bool = False
    """Leave the segments out."""
    deadline: float | None = None
    """By `time.monotonic`."""
    read: list[int] = field(default_factory=lambda: [0, 0])
    """Rows and bytes that were returned, for the statistics."""

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        backward: bool = False,
        line_filters: Sequence[LineFilter] = (),
    ) -> Iterator[Batch]:
        """See `Source.select`. Raises OutOfTime, TooLarge, Unreadable."""
        matched = {stream.ident: stream for stream in matching(self.store.streams, matchers)}
        within = self._segments(matched)
        units: list[Segment | Memtable] = [*within, *self.snapshot.memtables]
        extents = [
            Extent(*bounds)
            for unit in units
            if (bounds := unit.bounds(matched)) and bounds[0] < end_ns and bounds[1] >= start_ns
        ]
        condition = _both(self.condition, _hint(line_filters))
        spans = slices(extents, start_ns, end_ns, backward=backward)
        next(spans)
        wanted = FIRST_ROWS
        streams = {ident: known.stream for ident, known in matched.items()}
        while True:
            try:
                span = spans.send(wanted)
            except StopIteration:
                return
            rows = self._rows(within, matched, span, condition, backward)
            wanted = _next_wanted(wanted, len(rows))
            if rows:
                yield self._batch(rows, streams)

    def totals(
        self, matched: Collection[int], start_ns: int, end_ns: int
    ) -> dict[int, tuple[int, int]]:
        """(entries, bytes) of each stream with start_ns <= timestamp <= end_ns."""
        found: dict[int, list[int]] = {}

        def count(ident: int, rows: int, size_bytes: int) -> None:
            total = found.setdefault(ident, [0, 0])
            total[0] += rows
            total[1] += size_bytes

        cut = []
        for segment in overlapping(self._segments(matched), matched, start_ns, end_ns + 1):
            for ident, share in segment.shares.items():
                if ident not in matched:
                    continue
                if share.oldest_ns >= start_ns and share.newest_ns <= end_ns:
                    count(ident, share.rows, share.size_bytes)
                elif share.oldest_ns <= end_ns and share.newest_ns >= start_ns:
                    cut.append((segment, ident))
        for segment, ident in cut:
            where, _ = scan([segment], [ident], (start_ns, end_ns + 1), None)
            for rows, size_bytes in self.store.database.rows(
                f"SELECT count(*), coalesce(sum(size), 0) FROM {where}"
            ):
                count(ident, rows, int(size_bytes))
        for memtable in self.snapshot.memtables:
            with self.store.lock:
                rows_of = memtable.slice(matched, start_ns, end_ns + 1)
            for ident, _, line in rows_of:
                count(ident, 1, size_of([line]))
        return {ident: (rows, size) for ident, (rows, size) in found.items() if rows}

    def _segments(self, matched: Collection[int]) -> list[Segment]:
        if self.only_memory:
            return []
        return [segment for segment in self.snapshot.segments if segment.bounds(matched)]

    def _rows(
        self, within: Sequence[Segment], matched: Mapping[int, Known], span: tuple[int, int],
        condition: Condition | None, backward: bool,
    ) -> list[Row]:  # fmt: skip
        touched = overlapping(within, matched, *span)
        rows: list[Row] = []
        if touched:
            where, values = scan(touched, matched, span, condition)
            way = "DESC" if backward else "ASC"
            order = f"ts {way}, file_row_number {way}"
            if len(touched) > 1:
                order = f"ts {way}, filename {way}, file_row_number {way}"
            rows.extend(
                self.store.database.rows(
                    f"SELECT stream, ts, line FROM {where} ORDER BY {order}",
                    values, remaining_s(self.deadline),
                )
            )  # fmt: skip
        for memtable in self.snapshot.memtables:
            with self.store.lock:
                found = memtable.slice(matched, *span)
            if backward:
                rows[:0] = reversed(found)
            else:
                rows.extend(found)
        rows.sort(key=timestamp, reverse=backward)
        return rows

    def _batch(self, rows: Sequence[Row], streams: Mapping[int, Stream]) -> Batch:
        idents, timestamps_ns, lines = zip(*rows, strict=True)
        self.read[0] += len(rows)
        self.read[1] += sum(map(len, lines))
        return Batch(
            timestamps_ns=timestamps_ns, lines=lines,
            streams=list(map(streams.__getitem__, idents)),
        )  # fmt: skip


def _next_wanted(wanted: int, left: int) -> int:
    """Twice as many, but no more than leave `KEPT_ROWS` at the observed rate."""
    limit = KEPT_ROWS * wanted // max(left, 1)
    return max(min(2 * wanted, limit, SCANNED_ROWS), FIRST_ROWS)


def remaining_s(deadline: float | None) -> float | None:
    """Seconds until a deadline by `time.monotonic`; always above 0, which a timer needs."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.001)


def overlapping(
    segments: Sequence[Segment], idents: Collection[int], start_ns: int, end_ns: int
) -> list[Segment]:
    """Segments with entries of the streams in start_ns <= timestamp < end_ns."""
    return [
        segment
        for segment in segments
        if (bounds := segment.bounds(idents)) and bounds[0] < end_ns and bounds[1] >= start_ns
    ]


def scan(
    segments: Sequence[Segment], idents: Collection[int], span: tuple[int, int],
    condition: Condition | None,
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """The SQL after FROM for the rows of the streams, and the values of its parameters."""
    paths = [segment.path for segment in segments]
    sql = f"read_parquet({files(paths)}, filename = true, file_row_number = true) WHERE true"
    values: dict[str, Any] = {}
    if any(not (segment.shares.keys() <= set(idents))
           for segment in segments):  # fmt: skip
        sql += f" AND stream IN ({', '.join(map(str, idents))})"
    if any(bounds[0] < span[0] or bounds[1] >= span[1]
           for segment in segments if (bounds := segment.bounds(idents))):  # fmt: skip
        sql += f" AND ts >= {span[0]} AND ts < {span[1]}"
    if condition:
        if condition.columns:
            more = ", ".join(f"{made} AS {name}" for name, made in condition.columns.items())
            sql = f"(SELECT *, {more} FROM {sql}) WHERE true"
        sql += f" AND ({condition.sql})"
        values.update(condition.values)
    return sql, values


def matching(streams: Iterable[Known], matchers: Sequence[Matcher]) -> list[Known]:
    """The streams that all matchers match; a missing label counts as an empty one."""
    chosen = selects(matchers)
    return [stream for stream in streams if chosen(stream.labels)]


def _both(one: Condition | None, other: Condition | None) -> Condition | None:
    if one is None or other is None:
        return one or other
    return Condition(
        f"({one.sql}) AND ({other.sql})",
        {**one.values, **other.values},
        {**one.columns, **other.columns},
    )


def _hint(filters: Sequence[LineFilter]) -> Condition | None:
    """What lines must satisfy to pass the filters, as far as SQL can express it."""
    terms: list[str] = []
    values: dict[str, Any] = {}
    for count, line_filter in enumerate(filters):
        if term := filter_sql(line_filter, f"f{count}", values):
            terms.append(term)
    return Condition(" AND ".join(terms), values) if terms else None


_SQL = {
    FilterOp.CONTAINS: ("contains(line, ${})", ""),
    FilterOp.LACKS: ("contains(line, ${})", "NOT "),
    FilterOp.MATCHES: ("regexp_matches(line, ${})", ""),
    FilterOp.MATCHES_NOT: ("regexp_matches(line, ${})", "NOT "),
}


def filter_sql(line_filter: LineFilter, name: str, values: dict[str, Any]) -> str:
    """A line filter in SQL, exactly; "" if SQL cannot express it. Its texts go into `values`."""
    if line_filter.op not in _SQL or any(needle.ip for needle in line_filter.needles):
        return ""
    form, negation = _SQL[line_filter.op]
    parts = []
    for count, needle in enumerate(line_filter.needles):
        values[f"{name}_{count}"] = needle.text
        parts.append(form.format(f"{name}_{count}"))
    return f"{negation}({' OR '.join(parts)})"
