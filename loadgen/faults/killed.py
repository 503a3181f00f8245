"""A service dies without a last word, as when the kernel kills it for lack of memory."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.service import ServiceStopped


@dataclass(frozen=True, kw_only=True)
class ServiceKilled(ServiceStopped):
    """The process of `service` gets SIGKILL, and the service is then held down."""

    def inject(self, instance: Target) -> None:
        if not (pid := instance.pid(self.service)):
            raise FaultFailed(f"`{self.service}` is not running, so it cannot be killed")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # The supervisor would start it again at once.
        super().inject(instance)

    def __str__(self) -> str:
        return f"{self.service} killed and held down"
