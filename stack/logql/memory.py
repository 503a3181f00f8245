"""A source that holds its entries in memory, for tests and small data."""

from collections.abc import Iterator, Mapping, Sequence

from stack.logql import matching
from stack.logql.ast import LineFilter, Matcher
from stack.logql.entry import LabelKey, key_of
from stack.logql.source import Batch, Stream


class MemorySource:
    """Add entries in the order in which they arrive."""

    def __init__(self, *, batch_size: int = 4096) -> None:
        self.batch_size = batch_size
        self._streams: dict[LabelKey, Stream] = {}
        self._entries: list[tuple[int, int, str, Stream, Mapping[str, str] | None]] = []

    def add(
        self,
        labels: Mapping[str, str],
        timestamp_ns: int,
        line: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        # An empty label counts as missing, as in a push to Loki.
        named = {name: value for name, value in labels.items() if value}
        stream = self._streams.setdefault(key_of(named), Stream(labels=named))
        self._entries.append((timestamp_ns, len(self._entries), line, stream, metadata))

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        backward: bool = False,
        line_filters: Sequence[LineFilter] = (),
    ) -> Iterator[Batch]:
        """As `Source.select`; the hint is not used."""
        selects = matching.selects(matchers)
        chosen = {stream for stream in self._streams.values() if selects(stream.labels)}
        entries = [
            entry for entry in self._entries if start_ns <= entry[0] < end_ns and entry[3] in chosen
        ]
        entries.sort(key=lambda entry: entry[:2], reverse=backward)
        for at in range(0, len(entries), self.batch_size):
            part = entries[at : at + self.batch_size]
            metadata = [entry[4] for entry in part]
            yield Batch(
                timestamps_ns=[entry[0] for entry in part],
                lines=[entry[2] for entry in part],
                streams=[entry[3] for entry in part],
                metadata=metadata if any(metadata) else None,
            )
