"""All processes below one, without reading the whole process table each time."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

ANEW_S = 1.0
"""A grandchild is known at most that late; until then its parent's figures stand for it."""


class Descendants:
    """The processes below the one that `pid` finds, a parent before its children.

    Going through the process table takes milliseconds, so it is done when a direct child came or
    went, which the kernel tells (man 5 proc, `/proc/pid/task/tid/children`), and once a second.
    Where the kernel does not tell, it is done each time.
    """

    def __init__(
        self,
        pid: Callable[[], int],
        *,
        proc: Path = Path("/proc"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pid, self._proc, self._clock = pid, proc, clock
        self._direct: str | None = None
        self._until = float("-inf")
        self._found: list[psutil.Process] = []

    def of(self) -> tuple[int, list[psutil.Process]]:
        """The PID, and the processes below it; some may have ended meanwhile.

        Raises psutil.NoSuchProcess when there is no such process.
        """
        pid, now = self._pid(), self._clock()
        direct = self._children(pid)
        if direct is None or direct != self._direct or now >= self._until:
            self._found = psutil.Process(pid).children(recursive=True)
            self._direct, self._until = direct, now + ANEW_S
        return pid, self._found

    def _children(self, pid: int) -> str | None:
        """The direct children of a process that has one thread, such as supervisord."""
        try:
            return f"{pid}: {(self._proc / f'{pid}/task/{pid}/children').read_text()}"
        except OSError:
            return None
