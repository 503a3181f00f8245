"""One file on its way to the store: what was read of it, and what of that was acknowledged."""

import os
import time
from pathlib import Path

from stack.programs.logship.blocks import Block, Blocks
from stack.programs.logship.positions import Mark, Position
from stack.programs.logship.reader import Note, Reader
from stack.programs.logship.settings import Target
from stack.programs.logship.shipment import Shipment, selector

MISSED_S = 10.0
"""How long a file may be missing from its folder before it is given up."""

_DISORDER_NS = 1_000_000_000
"""If times in a file run backwards by less than this, the order of the file counts: threads write
slightly out of order, and a later time need not be compared with all lines before it."""

_READ_BYTES = 4 << 20
"""The stages see a line whole, as in Promtail, and only then is it cut to `max_line_size`: half a
JSON object has no level. Something must still end a line that never ends."""


class Tail:
    """Reads one inode. `position` is where an earlier run of the shipper was in it."""

    def __init__(
        self, target: Target, path: Path, fd: int, *, max_line_bytes: int,
        mark: Mark, position: Position | None = None,
    ) -> None:  # fmt: skip
        self.target, self.path = target, path
        notes = sorted(position.notes, key=lambda note: note.start) if position else []
        self.inode = os.fstat(fd).st_ino
        head = bytes.fromhex(position.head) if position else b""
        read_bytes = max(max_line_bytes, _READ_BYTES)
        self.reader = Reader(
            fd, start=mark.offset, head=head, max_line_bytes=read_bytes, noted=list(notes)
        )
        self.gone = False
        """It cannot be opened again; it is read to its end and then closed."""
        self._lines = 0
        self.acknowledged = mark
        self._taken = mark
        self.begun = position is not None
        """False until it is known where its times start."""
        self._missed = 0.0
        self._notes: list[Note] = notes
        self._seen = (-1, -1)  # size and time of change
        self._longest = max_line_bytes
        self._blocks = Blocks(target.pipeline.multiline, max_bytes=read_bytes)
        self._labels = {**target.labels, "filename": str(path)}

    def take(self, shipment: Shipment, now: float) -> bool:
        """Put the next lines into the shipment; false at the end of the file."""
        self.begun = True
        before = self.reader.offset
        raws = self.reader.read(now)
        blocks = self._blocks.add(raws, now) or self._blocks.due(now)
        self._add(blocks, shipment)
        return bool(raws) or self.reader.offset > before

    def finish(self, shipment: Shipment, now: float) -> None:
        """Take what was held back: nothing can follow it any more."""
        self._add(self._blocks.add(self.reader.rest(), now) + self._blocks.rest(), shipment)

    def is_sent(self) -> bool:
        return self.acknowledged.offset == self._taken.offset == self.reader.offset

    def counted(self) -> int:
        """Lines read since the last call."""
        count, self._lines = self._lines, 0
        return count

    def acknowledge(self, mark: Mark) -> None:
        self.acknowledged = mark
        self._notes = [note for note in self._notes if note.start >= mark.offset]

    def continue_from(self, before: "Tail") -> None:
        """Continue the times of the file before it."""
        taken = before._taken
        self.acknowledged = Mark(offset=0, own_ns=taken.own_ns, clock_ns=taken.clock_ns)
        self._taken, self.begun = self.acknowledged, True

    def holds(self) -> bool:
        """Whether something was read but is held back."""
        return self._taken.offset != self.reader.offset

    def miss(self, missing: bool, now: float) -> None:
        """Note whether it was found under any name. It is gone once it is deleted, or missing for
        long: it may just be about to get another name.
        """
        self._missed = (self._missed or now) if missing else 0.0
        deleted = os.fstat(self.reader.fd).st_nlink == 0
        self.gone = self.gone or (missing and (deleted or now - self._missed > MISSED_S))

    def has_lost(self) -> bool:
        """Whether the file was truncated or rewritten since the last call: it no longer holds what
        was read of it."""
        found = os.fstat(self.reader.fd)
        seen, self._seen = self._seen, (found.st_size, found.st_mtime_ns)
        if seen == self._seen:
            return False
        return not self.reader.is_intact()

    def move_to(self, copy_fd: int) -> None:
        """Continue in a copy of the file, which holds the same up to here and perhaps more."""
        os.close(self.reader.fd)
        self.reader.fd = os.dup(copy_fd)
        self.inode = os.fstat(copy_fd).st_ino

    def position(self) -> Position:
        return Position(
            job=self.target.job, path=str(self.path), inode=self.inode, head=self.reader.head.hex(),
            mark=self.acknowledged, notes=tuple(self._notes),
        )  # fmt: skip

    def _add(self, blocks: list[Block], shipment: Shipment) -> None:
        for block in blocks:
            line = self.target.pipeline.run(block.text, self._labels)
            time_ns, mark, by_clock = self._stamped(block, line.time_ns)
            if block.note is None and (by_clock or block.by_clock):
                note = Note(start=block.start, end=block.end, time_ns=time_ns if by_clock else 0)
                self._notes.append(note)
                shipment.noted = True
            shipment.add(selector(line.labels), time_ns, _cut(line.text, self._longest))
            self._taken = shipment.marks[self] = mark
            self._lines += 1

    def _stamped(self, block: Block, own_ns: int | None) -> tuple[int, Mark, bool]:
        """The timestamp of a block, different from that of any other line in the file that may be
        equal; the mark after it; and whether the time came from the clock.
        """
        taken = self._taken
        if own_ns is None:
            noted_ns = block.note.time_ns if block.note else 0
            time_ns = noted_ns or max(time.time_ns(), taken.clock_ns + 1)
            return time_ns, Mark(offset=block.end, own_ns=taken.own_ns, clock_ns=time_ns), True
        if 0 <= taken.own_ns - own_ns < _DISORDER_NS:
            own_ns = taken.own_ns + 1
        return own_ns, Mark(offset=block.end, own_ns=own_ns, clock_ns=taken.clock_ns), False


def _cut(text: str, longest_bytes: int) -> str:
    """Replacement characters may have made it longer than it was in the file."""
    if len(text) * 4 <= longest_bytes:
        return text
    return text.encode()[:longest_bytes].decode(errors="ignore")
