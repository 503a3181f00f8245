"""A log query carried out on batches of entries."""

from collections.abc import Callable, Iterator, Mapping

from stack.logstore.logql import matching, stages
from stack.logstore.logql.ast import LineFilter, LogQuery
from stack.logstore.logql.entry import Entry, LabelKey, key_of
from stack.logstore.logql.hints import ALL, Hints
from stack.logstore.logql.source import Batch, Stream

Row = tuple[int, str, Stream, Mapping[str, str] | None]


def leading_filters(query: LogQuery) -> tuple[LineFilter, ...]:
    """The line filters that come before anything else: what a source may filter by itself."""
    filters = []
    for stage in query.stages:
        if not isinstance(stage, LineFilter):
            break
        filters.append(stage)
    return tuple(filters)


class Pipeline:
    """The stages of one query, compiled. Not for use in two threads at once."""

    def __init__(self, query: LogQuery, hints: Hints = ALL) -> None:
        leading = leading_filters(query)
        self._tests = [matching.passes(line_filter) for line_filter in leading]
        self._stages = stages.compiled(query.stages[len(leading) :], hints)
        self._entry = Entry()

    @property
    def changes_labels(self) -> bool:
        """Whether an entry's labels can be other than its stream's."""
        return bool(self._stages)

    def rows(self, batch: Batch) -> Iterator[Row]:
        """The entries whose lines pass the leading filters."""
        metadata = batch.metadata
        if metadata is None:
            metadata = [None] * len(batch.lines)
        rows: Iterator[Row] = zip(
            batch.timestamps_ns, batch.lines, batch.streams, metadata, strict=True
        )
        for test in self._tests:
            rows = _passing(rows, test)
        return rows

    def run(self, batch: Batch) -> Iterator[tuple[int, str, Stream, Entry]]:
        """Time, line, stream and labels of what passes.

        The same `Entry` every time: what is wanted of it must be taken before the next one.
        """
        entry, functions = self._entry, self._stages
        begin = entry.begin
        for timestamp_ns, text, stream, metadata in self.rows(batch):
            begin(stream.labels, metadata, timestamp_ns)
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
    """The label key of each stream, made once."""

    def __init__(self) -> None:
        self._keys: dict[Stream, LabelKey] = {}

    def of(self, stream: Stream) -> LabelKey:
        key = self._keys.get(stream)
        if key is None:
            key = self._keys[stream] = key_of(stream.labels)
        return key
