"""Unpacks Debian packages without root and without Debian's tools, and trusts none of them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from stack.errors import BadInput
from stack.store import tar

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
        with _opened(_data_member(deb, name)) as data:
            tar.unpack(data, into, name=name, wanted=wanted, most=most)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise BadInput(f"`{name}` contains a broken archive: {error}") from error


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
