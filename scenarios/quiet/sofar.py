"""How a quiet day is going, in a line. Pure."""

from collections.abc import Iterable

from loadgen import day as days
from scenarios.proof.estimate import words
from scenarios.proof.evidence import AlertState, Event, Notification
from scenarios.proof.scenario import HEARTBEAT, always
from scenarios.quiet.verdict import requests_of


def so_far(events: Iterable[Event], hour: float, speed: float) -> str:
    """`13:24, 412 requests, nothing fired, nothing sent, 40 s left`; `hour` of the day is negative
    before it begins."""
    if hour < 0:
        return f"the day begins in {-hour * 3600 / speed:.0f} s"
    every = list(events)
    fired, sent = set(), 0
    for one in every:
        if isinstance(one, AlertState) and one.state == "firing" and not always(one.labels):
            fired.add(one.alert)
        elif isinstance(one, Notification) and one.channel != HEARTBEAT:
            sent += 1
    minutes = int(min(hour * 60, days.HOURS * 60 - 1))
    left_s = max(0.0, (days.HOURS - hour) * 3600 / speed)
    return ", ".join([
        f"{minutes // 60:02}:{minutes % 60:02}",
        f"{requests_of(every)} requests",
        f"fired: {' '.join(sorted(fired))}" if fired else "nothing fired",
        f"{sent} sent" if sent else "nothing sent",
        f"{words(left_s)} left",
    ])  # fmt: skip
