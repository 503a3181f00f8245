"""A log query, run on batches of entries."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from stack.logql import matching, stages
from stack.logql.ast import Decolorize, LabelFormat, LineFilter, LineFormat, LogQuery, Stage, Unpack
from stack.logql.budget import Account
from stack.logql.entry import Entry, LabelKey, key_of
from stack.logql.hints import ALL, Hints
from stack.logql.source import Batch, Stream

Row = tuple[int, str, Stream, Mapping[str, str] | None]


_CHAINED = 8
"""Filters that call each other, row by row, which is fastest; more of them go list by list."""

_CHANGING = (LineFormat, Unpack, Decolorize)


def leading_filters(query: LogQuery) -> tuple[LineFilter, ...]:
    """The line filters that see the line as stored, so that a source may apply them itself."""
    return _split(query.stages)[0]


def _split(stages: Sequence[Stage]) -> tuple[tuple[LineFilter, ...], list[Stage]]:
    """The line filters that may run first (no stage before them changes the line); the rest."""
    first: list[LineFilter] = []
    rest: list[Stage] = []
    changed = False
    for stage in stages:
        changed = changed or isinstance(stage, _CHANGING)
        if isinstance(stage, LineFilter) and not changed:
            first.append(stage)
        else:
            rest.append(stage)
    return tuple(first), rest


class Pipeline:
    """The stages of one query, compiled. Not for use in two threads at once."""

    def __init__(self, query: LogQuery, hints: Hints = ALL, account: Account | None = None) -> None:
        leading, rest = _split(query.stages)
        self._account = account
        self._tests = [matching.passes(line_filter) for line_filter in leading]
        self._stages = stages.compiled(rest, hints)
        self._entry = Entry(account)
        self._formats = any(isinstance(stage, LineFormat | LabelFormat) for stage in rest)

    @property
    def changes_labels(self) -> bool:
        """Whether an entry's labels can differ from its stream's."""
        return bool(self._stages)

    def rows(self, batch: Batch) -> Iterator[Row]:
        """The entries whose lines pass the leading filters."""
        metadata = batch.metadata
        if metadata is None:
            metadata = [None] * len(batch.lines)
        rows: Iterator[Row] = zip(
            batch.timestamps_ns, batch.lines, batch.streams, metadata, strict=True
        )
        for test in self._tests[:_CHAINED]:
            rows = _passing(rows, test)
        for test in self._tests[_CHAINED:]:
            rows = iter([row for row in rows if test(row[1])])
            if self._account:
                self._account.check_time()
        return rows

    def run(self, batch: Batch) -> Iterator[tuple[int, str, Stream, Entry]]:
        """Time, line, stream and labels of what passes.

        It is the same `Entry` every time: take what you need before the next one.
        """
        entry, functions = self._entry, self._stages
        begin = entry.begin
        meter = entry.meter if self._formats else None
        for timestamp_ns, text, stream, metadata in self.rows(batch):
            begin(stream.labels, metadata, timestamp_ns)
            if meter:
                meter.begin()
            line: str | None = text
            for function in functions:
                line = function(line, entry)  # type: ignore[arg-type]  # never None here
                if line is None:
                    break
            else:
                yield timestamp_ns, line, stream, entry  # type: ignore[misc]


def _passing(rows: Iterator[Row], test: Callable[[str], bool]) -> Iterator[Row]:
    return (row for row in rows if test(row[1]))


class StreamKeys:
    """The label key of each stream, computed once."""

    def __init__(self) -> None:
        self._keys: dict[Stream, LabelKey] = {}

    def of(self, stream: Stream) -> LabelKey:
        key = self._keys.get(stream)
        if key is None:
            key = self._keys[stream] = key_of(stream.labels)
        return key
