"""What a store holds, how much of it is where, and what a query reads of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from stack.programs.logstore.memtable import Memtable
from stack.programs.logstore.segment import Segment


class StoreFull(Exception):
    """Entries cannot be kept now; those kept before still are. Trying again later may help."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """When memory becomes a segment."""

    rows: int = 32_768
    size_bytes: int = 12_000_000
    idle_rows: int = 8192
    """A memtable this large becomes a segment when nothing has come for `idle_s`; a smaller one
    costs less in memory."""
    idle_s: float = 1800.0
    waiting: int = 3
    """Full memtables that may wait for the disk before commits are refused."""
    patience_s: float = 10.0
    """How long a commit waits for one of them to be written."""
    merge_rows: int = 16_384
    """Segments smaller than this are merged with their neighbours."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the store holds now."""

    rows_in_memory: int
    segments: int
    segment_bytes: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a query reads."""

    segments: Sequence[Segment]
    memtables: Sequence[Memtable]
    """Oldest first."""
