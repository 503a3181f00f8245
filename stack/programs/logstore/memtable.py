"""Entries not in a segment yet, in memory, in order of time within each stream."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, repeat
from operator import itemgetter, lt

from stack.programs.logstore.streams import Known

Row = tuple[int, int, str]
"""Stream, timestamp in nanoseconds, line."""

timestamp = itemgetter(1)


class Head:
    """The entries of one stream; equal timestamps in order of arrival."""

    __slots__ = ("lines", "timestamps_ns")

    def __init__(self) -> None:
        self.timestamps_ns: list[int] = []
        self.lines: list[str] = []

    def extend(self, timestamps_ns: Sequence[int], lines: Sequence[str]) -> None:
        """Add entries newer than all others, each newer than the one before."""
        self.timestamps_ns.extend(timestamps_ns)
        self.lines.extend(lines)

    def has(self, at_ns: int, line: str) -> bool:
        low = bisect_left(self.timestamps_ns, at_ns)
        high = bisect_right(self.timestamps_ns, at_ns, low)
        return line in self.lines[low:high]

    def insert(self, at_ns: int, line: str) -> None:
        place = bisect_right(self.timestamps_ns, at_ns)
        self.timestamps_ns.insert(place, at_ns)
        self.lines.insert(place, line)

    def remove(self, at_ns: int, line: str) -> None:
        place = self.lines.index(line, bisect_left(self.timestamps_ns, at_ns))
        del self.timestamps_ns[place], self.lines[place]


class Memtable:
    """The entries of the write-ahead log with the same number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows = 0
        self.size_bytes = 0
        """Of the lines, as UTF-8."""
        self._heads: dict[int, Head] = {}

    @property
    def idents(self) -> Iterable[int]:
        return self._heads.keys()

    def has(self, stream: Known, at_ns: int, line: str) -> bool:
        head = self._heads.get(stream.ident)
        return head is not None and head.has(at_ns, line)

    def add(self, stream: Known, timestamps_ns: Sequence[int], lines: Sequence[str]) -> None:
        """Add entries of a stream, in any order, that are not here yet."""
        head = self._heads.get(stream.ident)
        if head is None:
            head = self._heads[stream.ident] = Head()
        newest = head.timestamps_ns[-1] if head.timestamps_ns else -1
        if timestamps_ns[0] > newest and ascending(timestamps_ns):
            head.extend(timestamps_ns, lines)
        else:
            for at_ns, line in zip(timestamps_ns, lines, strict=True):
                head.insert(at_ns, line)
        self.rows += len(lines)
        self.size_bytes += size_of(lines)

    def remove(self, stream: Known, timestamps_ns: Sequence[int], lines: Sequence[str]) -> None:
        """Remove entries that were added."""
        head = self._heads[stream.ident]
        for at_ns, line in zip(timestamps_ns, lines, strict=True):
            head.remove(at_ns, line)
        self.rows -= len(lines)
        self.size_bytes -= size_of(lines)

    def bounds(self, idents: Iterable[int]) -> tuple[int, int, int] | None:
        """(oldest, newest, rows) of the streams; None if it has none of them."""
        heads = [head for ident in idents if (head := self._heads.get(ident)) and head.lines]
        if not heads:
            return None
        oldest = min(head.timestamps_ns[0] for head in heads)
        newest = max(head.timestamps_ns[-1] for head in heads)
        return oldest, newest, sum(len(head.lines) for head in heads)

    def slice(self, idents: Iterable[int], start_ns: int, end_ns: int) -> list[Row]:
        """Entries with start_ns <= timestamp < end_ns, in order of time."""
        found: list[Row] = []
        for ident in idents:
            head = self._heads.get(ident)
            if head is None:
                continue
            low = bisect_left(head.timestamps_ns, start_ns)
            high = bisect_left(head.timestamps_ns, end_ns, low)
            if low < high:
                found.extend(
                    zip(
                        repeat(ident),
                        head.timestamps_ns[low:high],
                        head.lines[low:high],
                        strict=False,
                    )
                )
        found.sort(key=timestamp)
        return found

    def counts(self, ident: int) -> tuple[Sequence[int], Sequence[str]]:
        """Timestamps and lines of one stream."""
        head = self._heads.get(ident)
        return (head.timestamps_ns, head.lines) if head else ((), ())


def ascending(timestamps_ns: Sequence[int]) -> bool:
    """Whether each is newer than the one before."""
    return all(map(lt, timestamps_ns, islice(timestamps_ns, 1, None)))


def size_of(lines: Iterable[str]) -> int:
    """Bytes of the lines as UTF-8."""
    return sum(len(line) if line.isascii() else len(line.encode()) for line in lines)
