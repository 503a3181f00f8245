"""Figures that are at most a tenth of a second old."""

import threading
import time
from collections.abc import Callable

FRESH_S = 0.1
"""Scrapes within that time share their figures: many readers cost no more than one."""


class Fresh:
    """Remembers a text for `FRESH_S`."""

    def __init__(
        self, make: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._clock = make, clock
        self._text, self._until = "", float("-inf")
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            if self._clock() >= self._until:
                self._text = self._make()
                self._until = self._clock() + FRESH_S
            return self._text
