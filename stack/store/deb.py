"""Unpacks Debian packages without root and without Debian's tools, and trusts none of them."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from stack.errors import BadInput

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60

_MOST_TIMES, _LEAST_BYTES, _MOST_BYTES = 250, 1 << 26, 1 << 32
"""What a package may unpack to: times its own size, whatever that is, and in all. Debian's most
dense one here, of time zones, comes to 71 times its size; a bomb, to thousands."""


def unpack(deb: bytes, into: Path, *, name: str, wanted: Callable[[str], bool]) -> None:
    """Unpack those files of a package for whose path `wanted` is true into an existing folder.

    `name` is for messages. Modes keep only the owner's execute bit. Raises BadInput for what is
    not a Debian package, for one that unpacks to too much, for a member that is absolute, leads out
    of the folder or is a device, and for a wanted one that is set-user-ID or already there.
    """
    most = min(max(len(deb) * _MOST_TIMES, _LEAST_BYTES), _MOST_BYTES)
    try:
        with (
            _opened(_data_member(deb, name)) as data,
            tarfile.open(fileobj=cast(IO[bytes], _Limited(data, most, name)), mode="r:") as archive,
        ):
            for member in archive:
                path = _checked(member, name)
                if path and wanted(path):
                    _check_rights(member, name)
                    _extract(archive, member, into, path, name)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise BadInput(f"`{name}` contains a broken archive: {error}") from error


class _Limited:
    """A stream that refuses to be read beyond `most` bytes: tarfile believes every size that an
    archive states, and reads some of them at one go."""

    def __init__(self, stream: IO[bytes], most: int, name: str) -> None:
        self._stream, self._most, self._name = stream, most, name

    def read(self, size: int) -> bytes:
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, end: int) -> None:
        if end > self._most + tarfile.RECORDSIZE:
            raise BadInput(
                f"`{self._name}` unpacks to more than {self._most} bytes, the most allowed"
            )


def _opened(data: bytes) -> IO[bytes]:
    """The archive in a member, by what it starts with: Debian uses xz, seldom gzip or bzip2."""
    packed = io.BytesIO(data)
    for start, module in ((b"\xfd7zXZ", lzma), (b"\x1f\x8b", gzip), (b"BZh", bz2)):
        if data.startswith(start):
            return cast(IO[bytes], module.open(packed))
    return packed


def _data_member(deb: bytes, name: str) -> bytes:
    for member, content in _ar_members(deb, name):
        if member.startswith("data.tar"):
            return content
    raise BadInput(f"`{name}` is not a Debian package: it has no `data.tar` member")


def _ar_members(ar: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of an `ar` archive. Layout: deb(5)."""
    if not ar.startswith(_AR_MAGIC):
        raise BadInput(f"`{name}` is not a Debian package: it does not start with `!<arch>`")
    at = len(_AR_MAGIC)
    while at < len(ar):
        header = ar[at : at + _AR_HEADER_BYTES]
        at += _AR_HEADER_BYTES
        try:
            size = int(header[48:58])
        except ValueError:
            size = -1
        if header[58:60] != b"`\n" or size < 0 or at + size > len(ar):
            raise BadInput(f"`{name}` is cut off or damaged at byte {at}")
        yield header[:16].decode("ascii", "replace").rstrip(" /"), ar[at : at + size]
        at += size + size % 2


def _checked(member: tarfile.TarInfo, name: str) -> str:
    """The member's path below the root, `""` for the root. Raises BadInput if it may not be."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise BadInput(f"`{name}` would write outside its folder: `{member.name}`")
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise BadInput(f"`{name}` contains a device or pipe: `{member.name}`")
    if member.issym() and not _stays_inside(path.parent, member.linkname):
        raise BadInput(f"`{name}` links outside its folder: `{member.name}` -> `{member.linkname}`")
    return "" if path == PurePosixPath(".") else str(path)


def _check_rights(member: tarfile.TarInfo, name: str) -> None:
    if not member.isdir() and member.mode & (stat.S_ISUID | stat.S_ISGID):
        raise BadInput(f"`{name}` contains a set-user-ID or set-group-ID file: `{member.name}`")


def _stays_inside(folder: PurePosixPath, target: str) -> bool:
    depth = len(folder.parts)
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            return False
    return True


def _extract(
    archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path, path: str, name: str
) -> None:
    target = into / path
    _make_folders(into, target if member.isdir() else target.parent, name)
    if member.isdir():
        return
    if target.is_symlink() or target.exists():
        raise BadInput(f"`{name}` contains `{path}`, which is already there")
    if member.issym():
        target.symlink_to(member.linkname)
        return
    try:
        content = archive.extractfile(member)
    except KeyError:
        content = None
    if content is None:
        raise BadInput(f"`{name}`: `{path}` is a link to `{member.linkname}`, which is not there")
    with content, target.open("xb") as file:
        while chunk := content.read(1 << 20):
            file.write(chunk)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _make_folders(root: Path, folder: Path, name: str) -> None:
    """Make `folder` and its parents below `root`; none of them may be a link."""
    at = root
    for part in folder.relative_to(root).parts:
        at = at / part
        if at.is_symlink():
            raise BadInput(f"`{name}` writes through the link `{at.relative_to(root)}`")
        if not at.is_dir():
            try:
                at.mkdir()
            except FileExistsError as error:
                where = at.relative_to(root)
                raise BadInput(
                    f"`{name}` contains `{where}` both as a file and as a folder"
                ) from error
