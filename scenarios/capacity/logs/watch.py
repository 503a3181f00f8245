"""How long lines are on their way: asks the store again and again for the newest that it has."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

EVERY_S = 0.1

TICK_S = 0.01
"""Lines are judged by when they were due, in steps of this."""

LEAST_S = 1.0
"""Between two shipments nothing is new: how far the store is behind is the least in this time."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One answer of the store. Times in Unix seconds."""

    at: float
    """When it was asked."""
    newest: float
    """Time of the newest line that it has; 0 when there is none."""
    took_s: float

    @property
    def lag_s(self) -> float:
        return max(0.0, self.at - self.newest)


def waits(looks: Sequence[Look]) -> list[float]:
    """How long those lines took that can be queried at the end of `looks` and could not at their
    beginning: one figure for each `TICK_S` of lines, sorted. No shorter than they took."""
    found = []
    for before, after in pairwise(looks):
        count = int((after.newest - before.newest) / TICK_S)
        newest_s = after.at + after.took_s - after.newest
        found += [newest_s + nth * TICK_S for nth in range(count)]
    return sorted(found)


def behind(looks: Sequence[Look], at: float) -> int:
    """How far the store is behind at that time, in `TICK_S` of lines."""
    near = [one.lag_s for one in looks if at - LEAST_S <= one.at <= at]
    return math.ceil(min(near, default=0.0) / TICK_S)


class Watch:
    """Asks ten times a second, in the background, until it is closed."""

    def __init__(self, newest: Callable[[float], float]) -> None:
        """`newest`: Unix time since when → of the newest line since then, 0 when there is none.
        What it raises as OSError is no answer."""
        self._newest = newest
        self._looks: list[Look] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def between(self, begin: float, end: float) -> list[Look]:
        """The last look before `begin`, and all up to `end`."""
        looks = [*self._looks]
        before = [one for one in looks if one.at < begin]
        return before[-1:] + [one for one in looks if begin <= one.at <= end]

    @property
    def last(self) -> Look | None:
        return self._looks[-1] if self._looks else None

    def _run(self) -> None:
        begun = time.time()
        while not self._over.wait(EVERY_S):
            since = self._looks[-1].newest if self._looks else begun
            at = time.time()
            try:
                found = self._newest(since)
            except OSError:
                continue
            took_s = time.time() - at
            self._looks.append(Look(at=at, newest=max(found, since), took_s=took_s))
            del self._looks[:-6000]  # ten minutes
