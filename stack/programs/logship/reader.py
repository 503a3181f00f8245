"""The lines of one open file, starting at an offset."""

import os
from dataclasses import dataclass

_CHUNK_BYTES = 1 << 18

HEAD_BYTES = 256
"""How much of a file's beginning distinguishes it from others."""

PARTIAL_S = 5.0
"""How long to wait for the end of an unfinished last line; then it is taken as it is."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A decision that the clock made and that reading again would not repeat: what starts at
    `start` ends at `end`, and (unless it is 0) its timestamp is `time_ns`.
    """

    start: int
    end: int
    time_ns: int


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One line of a file. `start` and `end` are offsets in bytes; `end` is after the newline."""

    start: int
    end: int
    text: str
    note: Note | None = None
    """How an earlier run of the shipper took it."""
    by_clock: bool = False
    """It has no newline, but nothing more came for a while."""


class Reader:
    """`start` is the offset of the next line, `offset` that of the next byte to read.

    Lines longer than `max_line_bytes` are cut; what is not UTF-8 is replaced. `noted` must be
    sorted. `close` closes `fd`.
    """

    def __init__(
        self, fd: int, *, start: int, head: bytes, max_line_bytes: int, noted: list[Note]
    ) -> None:
        self.fd, self.start, self.offset = fd, start, start
        self.head = head
        """The first bytes that were read."""
        self.ended = False
        """Nothing more may be read: the content is no longer what it was."""
        self._longest = max_line_bytes
        self._partial = b""
        self._noted = noted
        self._grew_at = 0.0

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def is_intact(self) -> bool:
        """Whether the file still holds what was read of it: neither truncated nor rewritten."""
        long_enough = self.size() >= self.offset
        return long_enough and os.pread(self.fd, len(self.head), 0) == self.head

    def close(self) -> None:
        os.close(self.fd)

    def read(self, now: float) -> list[Raw]:
        """The next lines; empty at the end of the file. `now`: seconds of a monotonic clock."""
        if self.ended:
            return []
        if self._noted and self._noted[0].start <= self.start:
            return self._as_noted(self._noted[0])
        upto = self._noted[0].start - self.offset if self._noted else _CHUNK_BYTES
        chunk = os.pread(self.fd, min(_CHUNK_BYTES, upto), self.offset)
        if not chunk:
            return self._end(now)
        if not self.is_intact():
            return []  # it was replaced just now, and the chunk is from another file
        if self.offset <= len(self.head) < HEAD_BYTES:
            self.head = (self.head[: self.offset] + chunk)[:HEAD_BYTES]
        self.offset += len(chunk)
        self._grew_at = now
        first, *others = chunk.split(b"\n")
        if not others:
            self._keep(first)
            return []
        *whole, rest = others
        raws = [self._line(self._partial + first, self.offset - len(chunk) + len(first) + 1)]
        for piece in whole:
            raws.append(self._line(piece, self.start + len(piece) + 1))
        self._partial = b""
        self._keep(rest)
        return raws

    def rest(self) -> list[Raw]:
        """An unfinished last line, taken as it is because nothing can follow it."""
        if not self._partial:
            return []
        raw = Raw(start=self.start, end=self.offset, text=self._text(self._partial), by_clock=True)
        self._partial, self.start = b"", self.offset
        return [raw]

    def _end(self, now: float) -> list[Raw]:
        noted = bool(self._noted) and self._noted[0].start == self.offset
        return self.rest() if noted or now - self._grew_at >= PARTIAL_S else []

    def _as_noted(self, note: Note) -> list[Raw]:
        if note.start < self.start or self.size() < note.end:
            self._noted.pop(0)  # it is about another file
            return []
        content = os.pread(self.fd, note.end - note.start, note.start)
        self._noted.pop(0)
        self.start = self.offset = note.end
        text = self._text(content.removesuffix(b"\n"))
        return [Raw(start=note.start, end=note.end, text=text, note=note)]

    def _line(self, content: bytes, end: int) -> Raw:
        raw = Raw(start=self.start, end=end, text=self._text(content))
        self.start = end
        return raw

    def _keep(self, piece: bytes) -> None:
        """One byte more than the limit shows that the line is too long."""
        self._partial += piece[: self._longest + 1 - len(self._partial)]

    def _text(self, content: bytes) -> str:
        if len(content) <= self._longest:
            return content.decode(errors="replace")
        # A character cut in half is left out.
        return content[: self._longest].decode(errors="replace").rstrip("\ufffd")
