"""What is measured of a server under load: windows of time at a steady rate, and steps of them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain

Z = 1.96
"""Of an interval that holds the truth in 95 of 100 cases."""

_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
"""Student's t for the same, with 1, 2, 3 … degrees of freedom."""


OTHERS, STOLEN, LOGGED = "cores of others", "cores stolen", "bytes logged a second"
"""Figures: what programs took that are not of the instance, what the host of a virtual machine kept
for others, and by how much the scheduler's log grew."""

NOISY = 0.5
"""Cores that others may take before what is measured is rather theirs."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some seconds at a steady rate of arrivals."""

    seconds: float
    offered: int
    """Requests that were due."""
    dropped: int
    """Of those, the ones that were not even sent: too many were in flight."""
    late: int
    """Of those, the ones that the generator itself was late for."""
    by_name: Mapping[str, Sequence[float]]
    """Method and path → seconds from when each request that ended was due."""
    failed: int
    """Of those that ended, the ones that failed."""
    in_flight: tuple[int, int]
    """Requests without an answer, when it began and when it ended."""
    usage: Mapping[str, float] = field(default_factory=dict)
    """Resource → how much of it was in use: 1 is all of it."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What else was measured, such as memory in bytes; name → value."""

    @cached_property
    def latencies(self) -> Sequence[float]:
        """Of all requests that ended; sorted."""
        return sorted(chain.from_iterable(self.by_name.values()))

    @property
    def served(self) -> int:
        """Requests that ended well."""
        return len(self.latencies) - self.failed

    @property
    def is_noisy(self) -> bool:
        """Others took the machine meanwhile."""
        return self.figures.get(OTHERS, 0.0) + self.figures.get(STOLEN, 0.0) > NOISY

    def slow(self, limit_s: float) -> int:
        """How many took longer than that."""
        return sum(one > limit_s for one in self.latencies)


class Verdict(StrEnum):
    HOLDS = "holds"
    BREACHES = "breaches"
    OPEN = "open"
    """Nobody can tell yet."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where a share lies, in 95 of 100 cases."""

    middle: float
    low: float
    high: float


def share(counts: Sequence[tuple[int, int]]) -> Interval:
    """Of (how many, of how many) in several windows.

    As wide as the windows differ (Student's t of their shares), and never narrower than chance
    allows for so many requests (Wilson): those of one window are not independent of each other.
    """
    hits, of = sum(one for one, _ in counts), sum(all_ for _, all_ in counts)
    if not of:
        return Interval(middle=0.0, low=0.0, high=1.0)
    middle = hits / of
    spread = Z * math.sqrt(middle * (1 - middle) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    centre = (middle + Z * Z / (2 * of)) / (1 + Z * Z / of)
    low, high = min(centre - spread, middle), max(centre + spread, middle)
    shares = [one / all_ for one, all_ in counts if all_]
    if len(shares) > 1:
        degrees = len(shares) - 1
        t = _T[degrees - 1] if degrees <= len(_T) else 2.1
        half = t * statistics.stdev(shares) / math.sqrt(len(shares))
        low, high = min(low, middle - half), max(high, middle + half)
    return Interval(middle=middle, low=max(0.0, low), high=min(1.0, high))


def percentile(sorted_values: Sequence[float], quantile: float) -> float:
    """The value that this share of them does not exceed; NaN of none."""
    if not sorted_values:
        return math.nan
    return sorted_values[max(0, math.ceil(quantile * len(sorted_values)) - 1)]


@dataclass(frozen=True, kw_only=True)
class Step:
    """All windows that were measured at one rate."""

    rate: float
    """Arrivals a second, as asked for."""
    windows: Sequence[Window]
    verdict: Verdict
    why: str
    """What decided it, in words."""

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.windows)

    @property
    def offered(self) -> float:
        """Requests a second."""
        return sum(one.offered for one in self.windows) / self.seconds

    @property
    def served(self) -> float:
        """Requests a second."""
        return sum(one.served for one in self.windows) / self.seconds

    @property
    def failed(self) -> float:
        """Share of what was offered."""
        bad = sum(one.failed + one.dropped for one in self.windows)
        return bad / max(1, sum(one.offered for one in self.windows))

    @property
    def late(self) -> float:
        """Share of what was offered."""
        late = sum(one.late for one in self.windows)
        return late / max(1, sum(one.offered for one in self.windows))

    def latency(self, quantile: float) -> float:
        """Seconds."""
        return percentile(
            sorted(one for window in self.windows for one in window.latencies), quantile
        )

    @property
    def usage(self) -> Mapping[str, float]:
        """Resource → mean use over the windows."""
        return _means([one.usage for one in self.windows])

    @property
    def figures(self) -> Mapping[str, float]:
        return _means([one.figures for one in self.windows])


def _means(found: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    names = dict.fromkeys(name for one in found for name in one)
    return {name: statistics.fmean(one[name] for one in found if name in one) for name in names}
