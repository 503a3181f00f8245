"""Who was told what of one cause."""

from dataclasses import replace

from scenarios.proof import catalogue
from scenarios.proof.evidence import Event, FaultStep, Notification
from scenarios.proof.noise import all_of, noise, summary
from scenarios.proof.result import Result
from scenarios.proof.scenario import email, pagerduty, slack
from scenarios.proof.verdict import Outcome, Verdict

SCENARIO = next(one.scenario for one in catalogue.survey()[0]
                if one.scenario.alert == "PostgreSQLDown")  # fmt: skip


def told(at: float, channel: str, where: str, *alerts: str, kind: str = "firing") -> Notification:
    return Notification(at=at, id=1, channel=channel, destination=where, kind=kind, alerts=alerts,
                        subject="x")  # fmt: skip


def result(*messages: Event, alert: str = "PostgreSQLDown") -> Result:
    steps = (FaultStep(at=100, step="injecting"), FaultStep(at=110, step="undone"))
    verdict = Verdict(alert=alert, outcome=Outcome.PROVEN, reason="", zero=100)
    scenario = replace(SCENARIO, alert=alert)
    return Result(verdict=verdict, scenario=scenario, events=(*steps, *messages))


ONE = (
    told(102, "pagerduty", "on-call", "PostgreSQLDown"),
    told(102, "slack", "#alerts-database", "PostgreSQLDown"),
    told(102, "email", "database@residency.example", "PostgreSQLDown"),
)


def test_one_page_for_one_cause() -> None:
    found = noise(result(*ONE))
    assert found is not None
    assert (found.pages, found.needed_pages, found.most, found.needless) == (1, 1, 1, [])


def test_a_symptom_that_is_told_as_well_is_needless() -> None:
    found = noise(result(*ONE, told(104, "pagerduty", "on-call", "CriticalErrorRate")))
    assert found is not None
    assert (found.pages, found.needed_pages, found.most) == (2, 1, 2)
    assert found.by_person == {
        pagerduty("on-call"): 2,
        email("database@residency.example"): 1,
        slack("#alerts-database"): 1,
    }
    assert found.symptoms == {"CriticalErrorRate": "PagerDuty on-call at 4.0 s"}


def test_what_is_over_what_was_refused_and_what_has_another_cause_do_not_count() -> None:
    over = told(112, "pagerduty", "on-call", "PostgreSQLDown", kind="resolved")
    refused = replace(ONE[0], answer=503)
    other = told(103, "pagerduty", "on-call", "BackupFailed")
    before = told(99, "pagerduty", "on-call", "CriticalErrorRate")
    assert noise(result(*ONE, over, refused, other, before)) == noise(result(*ONE))


def test_a_result_without_a_fault_has_no_noise() -> None:
    assert noise(Result(verdict=Verdict(alert="A", outcome=Outcome.BLOCKED, reason="no"))) is None
    assert summary(all_of([])) == ""


def test_the_loudest_comes_first_and_is_named() -> None:
    loud = result(*ONE, *(told(103, "pagerduty", "on-call", "CriticalErrorRate"),) * 3)
    quiet = result(*(replace(one, alerts=("Other",)) for one in ONE), alert="Other")
    found = all_of([quiet, loud])
    assert [one.alert for one in found] == ["PostgreSQLDown", "Other"]
    assert summary(found) == (
        "pages per cause: 2.5 at the median, 4 at most; "
        "at most 4 messages to one (PagerDuty on-call, of PostgreSQLDown)"
    )
