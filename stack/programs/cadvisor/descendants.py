"""All processes below a given one, without reading the whole process table each time."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

REREAD_S = 1.0
"""A grandchild is noticed after at most this long; until then its parent stands for it."""


class Descendants:
    """The processes below the one that `pid` finds, a parent before its children.

    Reading the process table takes milliseconds, so it is done when a direct child came or went,
    which the kernel reports (man 5 proc, `/proc/pid/task/tid/children`), and once a second. Where
    the kernel does not report it, the table is read each time.
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
        """The PID, and the processes below it; some may have ended since.

        Raises psutil.NoSuchProcess when there is no such process.
        """
        pid, now = self._pid(), self._clock()
        direct = self._children(pid)
        if direct is None or direct != self._direct or now >= self._until:
            self._found = psutil.Process(pid).children(recursive=True)
            self._direct, self._until = direct, now + REREAD_S
        return pid, self._found

    def _children(self, pid: int) -> str | None:
        """The direct children of a process with a single thread, such as supervisord."""
        try:
            return f"{pid}: {(self._proc / f'{pid}/task/{pid}/children').read_text()}"
        except OSError:
            return None
