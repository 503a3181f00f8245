"""Backups: one that finds no room, and none that is taken any more.

They are taken by `doit backup`, as by whoever is to take one every night.
"""

import math
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target
from stack.paths import REPO
from stack.run import backedup

ALL_KEPT = 1000
"""Backups at most: those of somebody else's are not to go because of a fault."""

ROOM_BYTES = 64 << 10
"""Less than the metrics of a minute, and more than `doit backup` writes of itself."""

TAKEN_WITHIN_S = 120.0

HOUR_S = 3600.0

READS = frozenset({"backups", "postgresql", "loki", "grafana"})
"""What has to answer while a backup is taken; whatever all evidence comes from, beside them."""


@dataclass(frozen=True, kw_only=True)
class NoRoomForBackup:
    """A backup is begun and finds no room: its process may not make a file longer than
    `ROOM_BYTES`, as if the disk were full. The next one finds room."""

    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0
    touches: frozenset[str] = READS

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not _back_up(instance, room_bytes=ROOM_BYTES):
            raise FaultFailed(f"a backup was taken although no file may exceed {ROOM_BYTES} bytes")
        if backedup.told(instance.layout).successful:
            raise FaultFailed("the failure of a backup was not recorded")

    def undo(self, instance: Target) -> None:
        if self.verify(instance) and (said := _back_up(instance)):
            raise FaultFailed(f"no backup can be taken: {said}")

    def verify(self, instance: Target) -> str | None:
        successful = backedup.told(instance.layout).successful
        return None if successful else "the last backup failed"

    def __str__(self) -> str:
        return "a backup finds no room"


@dataclass(frozen=True, kw_only=True)
class BackupsForgotten:
    """One backup is taken, then nobody takes another until the fault ends."""

    hours: float
    """After so many of the instance's own, that one is too old."""
    shows_after_s: float
    shows_within_s: float
    """Real seconds that these hours may take; where it lives too slowly for that, it is blocked."""
    lingers_s: float = 0.0
    touches: frozenset[str] = READS
    wears: bool = True
    """The instance is to be backed up from now on, and nobody does."""

    def blocked(self, instance: Target) -> str | None:
        if self.hours * HOUR_S / instance.layout.speed <= self.shows_within_s:
            return None
        least = math.ceil(self.hours * HOUR_S / self.shows_within_s / 100) * 100
        return (
            f"a backup is too old after {self.hours:g} h, and at speed {instance.layout.speed:g}"
            f" nobody waits for that: `doit up --speed {least}` lives fast enough"
        )

    def inject(self, instance: Target) -> None:
        if said := _back_up(instance):
            raise FaultFailed(f"no backup can be taken: {said}")

    def undo(self, instance: Target) -> None:
        began = time.time()
        if not backedup.told(instance.layout).taken:
            return
        if said := _back_up(instance):
            raise FaultFailed(f"no backup can be taken: {said}")
        if backedup.told(instance.layout).taken < began:
            raise FaultFailed("a backup was taken and not recorded")

    def verify(self, instance: Target) -> str | None:
        return None if backedup.told(instance.layout).successful else "the last backup failed"

    def __str__(self) -> str:
        return "nobody takes backups any more"


def _back_up(instance: Target, room_bytes: int = resource.RLIM_INFINITY) -> str:
    """Why no backup could be taken; empty when one was."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stack.tasks", "backup", "--instance", instance.layout.name,
         "--keep", str(ALL_KEPT)],
        cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with process:
        try:
            if room_bytes != resource.RLIM_INFINITY:
                # It imports for a while before it writes.
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
            _, said = process.communicate(timeout=TAKEN_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return f"it took longer than {TAKEN_WITHIN_S:g} s"
    return (said.strip() or f"it ended with {process.returncode}") if process.returncode else ""
