"""Something done again and again, slowly enough to disturb nobody else."""

import threading
from collections.abc import Callable
from contextlib import suppress

from loadgen.faults.base import FaultFailed

EVERY_S = 0.25
"""Four a second: twenty times what the alerts on logs need to fire, at a few milliseconds of CPU
each."""


class Repeated:
    """Does it every quarter of a second, in a thread of its own, until it is ended or this process
    is."""

    def __init__(self, attempt: Callable[[], None]) -> None:
        self._attempt = attempt
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="repeated", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            with suppress(FaultFailed):  # a service that is away is tried again
                self._attempt()

    def end(self) -> None:
        """Returns when the last attempt is over."""
        self._stop.set()
        self._thread.join()
