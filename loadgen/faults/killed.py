"""A service dies without a word, as under the kernel's hand when memory runs out."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target


@dataclass(frozen=True, kw_only=True)
class ServiceKilled:
    """SIGKILL for the process of `service`, which is then held down."""

    service: str
    shows_after_s: float = 0.0
    shows_within_s: float = 0.5
    lingers_s: float = 1.0
    """Clients notice that it is back at their next attempt."""

    @property
    def touches(self) -> frozenset[str]:
        return frozenset({self.service})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not (pid := instance.pid(self.service)):
            raise FaultFailed(f"`{self.service}` does not run, so it cannot be killed")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # The supervisor would start it again at once.
        instance.stop_service(self.service)
        if instance.service_running(self.service):
            raise FaultFailed(f"`{self.service}` still runs after it was killed")

    def undo(self, instance: Target) -> None:
        if not instance.service_running(self.service):
            instance.start_service(self.service)

    def verify(self, instance: Target) -> str | None:
        running = instance.service_running(self.service)
        return None if running else f"`{self.service}` does not run again"

    def __str__(self) -> str:
        return f"{self.service} killed and held down"
