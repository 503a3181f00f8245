"""Layers: tar archives whose bytes follow from their content alone, kept under their digest."""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stack.store.tree import Manifest

STORE = "store"
"""Folder of the store paths in an image, without its leading slash."""

USER_ID = 65532
"""Whom the programs run as; nobody else's in usual images, and not 0."""

_MTIME_S = 1  # seconds since the epoch, as in the store
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A file named by its SHA-256 in `blobs/sha256/`."""

    sha256: str
    size_bytes: int

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha256}"

    @property
    def name(self) -> str:
        return f"blobs/sha256/{self.sha256}"


class _Hashing:
    """Writes on to a file and hashes what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.written = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.written += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.written

    def blob(self) -> Blob:
        return Blob(sha256=self._hash.hexdigest(), size_bytes=self.written)


def write_blob(layout: Path, write: Callable[[_Hashing], object]) -> Blob:
    """Let `write` fill a blob of the layout, and rename it into place."""
    folder = layout / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file:
        try:
            hashing = _Hashing(file)
            write(hashing)
            blob = hashing.blob()
            Path(file.name).chmod(0o644)
            Path(file.name).rename(layout / blob.name)
        except BaseException:
            Path(file.name).unlink()
            raise
    return blob


def text_blob(layout: Path, text: str) -> Blob:
    return write_blob(layout, lambda file: file.write(text.encode()))


def store_layer(layout: Path, path: Path, manifest: Manifest, name: str = "") -> Blob:
    """One store path, read-only, at `/store/NAME`: under its own name, unless another is given."""
    name = f"{STORE}/{name or path.name}"

    def write(file: _Hashing) -> None:
        with archive(file) as tar:
            tar.addfile(entry(STORE, kind=tarfile.DIRTYPE, mode=0o755))
            tar.addfile(entry(name, kind=tarfile.DIRTYPE, mode=0o555))
            for line in manifest.lines:
                _add(tar, path, name, json.loads(line))

    return write_blob(layout, write)


def _add(tar: tarfile.TarFile, root: Path, stands: str, described: list[Any]) -> None:
    """One entry of a manifest, as `tree.Manifest` describes them."""
    path, kind, *more = described
    name = f"{stands}/{path}"
    if kind == "folder":
        tar.addfile(entry(name, kind=tarfile.DIRTYPE, mode=0o555))
    elif kind == "link":
        tar.addfile(entry(name, kind=tarfile.SYMTYPE, mode=0o777, link=more[0]))
    else:
        mode = 0o555 if kind == "program" else 0o444
        with (root / path).open("rb") as content:
            tar.addfile(entry(name, mode=mode, size=more[1]), content)


def members_layer(layout: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Blob:
    def write(file: _Hashing) -> None:
        with archive(file) as tar:
            for info, content in members:
                tar.addfile(info, io.BytesIO(content))

    return write_blob(layout, write)


def archive(file: IO[bytes] | _Hashing) -> tarfile.TarFile:
    """A tar to write to: plain, since compressed bytes depend on the compressor's version."""
    return tarfile.open(  # type: ignore[call-overload, no-any-return]  # it needs no more than these
        fileobj=file, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_COPY_BYTES, encoding="utf-8"
    )  # fmt: skip


def entry(
    name: str,
    *,
    kind: bytes = tarfile.REGTYPE,
    mode: int,
    size: int = 0,
    link: str = "",
    user: int = 0,
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname = kind, mode, size, link
    info.uid = info.gid = user
    info.mtime = _MTIME_S
    return info
