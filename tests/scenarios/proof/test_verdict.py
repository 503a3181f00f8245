"""One row per broken link; the quiet row, in which nothing is wrong, comes first."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from scenarios.proof.case import Case
from scenarios.proof.chain import CHAIN, SIBLINGS_S
from scenarios.proof.deadlines import Deadlines, derive
from scenarios.proof.evidence import (
    AlertState,
    Earlier,
    Event,
    FaultStep,
    Full,
    Gate,
    Graph,
    Half,
    Held,
    Late,
    Lost,
    Notification,
    Said,
    Silent,
    Stepped,
    Stopped,
    TrafficSeen,
    Trouble,
    Watched,
)
from scenarios.proof.messages import Expected
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack
from scenarios.proof.timing import RouteTiming, RuleTiming
from scenarios.proof.verdict import Outcome, judge

LABELS = {"severity": "critical", "team": "database"}
ALERT = "PostgreSQLDown"


@dataclass(frozen=True)
class NoFault:
    touches: frozenset[str] = frozenset({"postgresql"})
    shows_after_s: float = 0.0
    shows_within_s: float = 0.5
    lingers_s: float = 0.5


SCENARIO = Scenario(
    alert=ALERT,
    labels=LABELS,
    traffic=Traffic(users=(object,), shape=object),
    fault=NoFault(),  # type: ignore[arg-type]
    notifications=(slack("#alerts-database"), pagerduty("on-call")),
    may_also_fire=frozenset({"HighErrorRate"}),
    inhibited=frozenset({"HighLatencyP95"}),
)
RULE = RuleTiming(
    alert=ALERT,
    expression="",
    for_s=1,
    keep_firing_for_s=0,
    range_s=0,
    evaluation_s=0.25,
    scrape_s=0.25,
    answer_s=0,
)
ROUTE = RouteTiming(receivers=("all",), group_wait_s=0.5, group_interval_s=5, drain_s=5)
DEADLINES: Deadlines = derive(RULE, ROUTE, NoFault())  # type: ignore[arg-type]
# pending 3.25, firing 4.5, notified 5.0 after the fault; inactive 3.25, resolved 8.25 after undo


def message(
    at: float,
    channel: str,
    destination: str,
    kind: str = "firing",
    alert: str = ALERT,
    **more: object,
) -> Notification:
    fields = {"id": int(at * 1000), "subject": f"[{kind}] {alert}", "alerts": (alert,), **more}
    return Notification(at=at, channel=channel, destination=destination, kind=kind, **fields)  # type: ignore[arg-type]


def state(at: float, state: str, alert: str = ALERT, labels: object = None) -> AlertState:
    active = 0.0 if state == "inactive" else 100.3
    return AlertState(at=at, alert=alert, labels=labels or LABELS, state=state, active_at=active)  # type: ignore[arg-type]


GOOD: tuple[Event, ...] = (
    state(97, "firing", "LeftOver"),
    state(98, "inactive", "LeftOver"),
    Gate(at=99, passed=True, reason="", evaluations=4, requests_per_s=9),
    FaultStep(at=100, step="injecting"),
    FaultStep(at=100.1, step="injected"),
    state(100.3, "pending"),
    state(101.3, "firing"),
    state(101.4, "firing", "HighErrorRate"),
    Held(at=101.4, alert=ALERT, labels=LABELS, state="active"),
    message(101.9, "slack", "#alerts-database"),
    message(102.0, "pagerduty", "on-call"),
    TrafficSeen(at=102, users=5, requests=90, failures=30),
    FaultStep(at=102.1, step="undoing"),
    FaultStep(at=102.5, step="undone"),
    state(103.3, "inactive"),
    Held(at=103.4, alert=ALERT, labels=LABELS, state="gone"),
    message(106.9, "slack", "#alerts-database", "resolved"),
    message(106.9, "pagerduty", "on-call", "resolved"),
    Watched(at=110),
)


def without(kind: type[Event], /, **fields: object) -> tuple[Event, ...]:
    """GOOD without the events of a kind that have these fields."""

    def dropped(event: Event) -> bool:
        return isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())

    kept = tuple(event for event in GOOD if not dropped(event))
    assert len(kept) < len(GOOD)
    return kept


def changed(change: Callable[[Event], Event]) -> tuple[Event, ...]:
    return tuple(change(event) for event in GOOD)


def _moved(kind: type[Event], by_s: float, /, **fields: object) -> tuple[Event, ...]:
    def change(event: Event) -> Event:
        hit = isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
        return replace(event, at=event.at + by_s) if hit else event

    return changed(change)


def _relabelled(event: Event) -> Event:
    if isinstance(event, AlertState) and event.alert == ALERT:
        return replace(event, labels={**LABELS, "team": "databse"})
    return event


def _malformed(**fields: object) -> tuple[Event, ...]:
    return changed(
        lambda event: (
            replace(event, **fields)  # type: ignore[arg-type]
            if isinstance(event, Notification)
            and (event.channel, event.kind) == ("slack", "firing")
            else event
        )
    )


def _refused_gate(**fields: object) -> tuple[Event, ...]:
    return changed(lambda event: replace(event, **fields) if isinstance(event, Gate) else event)  # type: ignore[arg-type]


def _late(event: Event) -> Event:
    if isinstance(event, AlertState) and event.alert == ALERT and event.active_at:
        return replace(event, active_at=105.0, at=105.0)
    return event


def _stuck(event: Event) -> Event:
    if isinstance(event, FaultStep) and event.step == "undone":
        return replace(event, step="failed", detail="port still open")
    return event


def _suppressed(event: Event) -> Event:
    return replace(event, state="suppressed") if isinstance(event, Held) else event


WARNING = {"severity": "warning"}
LEFTOVER = (Held(at=95, alert=ALERT, labels=LABELS, state="suppressed"),
            Held(at=96, alert=ALERT, labels=LABELS, state="gone"),
            message(96, "slack", "#alerts-database", "resolved"))  # fmt: skip

# Each row: what is wrong, the evidence, the link that breaks, what is said.
BROKEN = [
    ("no evidence", (), "steady", "was not examined: no evidence of a steady state"),
    ("not steady", _refused_gate(passed=False, reason="target inbox is down"), "steady",
     "not steady: target inbox is down"),
    ("rule not evaluated", _refused_gate(evaluations=0), "steady", "at rest 0 times"),
    ("no traffic", _refused_gate(requests_per_s=0.0), "steady", "0.0 requests/s"),
    ("fires when healthy", (*GOOD[:3], replace(state(99.5, "pending"), active_at=99.4), *GOOD[3:]),
     "steady", "was pending before the fault, under healthy traffic"),
    ("fault never injected", GOOD[:3], "fault", "the fault was never injected"),
    ("fault fails", (*GOOD[:4], FaultStep(at=100.1, step="failed", detail="still running")),
     "fault",
     "the fault could not be injected: still running"),
    ("never pending", GOOD[:5], "pending",
     "never became pending: its expression stayed empty for 3.2 s ("),
    ("labels differ", changed(_relabelled), "pending",
     'labels differ: expected {severity="critical", team="database"}'
     ', got {severity="critical", team="databse"}'),
    ("pending late", changed(_late),
     "pending", "became pending 1.7 s after its deadline of 3.3 s"),
    ("never firing", without(AlertState, state="firing", alert=ALERT), "firing",
     "became pending but never fired"),
    ("firing late", _moved(AlertState, 6.5, state="firing", alert=ALERT), "firing",
     "fired 3.2 s after its deadline of 4.6 s"),
    ("not held", without(Held, state="active"), "held", "fired, but Alertmanager never held it"),
    ("not held, but a leftover is", (replace(GOOD[8], at=96), *without(Held, state="active")),
     "held", "fired, but Alertmanager never held it"),
    ("held before the fault", (*GOOD[:3], replace(GOOD[8], at=99.5), *GOOD[3:]),
     "steady", "was held by Alertmanager before the fault, under healthy traffic"),
    ("notified before the fault", (*GOOD[:3], message(99.5, "slack", "#alerts-database"),
     *without(Notification, kind="firing")[3:]),
     "steady", "a firing notification arrived on Slack #alerts-database before the fault"),
    ("resolved before the fault", (*GOOD[:3], message(99.5, "pagerduty", "on-call", "resolved"),
     *GOOD[3:]), "steady", "a resolved notification arrived on PagerDuty on-call before the fault"),
    ("only a leftover was pending and firing", (replace(GOOD[5], at=97), replace(GOOD[6], at=97),
     *without(AlertState, alert=ALERT)), "pending", "never became pending"),
    ("only a leftover was told of", (message(96, "slack", "#alerts-database"),
     message(96, "pagerduty", "on-call"), *without(Notification, kind="firing")),
     "notified", "expected 1 firing notification, got 0"),
    ("suppressed", changed(_suppressed), "held",
     "Alertmanager suppressed it"),
    ("page missing", without(Notification, channel="pagerduty"), "notified",
     "PagerDuty on-call: expected 1 firing notification, got 0 within"),
    ("Slack twice", (*GOOD, message(102.4, "slack", "#alerts-database")), "notified",
     "Slack #alerts-database: 2 firing notifications, expected 1"),
    ("wrong channel too", (*GOOD, message(102.0, "slack", "#alerts-platform")), "notified",
     "Slack #alerts-platform: 1 firing notification, expected none"),
    ("notified late", _moved(Notification, 4, channel="pagerduty", kind="firing"), "notified",
     "the firing notification on PagerDuty on-call arrived 0.9 s after its deadline"),
    ("no value", _malformed(body="Runbook: <no value>"), "notified",
     "firing notification on Slack #alerts-database carries `<no value>`"),
    ("malformed", _malformed(problems=("`text` is longer than 3000",)), "notified",
     "firing notification on Slack #alerts-database is malformed: `text` is longer than 3000"),
    ("refused", _malformed(answer=400), "notified", "; 1 refused with 400"),
    ("another alert", (*GOOD, state(102, "firing", "DiskSpaceWarning", WARNING)),
     "nothing else",
     'unexpected alert DiskSpaceWarning{severity="warning"} fired'),
    ("another series", (*GOOD, state(102, "firing", ALERT, {"severity": "critical"})),
     "nothing else",
     'unexpected alert PostgreSQLDown{severity="critical"} fired as well'),
    ("another notification", (*GOOD, message(108, "email", "a@residency.example",
     alert="Strange")), "nothing else",
     "unexpected notification of Strange on email a@residency.example"),
    ("no notification at all", (*GOOD, message(108, "slack", "#x", alerts=())), "nothing else",
     "is not a notification of an alert"),
    ("companion malformed", (*GOOD, message(103, "slack", "#x", alert="HighErrorRate",
     body="<no value>")),
     "nothing else", "carries `<no value>`"),
    ("inhibited", (*GOOD, message(103, "slack", "#x", alert="HighLatencyP95")), "nothing else",
     "is about HighLatencyP95, which this alert should inhibit"),
    ("a service died", (*GOOD, Trouble(at=103, what="`inbox` stopped answering")), "nothing else",
     "`inbox` stopped answering"),
    ("not undone", changed(_stuck),
     "undone", "the fault could not be undone: port still open"),
    ("resolved by itself", _moved(AlertState, -1.5, state="inactive", alert=ALERT), "inactive",
     "resolved 0.3 s before the fault was undone"),
    ("does not resolve", without(AlertState, state="inactive", alert=ALERT), "inactive",
     "did not resolve within 3.2 s ("),
    ("resolves late", _moved(AlertState, 3, state="inactive", alert=ALERT), "inactive",
     "resolved 0.5 s after its deadline of 3.7 s"),
    ("pending again", (*GOOD, state(109, "pending")), "inactive",
     "became pending again 5.7 s after it resolved"),
    ("pending and stays", (*GOOD, state(103.5, "pending")), "inactive",
     "became pending again 0.2 s after it resolved"),
    ("fires again", (*GOOD, state(103.5, "firing"), state(103.7, "inactive")), "inactive",
     "became firing again 0.2 s after it resolved"),
    ("resolved missing", without(Notification, channel="pagerduty", kind="resolved"), "resolved",
     "PagerDuty on-call: expected 1 resolved notification, got 0"),
    ("resolved twice", (*GOOD, message(107, "pagerduty", "on-call", "resolved")), "resolved",
     "PagerDuty on-call: 2 resolved notifications, expected 1"),
    ("not watched", without(Watched), "quiet", "was not watched for"),
]  # fmt: skip


def test_verdict_is_proven_when_the_figure_flickers_while_it_falls() -> None:
    flickers = (*GOOD, state(103.5, "pending"), state(103.7, "inactive"))
    assert judge(flickers, SCENARIO, DEADLINES).outcome is Outcome.PROVEN


def test_verdict_is_proven_when_every_link_holds() -> None:
    verdict = judge(GOOD, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.reason) == (Outcome.PROVEN, "")
    assert [link.name for link in verdict.links] == [name for name, _ in CHAIN]
    assert verdict.at_s("notified") == pytest.approx(2.0)
    assert DEADLINES.floor_s == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("events", "link", "said"), [row[1:] for row in BROKEN], ids=[r[0] for r in BROKEN]
)
def test_verdict_names_the_first_broken_link(
    events: tuple[Event, ...], link: str, said: str
) -> None:
    verdict = judge(events, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.links[-1].name) == (Outcome.FAILED, link)
    assert said in verdict.reason


def test_verdict_table_breaks_every_link() -> None:
    assert {row[2] for row in BROKEN} == {name for name, _ in CHAIN}


@pytest.mark.parametrize("index", range(len(GOOD)))
def test_verdict_needs_every_event_that_the_chain_names(index: int) -> None:
    """No observation may be missing, save those that the chain does not ask for.

    `firing` says when it became pending, so a poll may miss that state.
    """
    spare = {"LeftOver", "HighErrorRate", "gone", 90, "pending"}
    event = GOOD[index]
    idle = spare & {getattr(event, name, None) for name in ("alert", "state", "requests")}
    verdict = judge(GOOD[:index] + GOOD[index + 1 :], SCENARIO, DEADLINES)
    assert (verdict.outcome is Outcome.PROVEN) == bool(idle), event


def test_verdict_is_blocked_with_its_reason() -> None:
    events = (*GOOD[:3], FaultStep(at=99.5, step="blocked", detail="no user namespaces"))
    verdict = judge(events, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.reason) == (Outcome.BLOCKED, "no user namespaces")


def test_verdict_lets_companions_fire() -> None:
    events = (*GOOD, state(102, "firing", "DiskSpaceWarning", WARNING),
              message(103, "email", "x@residency.example", alert="DiskSpaceWarning"))  # fmt: skip
    assert judge(events, SCENARIO, DEADLINES).outcome is Outcome.FAILED
    explained = judge(events, SCENARIO, DEADLINES, explained={"DiskSpaceWarning"})
    assert explained.outcome is Outcome.PROVEN


def test_verdict_does_not_mind_what_was_left_over_before_the_gate() -> None:
    """Suppressed, gone and told of, all of an earlier fault."""
    verdict = judge((*LEFTOVER, *GOOD), SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.reason) == (Outcome.PROVEN, "")


# What no verdict minds: it is told, but belongs to somebody else.
FINE = [
    ("Watchdog fires", state(101, "firing", "Watchdog", {"severity": "none"})),
    ("its heartbeat is missed", message(102, "heartbeat", "watchdog", alert="Watchdog")),
    ("and is back", message(103, "heartbeat", "watchdog", "resolved", alert="Watchdog")),
    ("repeated", message(104, "slack", "#alerts-database")),
    ("refused", message(101.8, "slack", "#alerts-database", answer=500)),
    ("inhibited alert fires", state(101, "firing", "HighLatencyP95", WARNING)),
    (
        "inhibited alert is told of when it is over",
        message(104, "slack", "#x", alert="HighLatencyP95"),
    ),
    ("late, in time", Late(at=101, what="evaluation", gap_s=9, wanted_s=0.25)),
]


@pytest.mark.parametrize("event", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_verdict_does_not_mind(event: Event) -> None:
    verdict = judge((*GOOD, event), SCENARIO, replace(DEADLINES, repeat_s=2.0))
    assert (verdict.outcome, verdict.reason) == (Outcome.PROVEN, "")


def test_verdict_minds_what_comes_sooner_than_the_route_repeats() -> None:
    events = (*GOOD, message(102.8, "slack", "#alerts-database"))
    verdict = judge(events, SCENARIO, replace(DEADLINES, repeat_s=2.0))
    assert verdict.reason == "Slack #alerts-database: 2 firing notifications, expected 1"


def test_verdict_names_a_machine_that_was_too_busy() -> None:
    pauses = tuple(Late(at=at, what="evaluation", gap_s=0.85, wanted_s=0.25, load=9)
                   for at in (101, 102))  # fmt: skip
    late = judge((*changed(_late), *pauses), SCENARIO, DEADLINES)
    assert late.outcome is Outcome.FAILED
    assert late.reason.startswith(
        "late because the machine was overloaded: rule evaluations came late by 1.2 s together,"
        " once 0.8 s instead of 0.25 s after the one before, at a load of 9.0; became pending 1.7 s"
    )
    assert "overloaded" not in judge((*changed(_late), pauses[0]), SCENARIO, DEADLINES).reason


def test_verdict_names_a_busy_machine_beside_an_alert_that_nobody_expected() -> None:
    pauses = [Late(at=at, what="look", gap_s=0.9, wanted_s=0.2) for at in (101, 102)]
    other = state(102, "firing", "APIServiceDown", {"severity": "critical"})
    reason = judge((*GOOD, *pauses, other), SCENARIO, DEADLINES).reason
    assert reason.startswith("the machine was overloaded: the watcher's looks came late by 1.4 s")
    assert reason.endswith('unexpected alert APIServiceDown{severity="critical"} fired')


def test_verdict_does_not_excuse_a_wrong_label_by_a_busy_machine() -> None:
    pause = Late(at=101, what="look", gap_s=5, wanted_s=0.2)
    assert judge((*changed(_relabelled), pause), SCENARIO, DEADLINES).reason.startswith("labels")


def test_verdict_could_not_even_begin() -> None:
    events = (FaultStep(at=99, step="failed", detail="ZeroDivisionError: division by zero"),)
    verdict = judge(events, SCENARIO, DEADLINES)
    assert (verdict.outcome, verdict.links[-1].name) == (Outcome.FAILED, "steady")
    assert verdict.reason == "could not be played: ZeroDivisionError: division by zero"


def test_verdict_waits_while_a_link_may_still_come() -> None:
    waiting = judge(GOOD[:5], SCENARIO, DEADLINES, now=101)
    assert (waiting.outcome, waiting.reason) == (
        Outcome.RUNNING,
        "the alert to become pending",
    )
    assert judge(GOOD[:5], SCENARIO, DEADLINES, now=106).outcome is Outcome.FAILED


def test_verdict_says_what_an_interrupted_scenario_waited_for() -> None:
    verdict = judge((*GOOD[:6], Stopped(at=101, why="interrupted")), SCENARIO, DEADLINES)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == "interrupted while waiting for: the alert to fire"


def test_verdict_wants_mail_where_mail_is_declared() -> None:
    wanted = replace(SCENARIO, notifications=(email("database@residency.example"),))
    assert "expected none" in judge(GOOD, wanted, DEADLINES).reason


def test_verdict_trusts_no_time_once_the_clock_was_set() -> None:
    early = (Stepped(at=98, what="the clock was set"), *GOOD)
    assert judge(early, SCENARIO, DEADLINES).outcome is Outcome.PROVEN, "before the gate"
    # Set back: by its time, it was before the gate.
    pause = Late(at=101, what="evaluation", gap_s=5, wanted_s=0.25)
    later = judge((*GOOD, pause, Stepped(at=50, what="the clock was set")), SCENARIO, DEADLINES)
    assert later.outcome is Outcome.FAILED
    assert later.reason == "the clock was set: none of the times can be trusted"


def test_verdict_names_the_clock_before_a_busy_machine() -> None:
    pause = Late(at=101, what="evaluation", gap_s=5, wanted_s=0.25)
    stepped = Stepped(at=101, what="the clock was set")
    late = judge((*changed(_late), pause, stepped), SCENARIO, DEADLINES)
    assert late.reason.startswith("the clock was set; became pending 1.7 s after its deadline")


LOST = Lost(at=100.2, what="the watcher ended: KeyError: 'groups' (watch.py:300)")


@pytest.mark.parametrize("seen", [2, 5, 8, len(GOOD) - 1])
@pytest.mark.parametrize("now", [None, 101.0, 500.0])
def test_verdict_names_an_observer_that_is_lost_first(seen: int, now: float | None) -> None:
    """Not the alert: what was not seen may have happened all the same."""
    verdict = judge((*GOOD[:seen], LOST), SCENARIO, DEADLINES, now=now)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, LOST.what)
    assert not verdict.excuse, "it would be lost again"


def test_verdict_stands_when_an_observer_is_lost_after_all_was_seen() -> None:
    assert judge((*GOOD, replace(LOST, at=120)), SCENARIO, DEADLINES).outcome is Outcome.PROVEN


def test_verdict_says_nothing_of_an_alert_on_a_full_disk() -> None:
    full = Full(at=100.2, what="no room is left on the disk of `/state`")
    for now in (None, 101.0):
        verdict = judge((*GOOD[:5], full), SCENARIO, DEADLINES, now=now)
        assert (verdict.outcome, verdict.reason) == (Outcome.BLOCKED, full.what)
    assert judge((*GOOD, full), SCENARIO, DEADLINES).outcome is Outcome.PROVEN


def test_verdict_names_who_did_not_answer_and_not_the_machine() -> None:
    """What Prometheus did not evaluate while it was stopped, it did not evaluate late."""
    stopped = [Silent(at=at, what="prometheus", since=100.2) for at in (102.0, 104.0, 110.2)]
    late = Late(at=110.3, what="evaluation", gap_s=10.1, wanted_s=0.25, source="prometheus", load=2)

    def moved(event: Event) -> Event:
        mine = isinstance(event, AlertState) and event.alert == ALERT and event.active_at
        return replace(event, active_at=110.4, at=110.4) if mine else event

    verdict = judge((*changed(moved), *stopped, late), SCENARIO, DEADLINES)
    assert verdict.reason.startswith(
        "late because `prometheus` did not answer for 10.0 s; became pending 7.1 s after"
    )
    assert "overloaded" not in verdict.reason
    assert verdict.excuse == "`prometheus` did not answer for 10.0 s"


@pytest.mark.parametrize(
    ("source", "link"), [("alertmanager", Held), ("inbox", Notification), ("loki", AlertState)]
)
def test_verdict_names_whichever_source_did_not_answer(source: str, link: type[Event]) -> None:
    gone = Silent(at=110, what=source, since=101)
    others = {"state": "active"} if link is Held else {"kind": "firing"}
    events = without(link, **({} if link is AlertState else others))
    verdict = judge((*events, gone), SCENARIO, DEADLINES)
    assert f"`{source}` did not answer for" in verdict.reason
    assert verdict.excuse


PAUSES = tuple(Late(at=at, what="look", gap_s=0.9, wanted_s=0.2) for at in (100.2, 101.0))

# Failures that a busy machine may be the cause of; then the try is inconclusive.
INCONCLUSIVE = [
    ("never pending", GOOD[:5]),
    ("late", changed(_late)),
    ("page missing", without(Notification, channel="pagerduty")),
    ("Slack twice", (*GOOD, message(102.4, "slack", "#alerts-database"))),
    ("another alert", (*GOOD, state(102, "firing", "DiskSpaceWarning", WARNING))),
    ("fault fails", (*GOOD[:4], FaultStep(at=100.1, step="failed", detail="timed out"))),
    ("not undone", changed(_stuck)),
    ("not steady", _refused_gate(passed=False, reason="0 of 10 requests")),
]
CERTAIN = [
    ("labels", changed(_relabelled)),
    ("suppressed", changed(_suppressed)),
    ("malformed", _malformed(problems=("too long",))),
    ("no value", _malformed(body="<no value>")),
    ("wrong channel", (*GOOD, message(102.0, "slack", "#alerts-platform"))),
]


@pytest.mark.parametrize(
    "events", [row[1] for row in INCONCLUSIVE], ids=[r[0] for r in INCONCLUSIVE]
)
def test_failure_is_inconclusive_only_on_a_busy_machine(events: tuple[Event, ...]) -> None:
    alone = judge(events, SCENARIO, DEADLINES)
    assert (alone.outcome, alone.excuse) == (Outcome.FAILED, "")
    busy = judge((*events, *PAUSES), SCENARIO, DEADLINES)
    assert busy.outcome is Outcome.FAILED
    assert busy.excuse.startswith("the machine was overloaded: the watcher's looks came late")
    assert busy.reason.endswith(alone.reason)


@pytest.mark.parametrize("events", [row[1] for row in CERTAIN], ids=[r[0] for r in CERTAIN])
def test_failure_that_no_machine_explains_is_not_excused(events: tuple[Event, ...]) -> None:
    assert judge((*events, *PAUSES), SCENARIO, DEADLINES).excuse == ""


def said(
    about: str, text: str, *, of: str = "", at: float = 100.5, source: str = "prometheus"
) -> Said:
    return Said(at=at, source=source, about=about, of=of, text=text)


DUPLICATE = said("rule", "found duplicate series for the match group", of=ALERT)
INDEX = said("notify", "x/pagerduty[0]: slice index out of range", of="pagerduty",
             source="alertmanager")  # fmt: skip

# Each row: the evidence, what an engine said, how the reason begins and how it ends.
QUOTED = [
    ("rule", GOOD[:5], [DUPLICATE], "never became pending: its rule fails; waited 3.2 s",
     f"; Prometheus says: {DUPLICATE.text}"),
    ("rule on logs", GOOD[:5], [replace(DUPLICATE, source="loki")], "never became pending",
     "; Loki says: found duplicate series for the match group"),
    ("scrape", GOOD[:5], [said("scrape", "pg: connection refused", of="pg")],
     "never became pending: its expression stayed empty",
     "; Prometheus says: pg: connection refused"),
    ("firing", without(AlertState, state="firing", alert=ALERT), [DUPLICATE],
     "became pending but never fired", f"; Prometheus says: {DUPLICATE.text}"),
    ("send", without(Held, state="active"), [said("send", "connect: refused")],
     "fired, but Alertmanager never held it", "; Prometheus says: connect: refused"),
    ("notify", without(Notification, channel="pagerduty"),
     [said("notify", "slow", of="slack", source="alertmanager"), INDEX],
     "PagerDuty on-call: expected 1", f"; Alertmanager says: {INDEX.text}"
     "; Alertmanager says: slow"),
    ("resolved", without(Notification, channel="pagerduty", kind="resolved"), [INDEX],
     "PagerDuty on-call: expected 1", f"; Alertmanager says: {INDEX.text}"),
    ("before the gate", GOOD[:5], [replace(DUPLICATE, at=98)],
     "never became pending: its expr", "after the fault"),
    ("another alert's", GOOD[:5], [replace(DUPLICATE, of="Other")],
     "never became pending: its expr", "after the fault"),
    ("at the gate", _refused_gate(passed=False, reason="at rest 0 of 4 times"),
     [replace(DUPLICATE, at=98)], "not steady: at rest 0 of 4 times",
     f"; Prometheus says: {DUPLICATE.text}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "words", "begins", "ends"), [row[1:] for row in QUOTED], ids=[r[0] for r in QUOTED]
)
def test_verdict_quotes_the_engine(
    events: tuple[Event, ...], words: list[Event], begins: str, ends: str
) -> None:
    reason = judge((*events, *words), SCENARIO, DEADLINES).reason
    assert reason.startswith(begins)
    assert reason.endswith(ends)
    assert reason.count(" says: ") == ends.count(" says: ")


def test_verdict_does_not_quote_what_went_well_in_the_end() -> None:
    assert judge((*GOOD, INDEX, DUPLICATE), SCENARIO, DEADLINES).reason == ""


@pytest.mark.parametrize(
    ("comparison", "threshold", "lines", "said"),
    [
        (
            ">",
            20.0,
            [[[99, 90], [101, 3], [102, 2.5]]],
            "`pg_up` reached 3, wanted more than 20; ",
        ),
        ("<", 0.2, [[[101, 0.5]], [[102, 0.25]]], "`pg_up` fell to 0.25, wanted less than 0.2; "),
        (">=", 5.0, [], "`pg_up` had no value, wanted at least 5; "),
        (
            ">",
            20.0,
            [[[101, 21]]],
            "`pg_up` reached 21, which is more than 20, but not all that the rule asks for; ",
        ),
        ("", None, [[[101, 3]]], ""),
    ],
)
def test_verdict_says_how_near_a_figure_came_to_its_threshold(
    comparison: str, threshold: float | None, lines: Any, said: str
) -> None:
    graph = Graph(at=110, query="pg_up", threshold=threshold, lines=tuple(lines), names=(),
                  comparison=comparison)  # fmt: skip
    advice = "give it more time with `shows_within_s` (now 1 s) in scenarios/a/b.py:7"
    reason = judge((*GOOD[:5], graph), SCENARIO, DEADLINES, advice=advice).reason
    assert reason.startswith("never became pending: its expression stayed empty for 3.2 s (")
    assert reason.endswith(f" after the fault: {said}{advice}" if said else " after the fault")


def half(comparison: str, against: float | str, *points: Any, joined: str = "and") -> Half:
    return Half(at=110, measured="b", comparison=comparison, against=against, joined=joined,
                points=points)  # fmt: skip


@pytest.mark.parametrize(
    ("fell_to", "others", "said"),
    [
        (0, [half(">", 5000.0, [99, 9000, 5000], [101, 3, 5000], [102, 7, 5000])],
         "fell to 0, which is less than 1, but `b` reached 7, wanted more than 5000"),
        (0, [half(">", "c", [101, 3, 20])],
         "fell to 0, which is less than 1, but `b` reached 3, wanted more than 20 (`c`)"),
        (0, [half("gone", "", [101, 3, None])],
         "fell to 0, which is less than 1, but `b` was 3, wanted none"),
        (0, [half(">", 5.0, [101, None, 5])],
         "fell to 0, which is less than 1, but `b` had no value, wanted more than 5"),
        (0, [half(">", 5.0, [101, 6, 5])],
         "fell to 0, which is less than 1, but not all that the rule asks for at the same time"),
        (0, [half(">", 5.0, [101, 3, 5], joined="or")],
         "fell to 0, which is less than 1, but not all that the rule asks for at the same time"),
        (2, [half(">", 5.0, [101, 3, 5])],
         "fell to 2, wanted less than 1, and `b` reached 3, wanted more than 5"),
    ],
    ids=["number", "query", "must be gone", "no value", "not at once", "needs it not", "neither"],
)  # fmt: skip
def test_verdict_names_the_half_of_a_rule_that_is_not_true(
    fell_to: float, others: list[Half], said: str
) -> None:
    graph = Graph(at=110, query="a", threshold=1.0, lines=([[101, fell_to]],), names=(),
                  comparison="<")  # fmt: skip
    reason = judge((*GOOD[:5], graph, *others), SCENARIO, DEADLINES, advice="more").reason
    assert reason.endswith(f" after the fault: `a` {said}; more")


def test_verdict_says_that_a_figure_came_back_before_the_alert_fired() -> None:
    pending = GOOD.index(state(100.3, "pending"))
    lines = ([[100, 1], [101.5, 21], [102, 18.5]],)
    graph = Graph(at=110, query="sum(x)", threshold=20.0, lines=lines, names=(), comparison=">")
    reason = judge((*GOOD[: pending + 1], graph), SCENARIO, DEADLINES, advice="more").reason
    assert reason.startswith("became pending but never fired: waited ")
    assert reason.endswith(": `sum(x)` came back to 18.5, wanted more than 20 all the while; more")
    steady = replace(graph, lines=([[101.5, 21], [102, 22]],))
    assert " came back" not in judge((*GOOD[: pending + 1], steady), SCENARIO, DEADLINES).reason


def test_failure_is_inconclusive_when_far_more_wants_to_run_than_can() -> None:
    usual = judge((*GOOD[:5], Watched(at=101, load=1.5)), SCENARIO, DEADLINES)
    assert not usual.excuse
    loaded = judge((*GOOD[:5], Watched(at=101, load=18.6)), SCENARIO, DEADLINES)
    assert loaded.excuse == (
        "the machine was overloaded: up to 18.6 processes wanted each of its cores"
    )
    assert judge((*GOOD, Watched(at=101, load=18.6)), SCENARIO, DEADLINES).reason == ""


def test_failure_is_inconclusive_when_services_did_not_answer_scrapes_in_time() -> None:
    late = said("scrape", "backend: context deadline exceeded", of="backend")
    dead = said("scrape", "worker: connection refused", of="worker")
    gate = _refused_gate(passed=False, reason="`TargetDown` is active")
    verdict = judge((*gate, late, dead), SCENARIO, DEADLINES)
    assert verdict.excuse == "`backend` did not answer scrapes in time"
    assert not judge((*gate, dead), SCENARIO, DEADLINES).excuse


SAYS = Expected(
    labels={"alertname": ALERT, **LABELS}, summary="", description="", runbook_url="http://r"
)
OTHER = {**LABELS, "instance": "replica"}


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (state(101.3, "firing"), False),
        (state(101.3, "firing", "HighErrorRate", OTHER), False),
        (state(101.3, "firing", ALERT, OTHER), True),
        (Held(at=101.4, alert=ALERT, labels=OTHER, state="active"), True),
        (Earlier(at=98, alert=ALERT, labels=OTHER), True),
        (Earlier(at=98, alert=ALERT, labels=LABELS), False),
    ],
)
def test_siblings_are_the_other_alerts_of_the_rule_that_were_seen(
    seen: Event, wanted: bool
) -> None:
    case = Case(events=(*GOOD, seen), scenario=SCENARIO, deadlines=DEADLINES, now=None,
                explained=frozenset(), wanted=SAYS)  # fmt: skip
    assert case.siblings is wanted


def test_message_that_has_just_come_is_judged_once_its_siblings_can_be_known() -> None:
    begun = tuple(one for one in GOOD if one.at < 102)  # until the first message, which is empty
    arrived = max(one.at for one in begun)
    for now, wanted in ((arrived + SIBLINGS_S / 2, Outcome.RUNNING), (None, Outcome.FAILED)):
        assert judge(begun, SCENARIO, DEADLINES, now=now, wanted=SAYS).outcome is wanted
    verdict = judge(begun, SCENARIO, DEADLINES, now=arrived + SIBLINGS_S, wanted=SAYS)
    assert "cannot be read" in verdict.reason
    assert "cannot be read" in judge(GOOD, SCENARIO, DEADLINES, wanted=SAYS).reason
