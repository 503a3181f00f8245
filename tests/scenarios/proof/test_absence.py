"""An alert that always fires: its silence must be told, and that it is back."""

from dataclasses import replace

import pytest

from scenarios.proof.absence import derive_absence
from scenarios.proof.chain import ABSENCE
from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.proof.evidence import AlertState, Event, FaultStep, Gate, Notification, Watched
from scenarios.proof.scenario import Scenario, Traffic, heartbeat
from scenarios.proof.timing import RouteTiming, RuleTiming
from scenarios.proof.verdict import Outcome, judge


class Silence:
    touches = frozenset({"prometheus"})
    shows_after_s = 0.0
    shows_within_s = 0.5
    lingers_s = 1.0


LABELS = {"severity": "none"}
SCENARIO = Scenario(
    alert="Watchdog",
    labels=LABELS,
    traffic=Traffic(users=(object,), shape=object),
    fault=Silence(),  # type: ignore[arg-type]
    notifications=(heartbeat("watchdog"),),
    missed_after_s=300,
)
RULE = RuleTiming(alert="Watchdog", expression="vector(1)", for_s=0, keep_firing_for_s=0, range_s=0,
                  evaluation_s=0.25, scrape_s=0.25, answer_s=0)  # fmt: skip
ROUTE = RouteTiming(
    receivers=("h",), group_wait_s=0.1, group_interval_s=1, drain_s=1, repeat_interval_s=1
)
DEADLINES = derive_absence(RULE, ROUTE, Silence(), missed_after_s=5, resend_s=1)  # type: ignore[arg-type]


def fires(at: float, labels: dict[str, str] = LABELS, state: str = "firing") -> AlertState:
    return AlertState(at=at, alert="Watchdog", labels=labels, state=state, active_at=at)


def beat(at: float, kind: str) -> Notification:
    return Notification(at=at, id=int(at), channel="heartbeat", destination="watchdog", kind=kind,
                        alerts=(), subject=f"heartbeat {kind}")  # fmt: skip


GOOD: tuple[Event, ...] = (
    fires(90),
    Gate(at=99, passed=True, reason="", evaluations=4, requests_per_s=9),
    FaultStep(at=100, step="injecting"),
    FaultStep(at=100.1, step="injected"),
    beat(110, "firing"),
    FaultStep(at=110.1, step="undoing"),
    FaultStep(at=111, step="undone"),
    fires(111.5),
    beat(112, "resolved"),
    Watched(at=120),
)

BROKEN = [
    ("no gate", GOOD[:1], "steady", "was not examined"),
    ("was silent", GOOD[1:], "steady", "did not fire before the fault, although it always must"),
    ("fell silent", (*GOOD[:1], fires(95, state="inactive"), *GOOD[1:]), "steady",
     "did not fire before the fault"),
    ("labels differ", (fires(90, {"severity": "none", "team": "x"}), *GOOD[1:]), "steady",
     'labels differ: expected {severity="none"}, got {severity="none", team="x"}'),
    ("no fault", GOOD[:2], "fault", "the fault was never injected"),
    ("nobody noticed", (*GOOD[:4], *GOOD[5:]), "notified",
     "heartbeat watchdog: expected 1 firing notification, got 0 within 12.5 s"),
    ("noticed late", (*GOOD[:4], beat(113, "firing"), *GOOD[5:]), "notified",
     "arrived 0.4 s after its deadline"),
    ("another alert", (*GOOD, replace(fires(105, {"severity": "info"}), alert="Other")),
     "nothing else", "unexpected alert Other"),
    ("not undone", (*GOOD[:6], FaultStep(at=111, step="failed", detail="x")), "undone", "x"),
    ("silent for good", (*GOOD[:7], *GOOD[8:]), "fires again", "did not fire again within 5.5 s"),
    ("not told", (*GOOD[:8], *GOOD[9:]), "resolved", "expected 1 resolved notification, got 0"),
    ("not watched", GOOD[:-1], "quiet", "was not watched"),
]  # fmt: skip


def test_absence_is_proven_when_every_link_holds() -> None:
    verdict = judge(GOOD, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.reason) == (Outcome.PROVEN, "")
    assert verdict.at_s("notified") == pytest.approx(10)


@pytest.mark.parametrize(
    ("events", "link", "said"), [row[1:] for row in BROKEN], ids=[r[0] for r in BROKEN]
)
def test_absence_names_the_first_broken_link(
    events: tuple[Event, ...], link: str, said: str
) -> None:
    verdict = judge(events, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.links[-1].name) == (Outcome.FAILED, link)
    assert said in verdict.reason


def test_absence_table_breaks_every_link() -> None:
    assert {row[2] for row in BROKEN} == {name for name, _ in ABSENCE}


def test_absence_deadline_counts_the_last_beat_and_the_wait() -> None:
    assert DEADLINES.notified.seconds == 0.5 + 4 * 1 + 1 + 5 + BUSY_MACHINE_S
    assert DEADLINES.floor_s == 5


@pytest.mark.parametrize("change", [{"missed_after_s": 0.0}, {"labels": {"severity": "info"}}])
def test_absence_and_its_severity_go_together(change: dict[str, object]) -> None:
    assert SCENARIO.problems() == []
    problems = replace(SCENARIO, **change).problems()  # type: ignore[arg-type]
    assert any("`missed_after_s` belongs to alerts of severity `none`" in one for one in problems)
