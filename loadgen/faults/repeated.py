"""Something done again and again, slowly enough to disturb nobody else."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from loadgen.faults.base import FaultFailed, Target

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


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The part of a fault that makes attempts, each of which is refused, until it is undone."""

    shows_after_s: float = 0.0
    shows_within_s: float = 2 * EVERY_S
    lingers_s: float = 0.0
    _attempts: list[Repeated] = field(default_factory=list, repr=False, compare=False)

    def blocked(self, instance: Target) -> str | None:
        return None

    def begin(self, attempt: Callable[[], None]) -> None:
        """Attempt it now and then again and again. Raises FaultFailed where it is not refused."""
        attempt()
        self._attempts.append(Repeated(attempt))

    def undo(self, instance: Target) -> None:
        while self._attempts:
            self._attempts.pop().end()

    def verify(self, instance: Target) -> str | None:
        return "it is still attempted" if self._attempts else None
