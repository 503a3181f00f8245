"""Time cut into buckets, so that every window of a range aggregation is a whole number of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stack.logql.ast import RangeAggregation

MOST = 50_000
"""Most buckets in one query."""


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """Time cut so that each window is a whole number of buckets (base + k·width, … + width]."""

    base_ns: int
    width_ns: int
    steps: int
    step: int
    """Buckets from one window to the next."""
    span: int
    """Buckets in a window."""

    @staticmethod
    def of(query: RangeAggregation, times_ns: Sequence[int]) -> "Buckets | None":
        """None if there would be too many, or the times are not evenly spaced."""
        step_ns = times_ns[1] - times_ns[0] if len(times_ns) > 1 else query.range_ns
        even = all(times_ns[i + 1] - times_ns[i] == step_ns for i in range(len(times_ns) - 1))
        width_ns = math.gcd(step_ns, query.range_ns)
        made = Buckets(
            base_ns=times_ns[0] - query.offset_ns - query.range_ns, width_ns=width_ns,
            steps=len(times_ns), step=step_ns // width_ns, span=query.range_ns // width_ns,
        )  # fmt: skip
        return made if even and made.count <= MOST else None

    @property
    def count(self) -> int:
        return (self.steps - 1) * self.step + self.span

    @property
    def end_ns(self) -> int:
        """Exclusive."""
        return self.base_ns + self.count * self.width_ns + 1

    def windows(self, counts: Mapping[int, int]) -> list[float | None]:
        """The sum of each window; None if it is empty."""
        before = [0] * (self.count + 1)
        for bucket in range(self.count):
            before[bucket + 1] = before[bucket] + counts.get(bucket, 0)
        filled = [0] * (self.count + 1)
        for bucket in range(self.count):
            filled[bucket + 1] = filled[bucket] + (bucket in counts)
        windows: list[float | None] = []
        for low in range(0, self.steps * self.step, self.step):
            high = low + self.span
            there = filled[high] > filled[low]
            windows.append(float(before[high] - before[low]) if there else None)
        return windows
