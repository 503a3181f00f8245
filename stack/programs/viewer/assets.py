"""The page: the files of a folder, compressed, with what browsers need to keep them."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput

INDEX = "index.html"

_PREFIX = "public/"
"""Grafana's libraries ask for what they load below /public; it is the same folder."""

_NAMED_BY_CONTENT = re.compile(r"[.-](?=[A-Z0-9]*[0-9])[A-Z0-9]{8}\.|[.-][0-9a-f]{8,64}\.")
"""esbuild's names (`chunk-4F6HXQ2B.js`), or hexadecimal digits: such a file never changes."""

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_ASK = "no-cache"

_PACKED = (".js", ".css", ".html", ".svg", ".json", ".map", ".txt")
_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".map": "application/json",
}


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file. `packed` is its gzip, empty if that would not make it smaller."""

    body: bytes
    packed: bytes
    kind: str
    etag: str
    keep: str
    """For `Cache-Control`."""


class Assets:
    """The files of `folder`, found once; each is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        """Raises BadInput where there is no page."""
        self._files = {
            str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()
        }
        if INDEX not in self._files:
            raise BadInput(
                f"`{folder}` has no `{INDEX}`, so it is not the viewer's page.",
                cure="Build it again with `doit build viewer`.",
            )
        self._read: dict[str, Asset] = {}

    def get(self, path: str) -> Asset | None:
        """The file at an address without its first slash; the page itself for what is none, such as
        `d/UID/TITLE`; None for a file that is not there."""
        name = path if path in self._files else path.removeprefix(_PREFIX)
        if name not in self._files:
            own = path.startswith("d/") or "." not in path.rpartition("/")[2]
            if not own or path.startswith(_PREFIX):
                return None
            name = INDEX
        if name not in self._read:
            self._read[name] = _asset(name, self._files[name])
        return self._read[name]


def _asset(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    packed = b""
    if path.suffix in _PACKED and len(body) > 512:
        packed = gzip.compress(body, 6, mtime=0)
    if name == INDEX or path.suffix == ".html":
        keep = _ASK
    elif _NAMED_BY_CONTENT.search(path.name):
        keep = _FOR_EVER
    else:
        keep = _FOR_A_DAY if path.suffix in (".svg", ".woff2", ".png", ".ico") else _ASK
    kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return Asset(
        body=body,
        packed=packed if len(packed) < len(body) else b"",
        kind=kind or "application/octet-stream",
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        keep=keep,
    )
