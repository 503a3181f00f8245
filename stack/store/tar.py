"""Unpacks tar archives, whatever they come in, and trusts none of them."""

import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, cast

from stack.errors import BadInput

_LONGEST_PART, _LONGEST_PATH = 255, 2000
"""Bytes. Linux has room for twice such a path, and the folder of the store stands before it."""


def unpack(
    stream: IO[bytes],
    into: Path,
    *,
    name: str,
    wanted: Callable[[str], bool],
    most: int,
    without_first: bool = False,
) -> None:
    """Unpack those files of an archive for whose path `wanted` is true into an existing folder.

    `name` is for messages, `most` the bytes that the archive may have. `without_first` leaves the
    first folder of each path out, as for archives that hold all in one. Modes keep only the owner's
    execute bit. Raises BadInput for an archive that is too large, for a member that is absolute,
    leads out of the folder or is a device, and for a wanted one that links outside, is set-user-ID
    or already there; tarfile.TarError and what the stream raises.
    """
    limited = cast(IO[bytes], _Limited(stream, most, name))
    try:
        with tarfile.open(fileobj=limited, mode="r:") as archive:
            for member in archive:
                path = _checked(member, name, without_first)
                if path and wanted(path):
                    _check_wanted(member, path, name)
                    _extract(archive, member, into, path, name)
    except (ValueError, OverflowError, IndexError) as error:  # a number in a header that is none
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


def _checked(member: tarfile.TarInfo, name: str, without_first: bool) -> str:
    """The member's path below the root, `""` for the root. Raises BadInput if it may not be."""
    if "\0" in member.name + member.linkname:
        raise BadInput(f"`{name}` contains a name with a NUL in it: {member.name!a}")
    parts = [os.fsencode(part) for part in member.name.split("/")]
    if max(map(len, parts)) > _LONGEST_PART or max(sum(map(len, parts)), len(member.linkname)) > (
        _LONGEST_PATH
    ):
        raise BadInput(f"`{name}` contains a name that is too long: `{member.name[:40]}…`")
    path = PurePosixPath(member.name)
    if without_first:
        path = PurePosixPath(*path.parts[1:]) if not path.is_absolute() else path
    if path.is_absolute() or ".." in path.parts:
        raise BadInput(f"`{name}` would write outside its folder: `{member.name}`")
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise BadInput(f"`{name}` contains a device or pipe: `{member.name}`")
    return "" if path == PurePosixPath(".") else str(path)


def _check_wanted(member: tarfile.TarInfo, path: str, name: str) -> None:
    """Raises BadInput for what may lie in an archive, and not here."""
    if member.issym() and not _stays_inside(PurePosixPath(path).parent, member.linkname):
        raise BadInput(f"`{name}` links outside its folder: `{member.name}` -> `{member.linkname}`")
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
