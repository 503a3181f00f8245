"""What is measured of a Prometheus that scrapes a fleet of one size."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CHUNK_SAMPLES = 120
"""Samples of a full chunk (Prometheus 2.53, `DefaultSamplesPerChunk`)."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some seconds at a steady size."""

    seconds: float
    samples_per_s: float
    series: float
    """In the head, at the end."""
    scrape_s: float
    """Median of how long a target took."""
    slowest_scrape_s: float
    rules_s: float
    """What it takes to evaluate all groups of rules once."""
    cores: float
    """Of the Prometheus; 1 is one core all of the time."""
    memory_bytes: float
    """Resident, mean over the window: it goes up and down with Go's garbage collection."""
    peak_bytes: float
    """Resident, the most that was seen."""
    fleet_cores: float
    other_cores: float
    """Of all else on the machine."""
    missed: float
    """Scrapes that failed, and evaluations that were left out."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """What its samples take on the disk, and how long it takes to read them again."""

    wal_bytes: int
    """What is read again, the heads of chunks included."""
    wal_samples: float
    restart_s: float
    block_samples: int
    """Of the head, written as a block, as the compaction does it every two hours."""
    block_series: int
    chunk_bytes: int
    index_bytes: int
    later_samples: int
    """Of the same head a while later."""
    later_chunk_bytes: int

    @property
    def wal_bytes_per_sample(self) -> float:
        return self.wal_bytes / max(1.0, self.wal_samples)

    @property
    def chunk_bytes_per_sample(self) -> float:
        """Of a full chunk: what one more sample takes, and its share of what a chunk takes by
        itself. Chunks that are minutes old are not full."""
        more = self.later_samples - self.block_samples
        if more <= 0:
            return self.chunk_bytes / max(1, self.block_samples)
        each = (self.later_chunk_bytes - self.chunk_bytes) / more
        own = (self.chunk_bytes - each * self.block_samples) / max(1, self.block_series)
        return each + own / CHUNK_SAMPLES

    @property
    def index_bytes_per_series(self) -> float:
        return self.index_bytes / max(1, self.block_series)

    def bytes_per_sample(self, samples_per_series: float) -> float:
        """In a block that holds so many samples of each series: its index counts once for all."""
        return self.chunk_bytes_per_sample + self.index_bytes_per_series / samples_per_series


@dataclass(frozen=True, kw_only=True)
class Size:
    """Everything measured at one size, in one run of a Prometheus."""

    targets: int
    windows: Sequence[Window]
    storage: Storage | None = None
    """None where it ended before that."""

    def mean(self, name: str) -> float:
        return statistics.fmean(getattr(one, name) for one in self.windows)

    @property
    def series(self) -> float:
        return self.mean("series")

    @property
    def memory_bytes(self) -> float:
        return self.mean("memory_bytes")

    @property
    def peak_bytes(self) -> float:
        return max(one.peak_bytes for one in self.windows)

    @property
    def bytes_per_series(self) -> float:
        """All of its memory over its series; the line through several sizes knows what one more
        takes."""
        return self.memory_bytes / max(1.0, self.series)

    @property
    def noise(self) -> float:
        """Cores that others took."""
        return self.mean("other_cores")
