"""The disk of the simulated host is really filled: a file grows on it until little is free."""

from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target
from stack.errors import LabError
from stack.services.simulated_host import root
from stack.simhost import disk
from stack.simhost.enter import disk_unavailable

EXPORTER = "node-exporter"
"""The disk is mounted for this service alone, so it is reached through its process."""


@dataclass(frozen=True, kw_only=True)
class DiskFilled:
    """`/data` of the simulated host has `free_percent` of its size left."""

    free_percent: float
    touches: frozenset[str] = frozenset({"disk"})
    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0

    def blocked(self, instance: Target) -> str | None:
        return disk_unavailable()

    def inject(self, instance: Target) -> None:
        pid, folder = instance.pid(EXPORTER), root(instance.layout)
        try:
            disk.fill(pid, folder, free_percent=self.free_percent)
            size, available = disk.usage(pid, folder)
        except LabError as error:
            raise FaultFailed(str(error)) from error
        if available > size * self.free_percent / 100:
            found = 100 * available / size
            raise FaultFailed(f"{found:.1f} % of /data is free, wanted {self.free_percent:g} %")

    def undo(self, instance: Target) -> None:
        try:
            disk.clear(instance.pid(EXPORTER), root(instance.layout))
        except LabError as error:
            raise FaultFailed(str(error)) from error

    def verify(self, instance: Target) -> str | None:
        size, available = disk.usage(instance.pid(EXPORTER), root(instance.layout))
        free = 100 * available / size
        return f"only {free:.1f} % of /data is free" if free <= self.free_percent else None

    def __str__(self) -> str:
        return f"disk filled to {self.free_percent:g} % free"
