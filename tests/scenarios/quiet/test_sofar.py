"""The line that says how a quiet day is going."""

import pytest

from loadgen import day
from scenarios.proof.evidence import AlertState, Event, Notification, TrafficSeen
from scenarios.quiet.sofar import so_far
from scenarios.quiet.verdict import DayBegan, judge

TRAFFIC = TrafficSeen(at=1, users=9, requests=412, failures=0)
EARLY = TrafficSeen(at=0, users=9, requests=12, failures=0)
BEGAN = DayBegan(at=0.5)


def state(alert: str, **change: str) -> AlertState:
    fields = {"state": "firing", "severity": "warning", **change}
    return AlertState(at=1, alert=alert, labels={"severity": fields["severity"]},
                      state=fields["state"])  # fmt: skip


def message(channel: str) -> Notification:
    return Notification(at=1, id=1, channel=channel, destination="x", kind="firing",
                        alerts=("A",), subject="")  # fmt: skip


@pytest.mark.parametrize(
    ("events", "hour", "said"),
    [
        ([BEGAN, TRAFFIC], 13.4, "13:24, 412 requests, nothing fired, nothing sent, 40 s left"),
        ([], -1, "the day begins in 4 s"),
        ([EARLY, BEGAN, TRAFFIC], 24.5,
         "23:59, 400 requests, nothing fired, nothing sent, 0 s left"),
        ([state("B"), state("A"), message("slack")], 1,
         "01:00, 0 requests, fired: A B, 1 sent, 86 s left"),
        ([state("A", state="pending"), state("Watchdog", severity="none"), message("heartbeat")], 1,
         "01:00, 0 requests, nothing fired, nothing sent, 86 s left"),
    ],
    ids=["in it", "before it", "after it", "not quiet", "what may be"],
)  # fmt: skip
def test_line_says_what_was_heard(events: list[Event], hour: float, said: str) -> None:
    assert so_far(events, hour, speed=960) == said


def test_line_and_verdict_count_the_same_requests() -> None:
    events: list[Event] = [EARLY, BEGAN, TRAFFIC]
    verdict = judge(events, day.day(1), speed=960, midnight=0)
    assert verdict.requests == 400
    assert f"{verdict.requests} requests" in so_far(events, 23, speed=960)
