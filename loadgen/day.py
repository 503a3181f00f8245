"""A clinic's day, decided by its seed: who is at work at which hour, and how busy the host is.

Pure, and free of locust, so that whoever judges a day can know it too. Hours are those of the
simulated day, from 0 to 24, at any speed.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

HOURS = 24.0
SECONDS = 86400.0

RESIDENTS, FACULTY, COORDINATORS = 60, 30, 2
"""In the scheduler's seeded data."""

MOST_USERS, FEWEST_USERS = 20, 2
"""At a request a second each; the night shift is never alone."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Points of (hour, share of the staff at work), joined by lines.
Curve = Sequence[tuple[float, float]]
_CLINIC: Curve = (
    (0, 0.06), (5, 0.06), (6.5, 0.5), (8, 0.55), (9.5, 1.0), (12, 0.65), (13.5, 0.9), (16.5, 0.85),
    (18, 0.35), (21, 0.2), (24, 0.06),
)  # fmt: skip
"""Night, morning rounds from six, clinic before and after lunch, evening."""
_WEEKEND: Curve = (
    (0, 0.06), (6, 0.06), (8, 0.35), (10, 0.45), (13, 0.25), (18, 0.25), (21, 0.12), (24, 0.06),
)  # fmt: skip
"""Late rounds, no clinic."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day; make it with `day`."""

    seed: int
    weekday: str
    staff: int
    """How many users there are when everybody is at work."""
    late_h: float
    """Hours by which everything is later than usual; negative is earlier."""
    swing: tuple[float, ...]
    """For each hour, a factor that makes it busier or calmer than usual."""
    weights: Mapping[str, int]
    """User class → its weight."""

    @property
    def weekend(self) -> bool:
        return self.weekday in WEEKDAYS[5:]

    @property
    def busy_hours(self) -> range:
        """Whole hours in which people must be seen working."""
        return range(8, 12) if self.weekend else range(9, 17)

    def activity(self, hour: float) -> float:
        """The share of the staff that is at work, 0 to 1."""
        curve = _WEEKEND if self.weekend else _CLINIC
        usual = _on(curve, min(max(hour - self.late_h, 0.0), HOURS))
        return min(1.0, usual * self.swing[int(hour) % 24])

    def users(self, hour: float) -> int:
        """How many people use the scheduler."""
        return max(FEWEST_USERS, round(self.staff * self.activity(hour)))

    def host(self, hour: float) -> dict[str, float]:
        """Levels of the simulated host, by the keys of its control file: busy but healthy."""
        busy = self.activity(hour)
        ripple = math.sin(2 * math.pi * (hour * 3 + self.late_h))
        return {
            "cpu_percent": 14 + 48 * busy + 4 * ripple,
            "memory_percent": 46 + 18 * busy + 2 * ripple,
            "network_receive_bytes_per_second": 2e6 + 55e6 * busy + 1e6 * ripple,
            "network_transmit_bytes_per_second": 3e6 + 40e6 * busy + 1e6 * ripple,
        }


def day(seed: int) -> Day:
    """The day that a seed gives; the same seed always gives the same day."""
    chance = random.Random(seed)
    return Day(
        seed=seed,
        weekday=chance.choice(WEEKDAYS),
        staff=chance.randint(14, MOST_USERS),
        late_h=chance.uniform(-0.5, 0.5),
        swing=tuple(chance.uniform(0.85, 1.15) for _ in range(24)),
        weights={
            "Resident": chance.randint(4, 8),
            "Coordinator": chance.randint(1, 3),
            "Faculty": chance.randint(1, 3),
        },
    )


def clock(hour: float) -> str:
    """`9.5` as 09:30."""
    minutes = math.floor(hour * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _on(curve: Curve, hour: float) -> float:
    """The curve's value at an hour between its first and last point."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if hour <= x1:
            return y0 + (y1 - y0) * (hour - x0) / (x1 - x0)
    return curve[-1][1]
