"""What the next size needs: cores, memory and disk, from what each request took."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import fmean

import numpy as np

from loadgen.day import MOST_USERS, RESIDENTS, day
from scenarios.capacity.objective import holds
from scenarios.capacity.window import LOGGED, Step

TIMES = (1, 3, 10, 100)

SPARE = 0.7
"""Share of its knee up to which a process is loaded: one of three may go."""

BYTES_PER_SAMPLE = 2.0
"""On disk. Prometheus' documentation (Storage) says one to two."""

_DAY_S = 86400.0
_CORES, _MEMORY = "cores of ", "memory of "
_NOT_OURS = ("others", "generator")


@dataclass(frozen=True, kw_only=True)
class Line:
    """y = base + each x, by least squares."""

    base: float
    each: float

    def at(self, x: float) -> float:
        return max(0.0, self.base + self.each * x)


@dataclass(frozen=True, kw_only=True)
class Series:
    """What Prometheus held while it was measured."""

    scheduler: int
    """Of the scheduler."""
    others: int
    scrape_s: float


@dataclass(frozen=True, kw_only=True)
class Size:
    """What some times of today's clinic needs."""

    times: int
    residents: int
    rate: float
    """Arrivals a second in the busiest hour."""
    processes: int
    cores: float
    memory_bytes: float
    log_bytes: float
    """A day."""
    series: int
    metric_bytes: float
    """A day."""
    is_measured: bool
    """Its load is no more than what was measured; else it is a straight line drawn on."""


def line(points: Sequence[tuple[float, float]]) -> Line:
    """Of (x, y). A single one goes through the origin."""
    if len({x for x, _ in points}) < 2:
        x, y = points[0] if points else (0.0, 0.0)
        return Line(base=0.0, each=y / x if x else 0.0)
    each, base = np.polyfit([x for x, _ in points], [y for _, y in points], 1)
    return Line(base=float(base), each=float(each))


def of_rate(steps: Sequence[Step], prefix: str) -> Line:
    """The sum of a figure over the stack's services, by arrivals a second."""

    def total(figures: Mapping[str, float]) -> float:
        return sum(value for name, value in figures.items() if name.startswith(prefix)
                   and name.removeprefix(prefix) not in _NOT_OURS)  # fmt: skip

    return line([(one.rate, total(one.figures)) for one in steps])


def busy_share() -> float:
    """The mean of a weekday's load over that of its busiest hour."""
    found = next(one for one in map(day, count()) if not one.weekend)
    activity = [found.activity(hour / 4) for hour in range(96)]
    return fmean(activity) / max(activity)


def sizes(steps: Sequence[Step], knee: float, series: Series | None) -> list[Size]:
    """Of each of TIMES, from the steps at which the objective held."""
    held = [one for one in steps if holds(one)]
    if not held or not knee:
        return []
    cores, memory = of_rate(held, _CORES), of_rate(held, _MEMORY)
    logged = line([(one.rate, one.figures[LOGGED]) for one in held if LOGGED in one.figures])
    most, share = max(one.rate for one in held), busy_share()
    made = []
    for times in TIMES:
        rate = float(MOST_USERS * times)
        processes = max(1, math.ceil(rate / (SPARE * knee)))
        held_series = series.scheduler + series.others if series else 0
        scraped = held_series * _DAY_S / series.scrape_s if series else 0.0
        # Memory of a process grows with what it has in hand, which is no more than at its knee.
        of_one = memory.at(min(rate, knee))
        made.append(Size(
            times=times, residents=RESIDENTS * times, rate=rate, processes=processes,
            cores=cores.at(rate), memory_bytes=of_one + (processes - 1) * _more(held, memory),
            log_bytes=logged.at(share * rate) * _DAY_S, series=held_series,
            metric_bytes=scraped * BYTES_PER_SAMPLE, is_measured=rate <= most,
        ))  # fmt: skip
    return made


def _more(held: Sequence[Step], memory: Line) -> float:
    """Bytes that one more process of the scheduler needs."""
    return fmean(one.figures.get(f"{_MEMORY}backend", memory.base) for one in held)
