"""The verdict of a quiet day, on evidence made by hand; and what is refused before it begins."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.day import day
from scenarios.proof.evidence import (
    AlertState,
    Event,
    Notification,
    Stopped,
    TrafficSeen,
    Trouble,
)
from scenarios.quiet.run import quiet_day
from scenarios.quiet.verdict import DayBegan, DayEnded, GroupCount, Stored, Unhealthy, judge
from stack.errors import BadInput

MIDNIGHT = 1000.0
SPEED = 960.0
HOUR_S = 3600 / SPEED
TODAY = day(1)  # a Tuesday

Days = list[Event]


def at(hour: float) -> float:
    return MIDNIGHT + hour * HOUR_S


def group(**change: float) -> GroupCount:
    made = GroupCount(at=at(24), name="host", evaluations=450, expected=450, failures=0)
    return replace(made, **change)  # type: ignore[arg-type]


def quiet() -> Days:
    """Ten requests every quarter of an hour, and nothing else."""
    figures = [
        TrafficSeen(at=at(quarter / 4), users=10, requests=10 * quarter, failures=0)
        for quarter in range(97)
    ]
    return [DayBegan(at=at(0)), *figures, group(), DayEnded(at=at(24))]


def notification(**change: object) -> Notification:
    made = Notification(
        at=at(9.75), id=1, channel="slack", destination="#alerts-database", kind="firing",
        alerts=("X",), subject="[FIRING:1] X",
    )  # fmt: skip
    return replace(made, **change)  # type: ignore[arg-type]


def state(name: str, **change: object) -> AlertState:
    labels = {"severity": "warning", "instance": "backend"}
    made = AlertState(at=at(9.5), alert=name, labels=labels, state="firing", active_at=at(9.4))
    return replace(made, **change)  # type: ignore[arg-type]


def stored(name: str, state_: str, severity: str = "warning") -> Stored:
    return Stored(
        at=at(24), state=state_, evaluations=3, labels={"alertname": name, "severity": severity}
    )


def with_(*events: Event) -> Callable[[Days], Days]:
    return lambda days: [*days, *events]


def without(*kinds: type) -> Callable[[Days], Days]:
    return lambda days: [one for one in days if not isinstance(one, kinds)]


def failing(days: Days) -> Days:
    return [
        replace(one, failures=3, errors=("3x GET /x: 503",))
        if isinstance(one, TrafficSeen) and one.requests == 960
        else one
        for one in days
    ]


def idle_at_ten(days: Days) -> Days:
    """Nobody asks for anything between 10:00 and 12:00."""
    return [
        replace(one, requests=min(one.requests, 400))
        if isinstance(one, TrafficSeen) and one.at <= at(12)
        else one
        for one in days
    ]


QUIET: dict[str, Callable[[Days], Days]] = {
    "nothing": with_(),
    "Watchdog fires": with_(
        state("Watchdog", labels={"severity": "none"}), stored("Watchdog", "firing", "none")
    ),
    "an alert is pending for a while": with_(state("X", state="pending"), stored("X", "pending")),
    "trouble before the day": lambda days: [Trouble(at=at(-1), what="late"), *days],
    "a message before the day": lambda days: [notification(at=at(-1)), *days],
    "a few evaluations left out": lambda days: [*without(GroupCount)(days), group(evaluations=370)],
}

LOUD: dict[str, tuple[Callable[[Days], Days], str]] = {
    "an alert fires": (with_(state("X")), '09:30 `X` fired {instance="backend"'),
    "an alert fires between two looks": (
        with_(stored("X", "firing")), "`X` fired for 3 evaluations"
    ),
    "a message": (with_(notification()), "09:45 Slack #alerts-database received `[FIRING:1] X`"),
    "a heartbeat stops": (
        with_(notification(channel="heartbeat", destination="prometheus", subject="missing")),
        "09:45 heartbeat prometheus received `missing`",
    ),
    "a service is restarted": (with_(Trouble(at=at(3), what="`inbox` stopped")), "`inbox` stopped"),
    "rules fail": (with_(group(failures=2)), "group `host`: 2 evaluations failed"),
    "a rule is broken": (
        with_(Unhealthy(at=at(24), rule="X", error="many-to-many")),
        "rule `X` cannot be evaluated: many-to-many",
    ),
    "evaluations are left out": (
        with_(group(evaluations=300)), "group `host` was evaluated 300 times, expected 450"
    ),
    "no rules at all": (without(GroupCount), "no rule group was evaluated"),
    "requests fail": (failing, "3 of 960 requests failed (3x GET /x: 503)"),
    "nobody works": (without(TrafficSeen), "nobody was at work at 09:00, 10:00"),
    "nobody works for two hours": (idle_at_ten, "nobody was at work at 10:00, 11:00: silence"),
    "interrupted": (
        lambda days: [*without(DayEnded)(days), Stopped(at=at(7), why="interrupted")],
        "the day did not end: interrupted",
    ),
    "it never began": (
        lambda days: [Stopped(at=at(0), why="not steady before the day began: `X` is active")],
        "not steady before the day began: `X` is active",
    ),
    "no evidence": (lambda days: [], "the day never began"),
}  # fmt: skip


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET)
def test_quiet_day_is_quiet(change: Callable[[Days], Days]) -> None:
    assert judge(change(quiet()), TODAY, SPEED, MIDNIGHT).reasons == ()


@pytest.mark.parametrize(("change", "reason"), LOUD.values(), ids=LOUD)
def test_quiet_day_says_what_was_not_quiet(change: Callable[[Days], Days], reason: str) -> None:
    reasons = judge(change(quiet()), TODAY, SPEED, MIDNIGHT).reasons
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_quiet_day_names_what_almost_fired() -> None:
    verdict = judge(with_(stored("X", "pending"))(quiet()), TODAY, SPEED, MIDNIGHT)
    assert verdict.near_misses == ('`X` {severity="warning"} was pending at 3 evaluations',)


def test_quiet_day_counts_the_requests_of_each_hour() -> None:
    verdict = judge(quiet(), TODAY, SPEED, MIDNIGHT)
    assert verdict.requests_by_hour == (40,) * 24


def test_quiet_day_alert_is_told_once_when_both_records_have_it() -> None:
    days = with_(state("X"), stored("X", "firing"))(quiet())
    assert len(judge(days, TODAY, SPEED, MIDNIGHT).reasons) == 1


@pytest.mark.parametrize("speed", [0.5, 0, -1, 1441, float("nan")])
def test_quiet_day_refuses_a_speed_that_no_day_can_be_lived_at(
    tmp_path: Path, speed: float
) -> None:
    with pytest.raises(BadInput, match="expected 1 to 1440"):
        quiet_day(1, speed=speed, reports=tmp_path)
    assert not list(tmp_path.iterdir())
