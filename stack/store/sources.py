"""The lab's own files that a page is made of: what a build takes besides artifacts."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from stack.errors import BadInput
from stack.paths import REPO
from stack.store.package import Page


def contents(page: Page) -> Mapping[str, bytes]:
    """Path below the page's folder -> content, sorted by path. Raises BadInput if there are
    none."""
    folder = REPO / page.folder
    found = {path for pattern in page.sources for path in folder.glob(pattern) if path.is_file()}
    if not found:
        raise BadInput(f"`{folder}` contains no sources", cure="Restore it from version control.")
    return {_below(path, folder): path.read_bytes() for path in sorted(found)}


def digest(page: Page) -> str:
    """SHA-256 over names and contents."""
    return digest_of(contents(page))


def digest_of(files: Mapping[str, bytes]) -> str:
    lines = (f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
