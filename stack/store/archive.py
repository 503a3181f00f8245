"""One plain tar, written and read in one way only: equal contents are equal bytes, and whatever
is not written so is refused.

Standard library only: `stack.bootstrap` reads wheels from it before anything else is installed.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from stack.errors import BadInput

_BLOCK = tarfile.BLOCKSIZE
_CHUNK_BYTES = 1 << 20
_MTIME = 1  # seconds since the epoch, as in the store
_HEAD_BYTES = 3 * _BLOCK  # of the longest header: a name of over 100 bytes has blocks of its own
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{,63}(/[A-Za-z0-9][A-Za-z0-9._+!-]{,254})?")
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.DIRTYPE: "a folder",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_CURE = "Nothing of it was used. Copy it here again, or make it again with `doit bundle`."


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file in an archive: where its content begins, and its size, in bytes."""

    name: str
    at: int
    size: int


class Archive:
    """An archive that was checked from end to end, contents apart. Not for several threads."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """`name` is for messages. Raises BadInput for what `write` would not write."""
        self._file = file
        self.name = name
        self.members = {member.name: member for member in _members(file, name)}

    def chunks(self, member: Member) -> Iterator[bytes]:
        """The content, piece by piece."""
        self._file.seek(member.at)
        left = member.size
        while left:
            chunk = self._file.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise BadInput(f"`{self.name}` became shorter while it was read", cure=_CURE)
            left -= len(chunk)
            yield chunk

    def sha256(self, member: Member) -> str:
        digest = hashlib.sha256()
        for chunk in self.chunks(member):
            digest.update(chunk)
        return digest.hexdigest()

    def refused(self, problems: Sequence[str]) -> BadInput:
        """What to raise about contents: all problems, the first ten in full."""
        shown = "\n".join(f"    {problem}" for problem in problems[:10])
        more = f"\n    and {len(problems) - 10} more" if len(problems) > 10 else ""
        return BadInput(f"`{self.name}` is refused:\n{shown}{more}", cure=_CURE)


def write(
    file: BinaryIO, contents: Mapping[str, Path | bytes], report: Callable[[int], None]
) -> int:
    """Write files under their names, sorted; return the size in bytes. A name has one or two parts
    in ASCII. `report` is called with the size of each piece.
    """
    written = 0
    for name in sorted(contents):
        content = contents[name]
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        written += file.write(_header(name, size))
        copied = 0
        for chunk in _pieces(content):
            copied += file.write(chunk)
            report(len(chunk))
        if copied != size:
            raise BadInput(f"`{name}` changed while it was written", cure="Repeat the command.")
        written += copied + file.write(bytes(-copied % _BLOCK))
    return written + file.write(bytes(_end(written)))


def starts_like_one(file: Path) -> bool:
    """Whether a file begins as an archive of this kind does."""
    with file.open("rb") as opened:
        try:
            _member(opened.read(_HEAD_BYTES), 0, "")
        except BadInput:
            return False
    return True


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o444, _MTIME
    return info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def _end(written: int) -> int:
    """Zero bytes after the last member: two blocks, then up to a whole record (POSIX ustar)."""
    return 2 * _BLOCK + -(written + 2 * _BLOCK) % tarfile.RECORDSIZE


def _members(file: BinaryIO, name: str) -> Iterator[Member]:
    total = file.seek(0, 2)
    at = 0
    names: dict[str, str] = {}
    while True:
        file.seek(at)
        head = file.read(_HEAD_BYTES)
        if len(head) < _BLOCK:
            raise BadInput(f"`{name}` is cut off at byte {total}", cure=_CURE)
        if not any(head[:_BLOCK]):
            break
        member = _member(head, at, name)
        _check_order(names, member.name, name)
        at = member.at + member.size
        padding = -at % _BLOCK
        if at + padding > total:
            raise BadInput(f"`{name}` is cut off in `{member.name}`, at byte {total}", cure=_CURE)
        file.seek(at)
        if any(file.read(padding)):
            raise BadInput(f"`{name}` is damaged after `{member.name}`, at byte {at}", cure=_CURE)
        at += padding
        names[member.name.lower()] = member.name
        yield member
    _check_end(file, at, total, name)


def _member(head: bytes, at: int, archive: str) -> Member:
    """The member whose header begins at `at`. Raises BadInput if it is not what `write` writes."""
    try:
        info = _parsed(head)
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        problem = f"is damaged at byte {at}" if at else "is not a bundle"
        raise BadInput(f"`{archive}` {problem}: {error}", cure=_CURE) from error
    if fault := _fault(info):
        raise BadInput(f"`{archive}` contains {info.name!a}, {fault}", cure=_CURE)
    wanted = _header(info.name, info.size)
    if not head.startswith(wanted):
        raise BadInput(
            f"`{archive}` contains `{info.name}` with an owner, a mode, a time or a size that no "
            f"bundle has, at byte {at}",
            cure=_CURE,
        )
    return Member(name=info.name, at=at + len(wanted), size=info.size)


def _parsed(head: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo.frombuf(head[:_BLOCK], "ascii", "surrogateescape")
    if info.type == tarfile.GNUTYPE_LONGNAME:
        name = head[_BLOCK : 2 * _BLOCK].rstrip(b"\0").decode("ascii")
        info = tarfile.TarInfo.frombuf(head[2 * _BLOCK :], "ascii", "surrogateescape")
        info.name = name
    return info


def _fault(info: tarfile.TarInfo) -> str:
    path = PurePosixPath(info.name)
    if path.is_absolute():
        return "an absolute path"
    if ".." in path.parts:
        return "a path that leads out of it"
    if info.type != tarfile.REGTYPE:
        return _KINDS.get(info.type, "which is not a plain file")
    if not _NAME.fullmatch(info.name):
        return "a name that no bundle uses"
    return ""


def _check_order(before: dict[str, str], member: str, archive: str) -> None:
    """`before`: names of the members so far, in order, by what they are in lower case."""
    last = before[next(reversed(before))] if before else ""
    twin = before.get(member.lower())
    if twin == member:
        problem = f"contains `{member}` twice"
    elif twin:
        problem = f"contains `{twin}` and `{member}`, which differ only in case"
    elif member < last:
        problem = f"contains `{member}` after `{last}`; its names must be sorted"
    else:
        return
    raise BadInput(f"`{archive}` {problem}", cure=_CURE)


def _check_end(file: BinaryIO, at: int, total: int, name: str) -> None:
    wanted = _end(at)
    if total - at < wanted:
        raise BadInput(f"`{name}` is cut off at byte {total}", cure=_CURE)
    file.seek(at)
    if total - at > wanted or any(file.read(wanted)):
        raise BadInput(f"`{name}` contains something after its end, at byte {at}", cure=_CURE)
