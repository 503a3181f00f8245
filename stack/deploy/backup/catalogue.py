"""The backups that there are: `STACK_STATE/backups/INSTANCE/TIME/`, newest last.

A backup is made aside and renamed, so that half of one is none. Its manifest has the size and the
SHA-256 of each file; a file that the one before has as well is the same file on the disk.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stack import jsontext
from stack.errors import BadInput
from stack.paths import state_dir
from stack.store.disk import host_refuses, make_folder

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the manifest and of what lies beside it."""

_COMING = ".part"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    instance: str
    speed: float
    taken: float
    """Unix seconds: nothing later is in it."""
    hash: str
    """The instance's: of its packages, configuration, ports and speed."""
    files: Mapping[str, Stored]
    """Path in the backup → file."""
    answers: Mapping[str, Any]
    """Question → what the instance answered when the backup was taken."""
    recipient: str = ""
    """Public key to which the instance's secrets are encrypted; empty where they are left out."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    directory: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def size_bytes(self) -> int:
        return sum(stored.size for stored in self.manifest.files.values())

    def verify(self) -> None:
        """Raises BadInput that names what is damaged, missing or too many."""
        there = {str(path.relative_to(self.directory)) for path in _files(self.directory)}
        wrong = [f"`{path}` is missing" for path in sorted(set(self.manifest.files) - there)]
        wrong += [
            f"`{path}` does not belong to it" for path in sorted(there - set(self.manifest.files))
        ]
        wrong += [
            f"`{path}` is damaged"
            for path, stored in self.manifest.files.items()
            if path in there and digest(self.directory / path) != stored
        ]
        if wrong:
            more = f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise BadInput(
                f"backup `{self.directory}` cannot be used: {', '.join(wrong[:5])}{more}.",
                cure="Use another one: `doit backups` lists them.",
            )


def folder_of(instance: str) -> Path:
    return state_dir() / "backups" / instance


def backups(instance: str) -> list[Backup]:
    """All that are whole as far as their manifests say, the oldest first."""
    found = []
    for path in sorted(folder_of(instance).glob("*")):
        try:
            if path.suffix != _COMING:
                found.append(read(path))
        except BadInput:
            continue
    return found


def read(directory: Path) -> Backup:
    """The backup in a folder. Raises BadInput where there is none that can be read."""
    try:
        document = jsontext.read((directory / MANIFEST).read_text())
        sealed = document.pop("sha256")
        if _seal(document) != sealed:
            raise ValueError("its manifest was changed")
        if document["format"] != FORMAT:
            raise ValueError(f"it is of format {document['format']}, this is {FORMAT}")
        files = {path: Stored(**stored) for path, stored in document["files"].items()}
        return Backup(directory=directory, manifest=Manifest(**{**document, "files": files}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"`{directory}` is no backup that can be used: {error}.",
            cure="`doit backups` lists those that there are.",
        ) from None


@contextmanager
def one_at_a_time(instance: str) -> Iterator[Path]:
    """The folder of its backups, for one process at a time. Raises BadInput while another one is
    at work, HostCannot for what the disk refuses."""
    folder = folder_of(instance)
    with host_refuses():
        make_folder(folder)
        folder.chmod(0o700)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(
                    f"another backup of `{instance}` is being taken.",
                    cure="Wait for it to end.",
                ) from None
            yield folder


@contextmanager
def coming(folder: Path) -> Iterator[Path]:
    """A folder to make a backup in; what is left of one that was killed goes first, and this one
    goes if the block does not end well."""
    for left in folder.glob(f"*{_COMING}"):
        shutil.rmtree(left)
    made = folder / f"{time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime())}{_COMING}"
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def seal(made: Path, before: Backup | None, **known: Any) -> Backup:
    """Make what lies in a folder a backup: share what `before` has as well, write the manifest,
    rename. `known` are the manifest's other fields."""
    shared = {one: path for path, one in before.manifest.files.items()} if before else {}
    files = {}
    for path in sorted(_files(made)):
        stored = digest(path)
        files[str(path.relative_to(made))] = stored
        if before and stored.size and stored in shared:
            _share(before.directory / shared[stored], path, stored)
        path.chmod(0o400)
    manifest = Manifest(format=FORMAT, files=files, **known)
    document = asdict(manifest)
    with (made / MANIFEST).open("w") as file:
        json.dump({**document, "sha256": _seal(document)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.sync()
    final = _unused(made.with_suffix(""), before)
    made.rename(final)
    return Backup(directory=final, manifest=manifest)


def _share(earlier: Path, path: Path, stored: Stored) -> None:
    """One file on the disk for both, unless the earlier one is damaged by now."""
    if earlier.is_file() and digest(earlier) == stored:
        twin = path.with_name(f".{path.name}.twin")
        os.link(earlier, twin)
        twin.replace(path)


def _unused(final: Path, before: Backup | None) -> Path:
    """A name that sorts after all others, also when the clock was set back."""
    if before and final.name <= before.name:
        final = final.with_name(f"{before.name}+")
    return final


def prune(instance: str, keep: int) -> list[str]:
    """Remove all but the newest so many; the names of those that went."""
    gone = backups(instance)[:-keep]
    for backup in gone:
        going = backup.directory.with_suffix(f".gone{_COMING}")
        backup.directory.rename(going)
        shutil.rmtree(going)
    return [backup.name for backup in gone]


def forget(instance: str) -> None:
    """Remove all that there are of an instance, if any."""
    shutil.rmtree(folder_of(instance), ignore_errors=True)


def digest(path: Path) -> Stored:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
        return Stored(size=file.tell(), sha256=found.hexdigest())


def chosen(name: str, instance: str) -> Backup:
    """`latest`, the name of one, or its folder. Raises BadInput."""
    if name == "latest":
        if found := backups(instance):
            return found[-1]
        raise BadInput(
            f"there is no backup of instance `{instance}`.", cure="`doit backup` makes one."
        )
    inside = folder_of(instance) / name
    return read(inside if inside.is_dir() else Path(name).absolute())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]


def _seal(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
