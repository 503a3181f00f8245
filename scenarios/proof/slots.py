"""Names of a proof's instances, so that two proofs at once do not share one."""

import fcntl
import threading
from typing import IO

from stack.instance import instances_dir

MOST = 64
"""More instances at once than any machine would carry."""


class Slots:
    """Hands out `proof-1`, `proof-2` …, each to one process at a time.

    The lock goes with the process, so that the instance of a proof that was killed is taken over,
    and thereby taken down, by the next one.
    """

    def __init__(self) -> None:
        self._locks: dict[str, IO[str]] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> "Slots":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._locks):
            self.give_back(name)

    def take(self) -> str:
        """A name that nobody else has."""
        instances_dir().mkdir(parents=True, exist_ok=True)
        with self._guard:
            for number in range(1, MOST):
                name = f"proof-{number}"
                lock = (instances_dir() / f".{name}.slot").open("w")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    lock.close()
                    continue
                self._locks[name] = lock
                return name
        raise AssertionError(f"{MOST} proofs at once")

    def give_back(self, name: str) -> None:
        self._locks.pop(name).close()
