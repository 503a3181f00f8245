"""Clears out of the cache what nobody needs: store paths, artifacts, and what killed builds left.

Nobody builds meanwhile (`guard.alone`). A store path is renamed before it is removed, so that a gc
that is killed leaves no half of one under a name that a build would trust.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.store import references, tree
from stack.store.disk import locked_if_free, unusable
from stack.store.guard import alone
from stack.store.realisation import BUILDING, Store

_GONE = ".gone-"
_SCRATCH = ("lock-*", "reproduce-*")
"""Folders in the cache where `doit lock` and `doit reproduce` build."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What must stay: names of store paths, and SHA-256 of artifacts."""

    store_names: frozenset[str]
    artifacts: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Something that can go. `kind` is what a person calls it; the size is that on the disk."""

    kind: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What went, or would go; `kept` names the store paths that stay."""

    garbage: tuple[Garbage, ...]
    kept: frozenset[str]


def collect(
    store: Store,
    needed: Callable[[], Needed],
    *,
    dry_run: bool,
    waiting: Callable[[], None] = lambda: None,
) -> Collected:
    """Remove what is neither needed nor used by a running process.

    `needed` is asked once nobody builds; `waiting` is called if that takes a while. Raises
    HostCannot where something cannot be removed, and whatever `needed` raises; nothing has gone
    then.
    """
    if not store.folder.is_dir():
        return Collected(garbage=(), kept=frozenset())
    try:
        with alone(store.folder, waiting):
            found = _find(store, needed())
            if not dry_run:
                for each in found.garbage:
                    _remove(store, each)
            return found
    except OSError as error:
        raise unusable(error, store.folder) from error


def _find(store: Store, needed: Needed) -> Collected:
    names = {at.name for at in store.folder.iterdir() if not at.name.startswith(".")}
    running = references.used_by_processes(names) - needed.store_names
    # What the record of an instance names is closed already; what only runs is not.
    kept = (names & needed.store_names) | references.closed(running, store.folder, names)
    garbage = [
        *_store_paths(store, names - kept),
        *_unfinished(store),
        *_manifests(store, kept | needed.store_names),
        *_artifacts(store, needed.artifacts),
    ]
    return Collected(garbage=tuple(garbage), kept=frozenset(kept))


def _store_paths(store: Store, names: set[str]) -> Iterator[Garbage]:
    for name in sorted(names, key=lambda name: name[33:]):
        with locked_if_free(store.lock_file(name)) as free:
            if free:
                yield _garbage("store path", store.folder / name)


def _unfinished(store: Store) -> Iterator[Garbage]:
    """What a killed build, `doit lock` or gc left."""
    for at in sorted(store.folder.glob(f"{BUILDING}*")):
        with locked_if_free(store.lock_file(at.name.removeprefix(BUILDING))) as free:
            if free:
                yield _garbage("unfinished build", at)
    for at in sorted(at for each in _SCRATCH for at in store.folder.parent.glob(each)):
        yield _garbage("unfinished build", at)
    for at in sorted(store.folder.glob(f"{_GONE}*")):
        yield _garbage("store path", at)


def _manifests(store: Store, kept: frozenset[str] | set[str]) -> Iterator[Garbage]:
    for at in sorted((store.folder / ".manifests").glob("*")):
        if at.name not in kept:
            yield _garbage("manifest", at)


def _artifacts(store: Store, needed: frozenset[str]) -> Iterator[Garbage]:
    """Half of a needed one stays: its download continues where it broke."""
    for at in sorted(store.artifacts.glob("*")):
        if at.name.removesuffix(".part") not in needed:
            yield _garbage("artifact", at)


def _garbage(kind: str, path: Path) -> Garbage:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return Garbage(kind=kind, path=path, size_bytes=sum(at.lstat().st_blocks * 512 for at in files))


def _remove(store: Store, garbage: Garbage) -> None:
    path = garbage.path
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    if path.parent == store.folder and not path.name.startswith("."):
        path = path.rename(store.folder / f"{_GONE}{path.name}")
    tree.remove(path)
