"""Unpacks the archives of upstream releases, and trusts none of them."""

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, cast

from stack.errors import BadInput
from stack.store import tar

_LARGEST_BYTES = 1 << 30
"""The most that one zip archive may hold; Loki 3.7's is 130 MB."""

_LARGEST_TAR_BYTES = 1 << 31
"""The same for a `.tar.gz`; Grafana's hold its pages, too, and what debuggers need of them."""


def unpack(archive: bytes, into: Path, *, name: str, wanted: Callable[[str], bool]) -> None:
    """Unpack those files of a zip archive for whose path `wanted` is true into an existing folder.

    `name` is for messages. Modes keep only the owner's execute bit. Raises BadInput for what is not
    a zip archive, for one that contains too much, and for a member that is absolute, leads outside
    the folder, is not a plain file, or is already there.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = opened.infolist()
            total = sum(member.file_size for member in members)
            if total > _LARGEST_BYTES:
                raise BadInput(f"`{name}` contains {total} bytes, more than {_LARGEST_BYTES}")
            for member in members:
                path = _checked(member, name)
                if not member.is_dir() and wanted(path):
                    _extract(opened, member, into / path, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadInput(f"`{name}` is not a readable zip archive: {error}") from error


def unpack_tar(archive: bytes, into: Path, *, name: str, wanted: Callable[[str], bool]) -> None:
    """Unpack those files of a `.tar.gz` for whose path `wanted` is true into an existing folder.

    Paths are those in the only folder that the archive holds. `name` is for messages. Raises
    BadInput for what is not such an archive, and as `tar.unpack`.
    """
    try:
        with gzip.open(io.BytesIO(archive)) as opened:
            stream = cast(IO[bytes], opened)
            most = _LARGEST_TAR_BYTES
            tar.unpack(stream, into, name=name, wanted=wanted, most=most, without_first=True)
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise BadInput(f"`{name}` is not a readable .tar.gz archive: {error}") from error


def _checked(member: zipfile.ZipInfo, name: str) -> str:
    """The member's path below the root. Raises BadInput if it may not be."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise BadInput(f"`{name}` would write outside its folder: `{member.filename}`")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"`{name}` contains a link, device or pipe: `{member.filename}`")
    return str(path)


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    if target.exists():
        raise BadInput(f"`{name}` contains `{member.filename}`, which is already there")
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as content, target.open("xb") as file:
        while chunk := content.read(1 << 20):
            file.write(chunk)
    target.chmod(0o755 if member.external_attr >> 16 & 0o100 else 0o644)
