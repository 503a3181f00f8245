"""Where the engine gets its entries from; `memory` is a source for tests and small data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stack.logql.ast import LineFilter, Matcher


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """One stream. All its entries share the object: the engine caches what it computes from the
    labels by the object's identity."""

    labels: Mapping[str, str]
    """None of them is empty: an empty label counts as missing."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some entries, as columns of the same length."""

    timestamps_ns: Sequence[int]
    lines: Sequence[str]
    streams: Sequence[Stream]
    metadata: Sequence[Mapping[str, str] | None] | None = None
    """Structured metadata of each entry; None if no entry of the batch has any."""


class Source(Protocol):
    """A store that can be asked for entries."""

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        backward: bool = False,
        line_filters: Sequence[LineFilter] = (),
    ) -> Iterator[Batch]:
        """Entries of the streams that all matchers match, with start_ns <= timestamp < end_ns.

        In order of time over all streams (newest first when `backward`); among equal timestamps
        of one stream in order of arrival (last first when `backward`). `line_filters` is a hint:
        the source may leave out lines that any of them rejects; the engine applies them again.
        An empty or absent label equals "". The caller may stop reading at any batch.
        """
