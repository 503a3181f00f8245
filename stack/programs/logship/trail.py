"""All files that were ever written under one name: the current one and those rotated away.

Rotation renames a file (`x.log` becomes `x.log.1`), deletes it, or copies and truncates it. Each is
read to its end before the next one is begun, whatever its current name.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from stack.programs.logfmt import say
from stack.programs.logship.positions import Mark, Position
from stack.programs.logship.settings import Target
from stack.programs.logship.shipment import Shipment
from stack.programs.logship.tail import MISSED_S, Tail

_START = Mark(offset=0, own_ns=0, clock_ns=0)
_PACKED = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file in a folder, opened: even if it is renamed, all of this is about the same file."""

    path: Path
    fd: int
    inode: int
    size: int
    changed_ns: int

    def begins(self, head: bytes) -> bool:
        """Empty files cannot be told apart."""
        return bool(head) and os.pread(self.fd, len(head), 0) == head

    def is_of(self, position: Position) -> bool:
        if not position.mark.offset and not position.head:
            return True
        return self.size >= position.mark.offset and self.begins(bytes.fromhex(position.head))


class Trail:
    """`known` are the positions that an earlier run of the shipper had under this name."""

    def __init__(
        self, target: Target, path: Path, *, max_line_bytes: int, known: list[Position]
    ) -> None:
        self.target, self.path = target, path
        self.tails: list[Tail] = []
        """In the order they were written."""
        self._max_line_bytes = max_line_bytes
        self._since = 0.0
        self._known = {position.inode: position for position in known}

    def update(self, present: Found | None, rotated: list[Found], now: float) -> None:
        """Start reading files that are new, and note which are gone.

        `now` is in seconds of a monotonic clock.
        """
        files = sorted(rotated, key=lambda found: found.changed_ns)
        files += [present] if present else []
        inodes = {found.inode for found in files}
        for tail in self.tails:
            tail.miss(tail.inode not in inodes, now)
        self._resume_copies(files)
        # Known files come first: copies of them are recognised by how they begin.
        for found in sorted(files, key=lambda found: found.inode not in self._known):
            if not self._is_read(found) and not self._is_copy(found):
                self._take_up(found)
        place = {found.inode: number for number, found in enumerate(files)}
        self.tails.sort(key=lambda tail: -1 if tail.gone else place.get(tail.inode, len(files)))
        self._forget(now)

    def positions(self) -> list[Position]:
        """Of all files that a later run could open again."""
        tails = [tail.position() for tail in self.tails if not tail.gone]
        return [*tails, *self._known.values()]

    def find_replaced(self, rotated: list[Found]) -> None:
        """Find files that were truncated or rewritten; continue in their copy if there is one."""
        for tail in self.tails:
            if tail.gone or tail.reader.is_intact():
                continue
            copy = self._copy_of(tail.reader.head, tail.reader.offset, rotated)
            if copy:
                tail.move_to(copy.fd)
            else:
                tail.gone = tail.reader.ended = True
                say("warn", "promtail", "file was truncated; unread lines are lost",
                    path=self.path, read_bytes=tail.reader.offset)  # fmt: skip

    def take(self, shipment: Shipment, now: float) -> bool:
        """Put the next lines into the shipment; false when there are no more."""
        before: Tail | None = None
        for tail in list(self.tails):
            if before and not tail.begun:
                if before.holds():
                    return False  # the new file's times depend on what is held back of the old one
                tail.continue_from(before)
                shipment.noted = True
            if tail.take(shipment, now):
                return True  # what was written later must wait
            if tail.gone:
                tail.finish(shipment, now)
                if tail.is_sent():
                    self._let_go(tail)
            before = tail
        return False

    def _let_go(self, tail: Tail) -> None:
        self.tails.remove(tail)
        tail.reader.close()

    def _is_read(self, found: Found) -> bool:
        return any(tail.inode == found.inode and not tail.gone for tail in self.tails)

    def _is_copy(self, found: Found) -> bool:
        """Whether it is the copy of a file about to be truncated: it begins the same."""
        return found.path != self.path and any(
            not tail.gone and tail.inode != found.inode and found.begins(tail.reader.head)
            for tail in self.tails
        )

    def _copy_of(self, head: bytes, offset: int, rotated: list[Found]) -> Found | None:
        for found in rotated:
            if found.size >= offset and not self._is_read(found) and found.begins(head):
                return found
        return None

    def _resume_copies(self, files: list[Found]) -> None:
        """Files of an earlier run that were truncated since: continue in their copies."""
        for inode, position in list(self._known.items()):
            found = next((found for found in files if found.inode == inode), None)
            if found and found.is_of(position):
                continue
            rotated = [each for each in files if each.path != self.path]
            head = bytes.fromhex(position.head)
            copy = self._copy_of(head, position.mark.offset, rotated)
            if copy:
                self._known[copy.inode] = self._known.pop(inode)

    def _take_up(self, found: Found) -> None:
        position = self._known.pop(found.inode, None)
        if position and not found.is_of(position):
            say("warn", "promtail", "file was replaced meanwhile; reading it from the start",
                path=found.path, read_bytes=position.mark.offset)  # fmt: skip
            position = None
        tail = Tail(
            self.target, self.path, os.dup(found.fd), max_line_bytes=self._max_line_bytes,
            mark=position.mark if position else _START, position=position,
        )  # fmt: skip
        self.tails.append(tail)

    def _forget(self, now: float) -> None:
        """Give up files of an earlier run that stay missing; one may just be about to get another
        name.
        """
        self._since = self._since or now
        if now - self._since < MISSED_S:
            return
        for position in self._known.values():
            say("warn", "promtail", "file is gone; unread lines are lost",
                path=position.path, read_bytes=position.mark.offset)  # fmt: skip
        self._known.clear()


def siblings(path: Path, names: list[str]) -> list[str]:
    """The names in a folder that `path` gets when it is rotated: `x.log.1`, …"""
    return [
        name
        for name in names
        if name.startswith((f"{path.name}.", f"{path.name}-")) and not name.endswith(_PACKED)
    ]
