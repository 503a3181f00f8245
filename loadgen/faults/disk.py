"""The simulated host's disk really fills up: a file grows on it, at once or steadily."""

import threading
import time
from dataclasses import dataclass, field

from loadgen.faults.base import FaultFailed, Target
from stack.errors import LabError
from stack.run.services.simulated_host import disk, disk_unavailable, root

EXPORTER = "node-exporter"
"""Only this service has the disk mounted, so it is reached through its process."""

DISK = frozenset({"simulated-host.disk"})

HOUR_S = 3600.0

_STEPS = 240
"""In how many steps, at most, a disk fills steadily: more than one for each scrape."""


@dataclass(frozen=True, kw_only=True)
class DiskFilled:
    """`/data` of the simulated host has `free_percent` of its size left."""

    free_percent: float
    touches: frozenset[str] = DISK
    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0

    def blocked(self, instance: Target) -> str | None:
        return disk_unavailable()

    def inject(self, instance: Target) -> None:
        found = _fill(instance, self.free_percent)
        if found > self.free_percent:
            raise FaultFailed(f"{found:.1f} % of /data is free, expected {self.free_percent:g} %")

    def undo(self, instance: Target) -> None:
        _clear(instance)

    def verify(self, instance: Target) -> str | None:
        free = _free_percent(instance)
        return f"only {free:.1f} % of /data is free" if free <= self.free_percent else None

    def __str__(self) -> str:
        return f"disk filled to {self.free_percent:g} % free"


@dataclass(kw_only=True, eq=False)
class _Filling:
    """The state of a disk while it fills."""

    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    failed: str = ""
    free_at_first_percent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DiskFilling:
    """`/data` of the simulated host fills steadily until undone or until `free_percent` is left."""

    free_percent: float
    hours: float
    """How long that takes in the instance's own time: at speed 720 an hour is 5 seconds."""
    touches: frozenset[str] = DISK
    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0
    _now: _Filling = field(default_factory=_Filling, repr=False, compare=False)

    def blocked(self, instance: Target) -> str | None:
        return disk_unavailable()

    def inject(self, instance: Target) -> None:
        now = self._now
        now.stop.clear()
        now.failed = ""
        now.free_at_first_percent = _free_percent(instance)
        if now.free_at_first_percent <= self.free_percent:
            raise FaultFailed(
                f"{now.free_at_first_percent:.1f} % of /data is free,"
                f" expected more than {self.free_percent:g} % to begin with"
            )
        now.thread = threading.Thread(target=self._fill, args=(instance,), daemon=True)
        now.thread.start()

    def _fill(self, instance: Target) -> None:
        """Runs in its own thread; a daemon, so that it cannot outlive the process."""
        now = self._now
        took_s = self.hours * HOUR_S / instance.layout.speed
        begun, share = time.monotonic(), 0.0
        while share < 1 and not now.stop.wait(took_s / _STEPS):
            # By the clock, not by steps: on a busy machine the steps come late.
            share = min(1.0, (time.monotonic() - begun) / took_s)
            used_percent = share * (now.free_at_first_percent - self.free_percent)
            try:
                _fill(instance, now.free_at_first_percent - used_percent)
            except FaultFailed as error:
                now.failed = str(error)
                return

    def undo(self, instance: Target) -> None:
        self._now.stop.set()
        if self._now.thread:
            self._now.thread.join()
            self._now.thread = None
        _clear(instance)
        if self._now.failed:
            raise FaultFailed(f"the disk stopped filling: {self._now.failed}")

    def verify(self, instance: Target) -> str | None:
        free = _free_percent(instance)
        # The filesystem itself may use a page of it.
        less = free < self._now.free_at_first_percent - 0.5
        return f"only {free:.1f} % of /data is free" if less else None

    def __str__(self) -> str:
        return f"disk fills to {self.free_percent:g} % free within {self.hours:g} h"


def _fill(instance: Target, free_percent: float) -> float:
    """Free percent of /data afterwards. Raises FaultFailed."""
    try:
        disk.fill(instance.pid(EXPORTER), root(instance.layout), free_percent=free_percent)
    except LabError as error:
        raise FaultFailed(str(error)) from error
    return _free_percent(instance)


def _free_percent(instance: Target) -> float:
    try:
        size, available = disk.usage(instance.pid(EXPORTER), root(instance.layout))
    except LabError as error:
        raise FaultFailed(str(error)) from error
    return 100 * available / size


def _clear(instance: Target) -> None:
    try:
        disk.clear(instance.pid(EXPORTER), root(instance.layout))
    except LabError as error:
        raise FaultFailed(str(error)) from error
