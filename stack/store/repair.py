"""Restores a store path to what it was, while programs run from it.

A good output is built aside, and what differs is moved from it entry by entry: whoever runs keeps
its folders and its open files, and each path gives the old file or the good one.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from stack.progress import Progress
from stack.store import tree
from stack.store.derivation import Derivation
from stack.store.disk import locked, make_folder, sync
from stack.store.realisation import BUILDING, Store, realise_all


@contextlib.contextmanager
def good_output(derivation: Derivation, store: Store, report: Progress) -> Iterator[Path]:
    """An output built aside, in the store's own file system; gone afterwards.

    Nobody else builds or repairs it meanwhile. Raises what `realise_all` raises.
    """
    make_folder(store.folder / ".locks")
    aside = replace(store, folder=store.folder / f"{BUILDING}{derivation.store_name}")
    with locked(store.lock_file(derivation.store_name)):
        try:
            tree.remove(aside.folder)
            realise_all([derivation], aside, report)
            yield aside.path(derivation)
        finally:
            tree.remove(aside.folder)


def restore(root: Path, good: Path, paths: Iterable[str]) -> None:
    """Make `paths` below `root` what they are below `good`, which loses them. Leaves `root`
    unsealed. Raises OSError; then some of them are restored."""
    for path in sorted(paths):  # a folder before what is in it
        _give(root / path, good / path, root, good)
    sync(root)


def _give(wrong: Path, right: Path, root: Path, good: Path) -> None:
    _open(wrong.parent, root)
    is_there, is_folder = right.is_symlink() or right.exists(), _is_folder(right)
    if _is_folder(wrong) != is_folder or not is_there:
        _take_away(wrong)
    if is_folder:
        wrong.mkdir(exist_ok=True)
    elif is_there:
        _open(right.parent, good)
        right.replace(wrong)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _open(folder: Path, root: Path) -> None:
    """Let entries of a folder be changed. It has gone if a parent of it was taken away."""
    for each in (folder, *folder.parents):
        if each.is_dir() and not each.is_symlink():
            each.chmod(0o755)
        if each == root:
            return


def _take_away(path: Path) -> None:
    if _is_folder(path):
        tree.remove(path)
    elif path.parent.is_dir():
        path.unlink(missing_ok=True)
