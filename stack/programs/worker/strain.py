"""Really uses CPU and memory, but no more than it is asked to."""

import mmap
import time
from collections.abc import Callable
from pathlib import Path

_PAGE = mmap.PAGESIZE

_OWED_AT_MOST_S = 0.5
"""CPU seconds that a busy machine denied it and that it makes up for; no more, so that it does not
keep burning for long once it can."""


class Burner:
    """Uses a share of one core, measured by this process's own CPU time."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock, self._spent = clock, spent
        self._owed_s = 0.0
        self._seen = (clock(), spent())

    def burn(self, cores: float, at_most_s: float) -> None:
        """Spin until `cores` of the time since the last call is used, for `at_most_s` at most."""
        now, spent_s = self._clock(), self._spent()
        due_s = cores * (now - self._seen[0]) - (spent_s - self._seen[1])
        self._owed_s = min(max(0.0, self._owed_s + due_s), _OWED_AT_MOST_S) if cores else 0.0
        self._seen = (now, spent_s)
        end, enough = now + at_most_s, spent_s + self._owed_s
        while self._spent() < enough and self._clock() < end:
            pass


class Ballast:
    """Holds enough memory to bring this process's resident set to a given size."""

    def __init__(self) -> None:
        self._held: mmap.mmap | None = None
        self._wanted = 0

    def grow_to(self, size_bytes: int) -> None:
        """Make the resident set that large; 0 releases everything that was held, immediately."""
        if size_bytes == self._wanted:
            return
        if self._held:
            self._held.close()
        self._held, self._wanted = None, size_bytes
        missing = size_bytes - resident_bytes()
        if missing > 0:
            self._held = mmap.mmap(-1, missing)
            for offset in range(0, missing, _PAGE):
                self._held[offset] = 1  # a page counts once it has been written


def resident_bytes() -> int:
    """Memory of this process that is in RAM (man 5 proc, statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
