"""When requests are due that wait for nobody: the open model of load. Pure, and free of locust.

People who wait for an answer before they ask again (the closed model) ask less as the server gets
slower, so that they hide how slow it is. Here each of some sources is due at an even pace whatever
becomes of the request before; together they make the rate. Latency counts from when a request was
due (vegeta, wrk2), so that a server that stalls is seen by all who were due meanwhile.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

PACE_S = 1.0
"""From one arrival of a source to its next one, unless a rate needs it longer."""

MOST_IN_FLIGHT = 1000
"""Requests that may be on their way at once; an arrival beyond them is dropped, and counted."""

GOLDEN = 0.6180339887498949
"""Any few multiples of it in a row are far apart, without their whole parts."""

LATE_S = 0.1
"""An arrival that begins so long after it was due waited for the generator, not for the server."""


@dataclass
class Books:
    """What became of arrivals, counted from the start."""

    offered: int = 0
    """Requests that were due: arrivals, dropped ones among them, and what followed from them."""
    dropped: int = 0
    """Arrivals for which nothing was sent: too many requests were in flight."""
    late: int = 0
    """Arrivals that the generator itself was late for."""
    in_flight: int = 0
    """Now."""

    def plus(self, other: "Books") -> "Books":
        return Books(
            offered=self.offered + other.offered,
            dropped=self.dropped + other.dropped,
            late=self.late + other.late,
            in_flight=self.in_flight + other.in_flight,
        )


def sources(rate: float) -> tuple[int, float]:
    """How many sources make `rate` arrivals a second, and the pace of each in seconds."""
    count = max(1, math.ceil(rate * PACE_S))
    return count, count / rate


def arrivals(now: float, pace_s: float, place: float) -> Iterator[float]:
    """When a source is due from `now` on, endlessly: at every `(n + place) * pace_s` of the clock.

    `place`, from 0 to 1, is its own: the places of several sources spread them over the pace.
    Times that have passed are not left out: whoever comes late makes up for it.
    """
    nth = math.floor(now / pace_s - place) + 1
    while (nth + place) * pace_s <= now:  # rounding
        nth += 1
    while True:
        yield (nth + place) * pace_s
        nth += 1


def places(nth: int = 0, of: int = 1) -> Iterator[float]:
    """Of the sources of the `nth` of `of` workers, from 0 on: those of all workers together lie as
    far apart as if they were one's. Who comes in place of another (`nth >= of`) lies between."""
    place = nth % of + (nth // of) / 2
    while True:
        yield place * GOLDEN % 1
        place += of
