"""Names of a proof's instances, so that two proofs at once do not share one."""

import fcntl
import threading
from typing import IO

from stack.errors import HostCannot
from stack.run.instance import instances_dir, names
from stack.run.lifecycle import bring_down, make_instances_dir
from stack.store.disk import host_refuses

PREFIX = "proof-"

MOST = 64
"""More instances at once than any machine would carry."""


class Slots:
    """Hands out `proof-1`, `proof-2` …, each to one process at a time.

    The lock goes with the process, so that what a killed proof left running, or one with `--keep`,
    is known, and taken down by the next one.
    """

    def __init__(self) -> None:
        self._locks: dict[str, IO[str]] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> "Slots":
        make_instances_dir()
        for name in [name for name in names() if name.startswith(PREFIX)]:
            if self._locked(name):
                bring_down(name, wipe=True)
                self.give_back(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._locks):
            self.give_back(name)

    def take(self) -> str:
        """A name that nobody else has."""
        for number in range(1, MOST):
            if self._locked(f"{PREFIX}{number}"):
                return f"{PREFIX}{number}"
        raise HostCannot(
            f"{MOST} proof instances are running already.", cure="Wait for one to end."
        )

    def give_back(self, name: str) -> None:
        with self._guard:
            self._locks.pop(name).close()

    def _locked(self, name: str) -> bool:
        """Try to make the name ours."""
        with self._guard:
            if name in self._locks:
                return False
            lock = _open(name)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._locks[name] = lock
            return True


def check_writable() -> None:
    """Raises HostCannot where no instance can be made."""
    make_instances_dir()
    _open("check").close()


def _open(name: str) -> IO[str]:
    with host_refuses():
        return (instances_dir() / f".{name}.slot").open("w")
