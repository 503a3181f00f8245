"""Between those who use the store and what is cleared out of it: who needs it, and when to wait.

`roots/` in the cache has a link to the folder of each instance that was brought up with it, since
instances may lie anywhere (STACK_STATE).
"""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from stack.errors import LabError
from stack.store.disk import make_folder

_LOCK = ".gc.lock"


@contextlib.contextmanager
def in_use(store: Path) -> Iterator[None]:
    """Nothing is cleared out of the store meanwhile; many may hold this at once.

    Without a store, or in one that is somebody else's and closed to us, it does nothing: what is
    wrong there is reported by what comes next.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(LabError, OSError):
            file = held.enter_context(_opened(store))
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def alone(store: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Nobody uses the store meanwhile. `waiting` is called if somebody does and must end first.

    Raises HostCannot or OSError where the store cannot be written to.
    """
    with _opened(store) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(store: Path) -> BinaryIO:
    """Reading is enough to lock, so that a store may be another user's."""
    file = store / _LOCK
    with contextlib.suppress(FileNotFoundError):
        return file.open("rb")
    make_folder(store)
    file.touch(mode=0o644)
    file.chmod(0o644)
    return file.open("rb")


def register(cache: Path, directory: Path) -> None:
    """Say that what lies in `directory` may need something of this cache.

    Where the cache is another user's this fails in silence: only that user clears it out, and sees
    what runs, but not what is stopped.
    """
    link = _link(cache, directory)
    with contextlib.suppress(LabError, OSError):
        if not link.is_symlink():
            make_folder(link.parent)
            link.symlink_to(directory)


def forget(cache: Path, directory: Path) -> None:
    """Take back `register`."""
    with contextlib.suppress(OSError):
        _link(cache, directory).unlink()


def registered(cache: Path) -> list[Path]:
    """Sorted; those of them that are gone are forgotten."""
    found = []
    for link in sorted((cache / "roots").glob("*")):
        if link.is_dir():
            found.append(link.readlink())
        else:
            link.unlink()
    return sorted(found)


def _link(cache: Path, directory: Path) -> Path:
    return cache / "roots" / hashlib.sha256(str(directory).encode()).hexdigest()[:16]
