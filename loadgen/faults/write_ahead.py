"""Prometheus' write-ahead log may not grow, as if its disk were full."""

import math
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadgen.faults.base import FaultFailed, Target
from stack import durations

SERVICE = "prometheus"

SEGMENT_BYTES = 128 << 20
"""How long a file of the log grows before the next one is begun."""

CHUNK_SAMPLES, LOOKS_EVERY_S = 120, 60.0
"""How many samples fill a chunk of a series, and how often Prometheus moves full ones from memory
to a file (`DB.run` in its tsdb/db.go)."""

SCRAPED_EVERY_S = 15.0
"""As prometheus.yml has it."""

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, kw_only=True)
class LogFull:
    """Prometheus may not make its files any longer, by a limit of its process (`RLIMIT_FSIZE`).

    What it cannot write to its log first, it does not store: neither samples nor that this fails.
    """

    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({SERVICE})
    wears: bool = True
    """Half a record may be left in the log. The next start repairs it, in words that look like
    another failure."""

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        pid, data = _pid(instance), instance.layout.data(SERVICE)
        _wait_for_chunks(pid, data / "chunks_head", instance.layout.speed)
        logs = _numbered(data / "wal")
        if not logs:
            raise FaultFailed(f"`{data / 'wal'}` has no log that could be full")
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        _limit(pid, logs[-1].stat().st_size, hard)

    def undo(self, instance: Target) -> None:
        pid = _pid(instance)
        if self.verify(instance):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            # Whoever undoes it need not be who did it; nothing but this fault sets a limit.
            _limit(pid, hard, hard)

    def verify(self, instance: Target) -> str | None:
        soft, _ = resource.prlimit(_pid(instance), resource.RLIMIT_FSIZE)
        if soft == resource.RLIM_INFINITY or soft >= SEGMENT_BYTES:
            return None
        return f"`{SERVICE}` may not make a file longer than {soft} bytes"

    def __str__(self) -> str:
        return "Prometheus cannot write to its log"


def _pid(instance: Target) -> int:
    if pid := instance.pid(SERVICE):
        return pid
    raise FaultFailed(f"`{SERVICE}` is not running")


def _limit(pid: int, soft: int, hard: int) -> None:
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    except (OSError, ValueError) as error:
        raise FaultFailed(f"`{SERVICE}`: its limit cannot be set to {soft}: {error}") from error


def _numbered(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]" * 6 + "*"))


def _wait_for_chunks(pid: int, folder: Path, speed: float) -> None:
    """Let Prometheus make its first file of chunks, if it is about to: where it cannot reserve the
    128 MB of one, it ends itself. Into one that it has, it only writes."""
    full_after_s = CHUNK_SAMPLES * max(SCRAPED_EVERY_S / speed, durations.INTERVAL_FLOOR_S)
    made_after_s = math.ceil(full_after_s / LOOKS_EVERY_S) * LOOKS_EVERY_S
    begun = psutil.Process(pid).create_time()
    while -_lasts_s(speed) < time.time() - begun - made_after_s < LOOKS_EVERY_S:
        if _numbered(folder):
            return
        time.sleep(_LOOK_EVERY_S)


def _lasts_s(speed: float) -> float:
    """The longest that the alert may take; by then the fault is undone."""
    return 12.0 + 2 * 60.0 / speed
