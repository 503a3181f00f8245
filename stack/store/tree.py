"""The tree hash: what an output is, by names, modes, contents and link targets alone."""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput

_FOLDER_MODE = 0o555
_MTIME = 1  # seconds since the epoch; what an output's files all carry


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All entries of a tree, sorted by path: one JSON list a line, [path, kind, …].

    A folder is [path, "folder"]; a file [path, "file" or "program", SHA-256, size in bytes];
    a link [path, "link", target].
    """

    lines: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256("".join(f"{line}\n" for line in self.lines).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry[3] for line in self.lines if len(entry := json.loads(line)) == 4)

    def differences(self, other: "Manifest") -> list[str]:
        """Sorted paths of all entries that are not the same in both."""
        changed = set(self.lines) ^ set(other.lines)
        return sorted({json.loads(line)[0] for line in changed})


def manifest(root: Path) -> Manifest:
    """Describe the tree under `root`. Raises BadInput for a device, a socket or a pipe."""
    return Manifest(lines=tuple(json.dumps(entry(root, path)) for path in paths(root)))


def paths(root: Path) -> list[bytes]:
    """Paths below `root`, relative to it, in the order of their bytes."""
    base = os.fsencode(root)
    found: list[bytes] = []
    for folder, folders, files in os.walk(base):
        found += [os.path.relpath(os.path.join(folder, n), base) for n in (*folders, *files)]  # noqa: PTH118
    return sorted(found)


def entry(root: Path, path: bytes) -> list[str | int]:
    """The entry of a manifest for `path` below `root`. Raises BadInput for what may not be one."""
    name, at = _text(path), root / os.fsdecode(path)
    info = at.lstat()
    if stat.S_ISLNK(info.st_mode):
        # Path would normalise the target.
        return [name, "link", _text(os.readlink(os.fsencode(at)))]  # noqa: PTH115
    if stat.S_ISDIR(info.st_mode):
        return [name, "folder"]
    if not stat.S_ISREG(info.st_mode):
        raise BadInput(f"`{at}` is not a file, folder or link, so an output must not contain it")
    with at.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return [name, "program" if info.st_mode & 0o111 else "file", content, info.st_size]


def _text(path: bytes) -> str:
    """As UTF-8, whatever the locale says: the tree hash may not depend on that."""
    return path.decode("utf-8", "surrogateescape")


def seal(root: Path, needs: Iterable[Path] = ()) -> None:
    """Make a tree read-only and its modes and times what every output's are.

    Raises BadInput for a link that leads neither into the tree nor into one that it `needs`, and
    for names that differ only in case: a file system that ignores case would lose one of them.
    """
    _check_names(root)
    inside = [_resolved(path) for path in (root, *needs)]
    for at in (*_bottom_up(root), root):
        if at.is_symlink():
            if not any(map(_resolved(at).is_relative_to, inside)):
                raise BadInput(f"`{at}` leads outside its output, to `{at.readlink()}`")
        elif at.is_dir():
            at.chmod(_FOLDER_MODE)
        else:
            at.chmod(0o555 if at.stat().st_mode & 0o111 else 0o444)
        os.utime(at, (_MTIME, _MTIME), follow_symlinks=False)


def _check_names(root: Path) -> None:
    for folder, folders, files in os.walk(root):
        names: dict[str, str] = {}
        for name in sorted((*folders, *files)):
            twin = names.setdefault(name.casefold(), name)
            if twin != name:
                raise BadInput(
                    f"`{folder}` contains `{twin}` and `{name}`, which differ only in case"
                )


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve would raise for links in a circle


def remove(root: Path) -> None:
    """Remove a tree, sealed or not. It need not be there."""
    if not root.is_dir():
        return
    root.chmod(0o755)
    for at in _bottom_up(root):
        if at.is_dir() and not at.is_symlink():
            at.chmod(0o755)
    shutil.rmtree(root)


def _bottom_up(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            yield Path(folder) / name
