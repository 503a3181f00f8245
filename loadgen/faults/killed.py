"""A service dies without a word, as under the kernel's hand when memory runs out."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.service import ServiceStopped


@dataclass(frozen=True, kw_only=True)
class ServiceKilled(ServiceStopped):
    """SIGKILL for the process of `service`, which is then held down."""

    def inject(self, instance: Target) -> None:
        if not (pid := instance.pid(self.service)):
            raise FaultFailed(f"`{self.service}` does not run, so it cannot be killed")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # The supervisor would start it again at once.
        super().inject(instance)

    def __str__(self) -> str:
        return f"{self.service} killed and held down"
