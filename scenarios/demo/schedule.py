"""A day with incidents that nobody chose: the same seed, the same day. Pure."""

import random
from collections.abc import Iterator, Mapping

from scenarios.demo.incident import Incident

DAY_S = 24 * 3600.0
QUIET_S = (900.0, 5400.0)
"""From the end of one incident to the beginning of the next, at least and at most, in the
instance's own time."""


def day(
    incidents: Mapping[str, Incident], seed: int, speed: float
) -> Iterator[tuple[float, Incident]]:
    """Incidents one after the other, each with the real seconds of quiet before it, until a day of
    the instance is over. Alerts that always fire are left out: silencing them blinds the lab."""
    drawn = random.Random(seed)
    chosen = [incidents[name] for name in sorted(incidents) if not incidents[name].scenario.always]
    spent_s = 0.0
    while True:
        quiet_s = drawn.uniform(*QUIET_S) / speed
        incident = drawn.choice(chosen)
        spent_s += quiet_s + incident.lasts_s
        if spent_s > DAY_S / speed:
            return
        yield quiet_s, incident
