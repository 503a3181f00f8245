"""Turns the entries of a range aggregation into samples, by series."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stack.logql import golang, hints, stages
from stack.logql.ast import (
    And,
    BytesFilter,
    Conversion,
    DurationFilter,
    Grouping,
    IpFilter,
    LabelFormat,
    LineFormat,
    NumberFilter,
    Or,
    RangeAggregation,
    Rename,
    Stage,
    StringFilter,
)
from stack.logql.budget import Account
from stack.logql.entry import PRESERVE, Entry, LabelKey, key_of
from stack.logql.hints import Hints
from stack.logql.pipeline import Pipeline, StreamKeys
from stack.logql.source import Batch, Stream
from stack.logql.template import compiled

UNWRAP_FAILED = "SampleExtractionErr"
BY_BYTES = {"bytes_over_time", "bytes_rate"}
SUMMABLE = {"bytes_over_time", "bytes_rate", "sum_over_time", "rate", "count_over_time"}
"""Operations that an outer `sum` groups while entries are read: only the group's labels matter."""


def _seconds(text: str) -> float:
    return golang.duration_ns(text) / 1e9


_READERS: dict[Conversion, Callable[[str], float]] = {
    Conversion.NONE: golang.float_of,
    Conversion.DURATION: _seconds,
    Conversion.DURATION_SECONDS: _seconds,
    Conversion.BYTES: golang.size_bytes,
}


@dataclass(kw_only=True)
class Samples:
    """The samples of one series, oldest first."""

    times_ns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    """As many as times; empty if the operation only counts."""
    failed: bool = False
    """Its entries have an `__error__` that nobody asked for: a query that uses them fails."""


class Sampler:
    """Collects the samples of one range aggregation, from batches in order of time.

    `outer` is the grouping of a `sum` around it. Raises LogQLError for invalid stages.
    """

    def __init__(
        self, query: RangeAggregation, outer: Grouping | None, account: Account | None = None
    ) -> None:
        self.query = query
        grouping = outer or query.grouping
        self._groups = sorted(grouping.labels) if grouping else []
        self._without = grouping.without if grouping else False
        self._no_labels = query.op == "absent_over_time" or (
            grouping is not None and not grouping.labels and not grouping.without
        )
        if query.unwrap and (not self._groups or self._without):
            self._without = True
            self._groups.append(query.unwrap.name)
        self._hints = self._needed()
        self._account = account
        self._pipeline = Pipeline(query.query, self._hints, account)
        self._value = self._unwrapping() if query.unwrap else None
        self._keys = StreamKeys()
        self._grouped: dict[Stream, LabelKey] = {}
        self._labels: dict[tuple[str | None, ...], LabelKey] = {}
        self.series: dict[LabelKey, Samples] = {}

    def _needed(self) -> Hints:
        wanted = _names(self.query.query.stages)
        if self.query.unwrap:
            for one in self.query.unwrap.filters:
                wanted += _names([one])
            wanted.append(self.query.unwrap.name)
        wanted += self._groups
        if self._no_labels:
            return hints.required(wanted) if any(wanted) else Hints(nothing=True)
        if self._without or not self._groups:
            return hints.ALL
        return hints.required(wanted)

    def _unwrapping(self) -> Callable[[Entry], float | None]:
        unwrap = self.query.unwrap
        assert unwrap
        name = unwrap.name
        read = _READERS[unwrap.conversion]
        filters = [stages.label_filter(one) for one in unwrap.filters]

        def value(entry: Entry) -> float | None:
            text = entry.get(name)
            if not text:
                return None
            number = 0.0
            try:
                number = read(text)
            except ValueError as error:
                entry.fail(UNWRAP_FAILED, str(error))
            return number if all(test(entry) for test in filters) else None

        return value

    def add(self, batch: Batch) -> None:
        """Entries with errors are kept separate. Raises LogQLError when it becomes too much."""
        if not self._pipeline.changes_labels and batch.metadata is None and not self._value:
            self._add_lines(batch)
            return
        series, value = self.series, self._value
        by_bytes = self.query.op in BY_BYTES
        for timestamp_ns, line, stream, entry in self._pipeline.run(batch):
            number = 1.0
            if value:
                unwrapped = value(entry)
                if unwrapped is None:
                    continue
                number = unwrapped
            elif by_bytes:
                number = _size(line)
            key = self._key(stream, entry)
            samples = series.get(key)
            if samples is None:
                if self._account:
                    self._account.keep(sum(len(text) for _, text in key))
                samples = series[key] = Samples(
                    failed=bool(entry.error) and entry.get(PRESERVE) != "true"
                )
            samples.times_ns.append(timestamp_ns)
            if value or by_bytes:
                samples.values.append(number)

    def _add_lines(self, batch: Batch) -> None:
        """The same, for entries that have their stream's labels."""
        by_bytes = self.query.op in BY_BYTES
        of_stream: dict[Stream, Samples] = {}
        for timestamp_ns, line, stream, _ in self._pipeline.rows(batch):
            samples = of_stream.get(stream)
            if samples is None:
                key = self._base_key(stream)
                samples = of_stream[stream] = self.series.setdefault(key, Samples())
            samples.times_ns.append(timestamp_ns)
            if by_bytes:
                samples.values.append(_size(line))

    def _key(self, stream: Stream, entry: Entry) -> LabelKey:
        """The series that an entry belongs to; for an entry with an error, all its labels."""
        if entry.error:
            return key_of(entry.labels())
        if not entry.added and not entry.gone:
            return self._base_key(stream)
        if self._no_labels:
            return ()
        if not self._groups:
            return key_of(entry.labels())
        if self._without:
            labels = entry.labels()
            for name in self._groups:
                labels.pop(name, None)
            return key_of(labels)
        return self._by_key(entry)

    def _by_key(self, entry: Entry) -> LabelKey:
        added, base, gone = entry.added, entry.base, entry.gone
        texts: list[str | None] = []
        for name in self._groups:
            text = added.get(name)
            if text is None:
                text = base.get(name) or None
            texts.append(None if name in gone else text)
        values = tuple(texts)
        key = self._labels.get(values)
        if key is None:
            pairs = zip(self._groups, values, strict=True)
            key = tuple((name, text) for name, text in pairs if text is not None)
            self._labels[values] = key
        return key

    def _base_key(self, stream: Stream) -> LabelKey:
        if self._no_labels:
            return ()
        if not self._groups:
            return self._keys.of(stream)
        key = self._grouped.get(stream)
        if key is None:
            listed = set(self._groups)
            pairs = self._keys.of(stream)
            key = tuple(pair for pair in pairs if (pair[0] in listed) is not self._without)
            self._grouped[stream] = key
        return key


def _size(line: str) -> float:
    return float(len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape")))


def _names(query_stages: list[Stage] | tuple[Stage, ...]) -> list[str]:
    """The labels that label filters and formats read."""
    names: list[str] = []
    for stage in query_stages:
        match stage:
            case StringFilter():
                names.append(stage.matcher.name)
            case NumberFilter() | DurationFilter() | BytesFilter() | IpFilter():
                names.append(stage.name)
            case And() | Or():
                names += _names([stage.left, stage.right])
            case LineFormat():
                names += compiled(stage.template).fields
            case LabelFormat():
                for one in stage.formats:
                    if isinstance(one, Rename):
                        names.append(one.source)
                    else:
                        names += compiled(one.template).fields
            case _:
                pass
    return names
