"""Which endpoint became slower since an earlier run, whatever became of the machine meanwhile.

The knee tells little of one endpoint among ten. So the medians of each are compared at the rates
that both runs have measured far below the knee, where nothing waits for anything else; against
those of all other endpoints, since what all share (a slower machine) is not its doing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.capacity.window import Step, percentile

CALM = 0.6
"""Share of the knee up to which a rate counts: beyond it requests wait for each other."""

LEAST = 4
"""Requests of a window of which the median is taken."""

_DRAWS = 1000
_SURE = (0.005, 0.995)
"""Of ten endpoints one lies outside of 95 in 100 every other time."""

Medians = Mapping[str, Mapping[str, Sequence[float]]]
"""Endpoint → rate, as text → median of each window, seconds."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """How long an endpoint takes, as a multiple of what it took in the earlier run."""

    endpoint: str
    ratio: float
    low: float
    high: float

    @property
    def words(self) -> str:
        return (f"`{self.endpoint}` takes {self.ratio:.2f} ({self.low:.2f} to {self.high:.2f}) of"
                " what it took")  # fmt: skip


def medians(steps: Sequence[Step], knee: float | None) -> Medians:
    """Of the rates up to CALM of the knee."""
    found: dict[str, dict[str, list[float]]] = {}
    for step in steps:
        if knee is not None and step.rate > CALM * knee:
            continue
        for window in step.windows:
            for endpoint, seconds in window.by_name.items():
                if len(seconds) >= LEAST:
                    of_rate = found.setdefault(endpoint, {}).setdefault(f"{step.rate:g}", [])
                    of_rate.append(round(percentile(sorted(seconds), 0.5), 6))
    return found


def changes(before: Medians, now: Medians, seed: int = 7) -> list[Change]:
    """One for each endpoint that both have measured at the same rate, the slowest first."""
    logs = {
        endpoint: [
            (np.log(before[endpoint][rate]), np.log(found))
            for rate, found in rates.items()
            if before.get(endpoint, {}).get(rate) and found
        ]
        for endpoint, rates in now.items()
    }
    logs = {endpoint: pairs for endpoint, pairs in logs.items() if pairs}
    if len(logs) < 2:
        return []
    chance = np.random.default_rng(seed)

    def grown(*, drawn: bool) -> dict[str, float]:
        """Endpoint → logarithm of how much longer, without what is common to all."""

        def mean(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
            return float(np.mean(chance.choice(values, len(values)) if drawn else values))

        each = {
            endpoint: float(np.average(
                [mean(then_now[1]) - mean(then_now[0]) for then_now in pairs],
                weights=[min(map(len, then_now)) for then_now in pairs],
            ))
            for endpoint, pairs in logs.items()
        }  # fmt: skip
        common = float(np.median(list(each.values())))
        return {endpoint: value - common for endpoint, value in each.items()}

    middle = grown(drawn=False)
    draws = [grown(drawn=True) for _ in range(_DRAWS)]
    made = []
    for endpoint, value in middle.items():
        low, high = np.quantile([one[endpoint] for one in draws], _SURE)
        made.append(Change(endpoint=endpoint, ratio=math.exp(value),
                           low=math.exp(float(low)), high=math.exp(float(high))))  # fmt: skip
    return sorted(made, key=lambda one: -one.ratio)
