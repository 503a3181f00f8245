"""All files that were ever written under one name: the present one and those rotated away.

Rotation renames a file (`x.log` becomes `x.log.1`), deletes it, or copies it and cuts the original.
Each is read to its end before the next one is begun, whatever it is called meanwhile.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from stack.logfmt import say
from stack.logship.batch import Batch
from stack.logship.positions import Mark, Position
from stack.logship.settings import Target
from stack.logship.tail import Tail

_START = Mark(offset=0, own_ns=0, clock_ns=0)
_PACKED = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file in a folder."""

    path: Path
    inode: int
    size: int
    changed_ns: int


class Trail:
    """`known` are the positions that an earlier life of the shipper had under this name."""

    def __init__(
        self, target: Target, path: Path, *, max_line_bytes: int, known: list[Position]
    ) -> None:
        self.target, self.path = target, path
        self.tails: list[Tail] = []
        """In the order in which they were written."""
        self._max_line_bytes = max_line_bytes
        self._known = {position.inode: position for position in known}

    def update(self, present: Found | None, rotated: list[Found]) -> None:
        """Take up what is new of the files that there are now, and see what is gone.

        Raises OSError for a file that cannot be opened.
        """
        files = sorted(rotated, key=lambda found: found.changed_ns)
        files += [present] if present else []
        for tail in self.tails:
            tail.gone = tail.gone or all(tail.inode != found.inode for found in files)
        self._resume_copies(files)
        # Those that are known come first: copies of them are told by how they begin.
        for found in sorted(files, key=lambda found: found.inode not in self._known):
            if not self._is_read(found) and not self._is_copy(found):
                self._take_up(found)
        place = {found.inode: number for number, found in enumerate(files)}
        self.tails.sort(key=lambda tail: -1 if tail.gone else place.get(tail.inode, len(files)))
        self._forget()

    def find_replaced(self, rotated: list[Found]) -> None:
        """See which files were cut or written anew; go on in their copy where there is one."""
        for tail in self.tails:
            if tail.gone or tail.reader.is_intact():
                continue
            copy = self._copy_of(tail.reader.head, tail.reader.offset, rotated)
            if copy:
                tail.move_to(copy.path)
            else:
                tail.gone = tail.reader.ended = True
                say("warn", "promtail", "file was cut; what nobody read of it is lost",
                    path=self.path, read_bytes=tail.reader.offset)  # fmt: skip

    def take(self, batch: Batch, now: float) -> bool:
        """Put the next lines into the batch; false when there are no more."""
        before: Tail | None = None
        for tail in list(self.tails):
            if before:
                tail.continue_from(before)
            if tail.take(batch, now):
                return True  # what was written later has to wait
            if tail.gone:
                tail.finish(batch, now)
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
        """Whether it is the copy of a file that is about to be cut: the same beginning."""
        return found.path != self.path and any(
            not tail.gone and tail.inode != found.inode and _begins(found, tail.reader.head)
            for tail in self.tails
        )

    def _copy_of(self, head: bytes, offset: int, rotated: list[Found]) -> Found | None:
        for found in rotated:
            if found.size >= offset and not self._is_read(found) and _begins(found, head):
                return found
        return None

    def _resume_copies(self, files: list[Found]) -> None:
        """Files of an earlier life that were cut while nobody looked: go on in their copies."""
        for inode, position in list(self._known.items()):
            found = next((found for found in files if found.inode == inode), None)
            if found and _is_same(found, position):
                continue
            rotated = [each for each in files if each.path != self.path]
            head = bytes.fromhex(position.head)
            copy = self._copy_of(head, position.mark.offset, rotated)
            if copy:
                self._known[copy.inode] = self._known.pop(inode)

    def _take_up(self, found: Found) -> None:
        position = self._known.pop(found.inode, None)
        if position and not _is_same(found, position):
            say("warn", "promtail", "file was replaced while nobody looked; read from its start",
                path=found.path, read_bytes=position.mark.offset)  # fmt: skip
            position = None
        tail = Tail(
            self.target, self.path, found.path, max_line_bytes=self._max_line_bytes,
            mark=position.mark if position else _START, position=position,
        )  # fmt: skip
        if tail.inode != found.inode:  # it was renamed since; the next look will find it
            tail.reader.close()
            return
        self.tails.append(tail)

    def _forget(self) -> None:
        for position in self._known.values():
            say("warn", "promtail", "file is gone; what nobody read of it is lost",
                path=position.path, read_bytes=position.mark.offset)  # fmt: skip
        self._known.clear()


def siblings(path: Path, names: list[str]) -> list[str]:
    """Those of a folder's names that files of `path` get when they are rotated: `x.log.1`, …"""
    return [
        name
        for name in names
        if name.startswith((f"{path.name}.", f"{path.name}-")) and not name.endswith(_PACKED)
    ]


def _is_same(found: Found, position: Position) -> bool:
    return found.size >= position.mark.offset and _begins(found, bytes.fromhex(position.head))


def _begins(found: Found, head: bytes) -> bool:
    """Whether a file begins with `head`; nothing tells empty ones apart."""
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return bool(head) and os.pread(fd, len(head), 0) == head
    finally:
        os.close(fd)
