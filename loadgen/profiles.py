"""How load goes up and down while it lasts. Pure, and free of locust.

A profile is a share of the most users, or of the highest rate, by how much of the time is over: the
same one serves people who wait for their answers and arrivals that do not.
"""

from collections.abc import Callable, Mapping

from loadgen.day import HOURS, day

Share = float
"""From 0 to 1."""

CLINIC_DAY = day(7)
"""A Wednesday on which, at its busiest, everybody is at work."""

STEPS = 5


def clinic_day(over: Share) -> Share:
    """A whole day of a clinic, from midnight to midnight, in the time that there is."""
    return CLINIC_DAY.activity(over * HOURS)


def spike(over: Share) -> Share:
    """A fifth of the load, but all of it from 40 % to 60 % of the time."""
    return 1.0 if 0.4 <= over < 0.6 else 0.2


def soak(over: Share) -> Share:
    """All of the load after a ramp of a twentieth of the time."""
    return min(1.0, over / 0.05)


def steps(over: Share) -> Share:
    """Five steps of equal length, from a fifth of the load to all of it."""
    return min(STEPS, int(over * STEPS) + 1) / STEPS


PROFILES: Mapping[str, Callable[[Share], Share]] = {
    "clinic-day": clinic_day,
    "spike": spike,
    "soak": soak,
    "steps": steps,
}


def users_at(profile: str, most: int, over: Share) -> int:
    """How many of `most` users there are; never none."""
    return max(1, round(most * PROFILES[profile](min(max(over, 0.0), 1.0))))
