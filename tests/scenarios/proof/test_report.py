"""JUnit, page and final table from results made by hand."""

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scenarios.proof import catalogue, report
from scenarios.proof.board import Board
from scenarios.proof.case import Link, LinkState
from scenarios.proof.deadlines import derive
from scenarios.proof.estimate import Turn
from scenarios.proof.evidence import AlertState, Event, FaultStep, Gate, Notification, TrafficSeen
from scenarios.proof.page import render
from scenarios.proof.play import Stage, Status
from scenarios.proof.reports import new_folder
from scenarios.proof.result import CUT_SHORT, UNPLAYED, Proof, Result, in_order
from scenarios.proof.show import Display
from scenarios.proof.timing import RouteTiming, RuleTiming
from scenarios.proof.verdict import Outcome, Verdict, failed, judge
from stack import progress

FOUND = next(f for f in catalogue.survey()[0] if f.scenario.alert == "PostgreSQLDown")
SCENARIO = FOUND.scenario
RULE = RuleTiming(alert="PostgreSQLDown", expression="pg_up == 0", for_s=1, keep_firing_for_s=0,
                  range_s=0, evaluation_s=0.25, scrape_s=0.25, answer_s=0.25)  # fmt: skip
DEADLINES = derive(
    RULE,
    RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5, drain_s=5),
    SCENARIO.fault,
)
EVENTS: tuple[Event, ...] = (
    Gate(at=99, passed=True, reason="", evaluations=4, requests_per_s=9),
    FaultStep(at=100, step="injecting", detail="postgresql stopped"),
    FaultStep(at=100.1, step="injected", detail="postgresql stopped"),
    AlertState(at=101, alert="PostgreSQLDown", labels=SCENARIO.labels, state="pending",
               active_at=101),
    AlertState(at=102, alert="PostgreSQLDown", labels=SCENARIO.labels, state="firing",
               active_at=101),
    Notification(at=102.5, id=1, channel="slack", destination="#alerts-database", kind="firing",
                 alerts=("PostgreSQLDown",), subject="[FIRING:1] <b>x</b> \x07"),
    TrafficSeen(at=103, users=10, requests=99, failures=7, median_ms=12, p95_ms=40),
    FaultStep(at=103, step="undone", detail="postgresql stopped"),
)  # fmt: skip


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    verdict = judge(EVENTS, SCENARIO, DEADLINES)
    failed = Result(verdict=verdict, scenario=SCENARIO, file=FOUND.where, instance="proof-1",
                    hash="abc123", deadlines=DEADLINES, rule=RULE, events=EVENTS)  # fmt: skip
    proven = Result(verdict=Verdict(alert="Fine", outcome=Outcome.PROVEN, reason=""))
    blocked = Result(verdict=Verdict(alert="Full", outcome=Outcome.BLOCKED, reason="no disk"))
    return Proof(
        started=1_700_000_000, took_s=12.5, speed=60, results=(proven, failed, blocked),
        packages={"prometheus": "0123-prometheus-2.53"},
        folder=tmp_path, interrupted=False,
    )  # fmt: skip


def test_what_failed_comes_first_and_each_kind_by_its_file(proof: Proof) -> None:
    proven, failed, blocked = proof.results
    earlier = replace(proven, file="application/a.py")
    found = in_order([replace(proven, file="database/b.py"), blocked, earlier, failed])
    assert found[:3] == [failed, blocked, earlier]


def test_junit_has_a_case_per_alert_with_its_broken_link(proof: Proof) -> None:
    suite = ET.fromstring(report.junit(proof)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    case = suite.find("testcase[@name='PostgreSQLDown']/failure")
    assert case is not None
    assert case.text is not None
    assert "Alertmanager never held it" in str(case.get("message"))
    assert "+2.50 s ✓ Slack #alerts-database: [FIRING:1] <b>x</b> ?" in case.text


def test_page_is_self_contained_and_escapes_what_it_quotes(proof: Proof) -> None:
    loaded: list[str] = []

    class Loads(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loaded.extend(v or "" for k, v in attrs if k in ("src", "href", "data", "srcset"))
            assert tag not in ("script", "link", "iframe", "img")

    page = render(proof)
    Loads().feed(page)
    assert all(link.startswith("#") for link in loaded)
    assert "url(" not in page
    assert "<b>x</b>" not in page
    assert "1 of 3 alerts proven" in page


def test_headline_counts_alerts_and_routes_apart(proof: Proof) -> None:
    routed = Verdict(alert="routing/silence", outcome=Outcome.PROVEN, reason="")
    both = replace(proof, results=(*proof.results, Result(verdict=routed)))
    assert both.headline == "1 of 3 alerts and 1 of 1 routes proven"


def test_page_shows_verdict_timeline_and_expectations(proof: Proof) -> None:
    page = render(proof)
    for text in ("Alertmanager never held it", "abc123", "prometheus-2.53", "PagerDuty on-call",
                 "<svg", "503 while the database is away", "pg_up == 0", "no disk"):  # fmt: skip
        assert text in page


def test_latest_is_the_last_report_that_was_written(tmp_path: Path, proof: Proof) -> None:
    with new_folder(tmp_path) as first:
        assert not (tmp_path / "latest").exists()
        report.write(replace(proof, folder=first))
    with new_folder(tmp_path) as second:
        assert (tmp_path / "latest").resolve() == first, "while the second is played"
        report.write(replace(proof, folder=second))
    assert (tmp_path / "latest").resolve() == second
    assert (tmp_path / "latest").readlink() == Path(second.name), "also where both are moved"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "1 proven, 1 failed, 1 blocked in 12 s at speed 60"),
        ({"interrupted": True}, "interrupted: 1 proven, 1 failed, 1 blocked in 12 s"),
        ({"results": [Result(verdict=failed("A", f"{UNPLAYED}: the proof ended"))]},
         "0 proven, 0 failed, 0 blocked, 1 not played in 12 s"),
        ({"results": [Result(verdict=failed("A", f"{CUT_SHORT} for: the alert to fire"))]},
         "0 proven, 0 failed, 0 blocked, 1 cut short in 12 s"),
    ],
    ids=["over", "interrupted", "not played", "cut short"],
)  # fmt: skip
def test_end_counts_what_was_proven(proof: Proof, change: dict[str, Any], said: str) -> None:
    out = io.StringIO()
    report.tell(replace(proof, **change), kept=[], console=Console(file=out, width=200))
    assert said in out.getvalue()


def test_end_says_the_short_path_of_the_report(
    proof: Proof, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACK_CALLED_FROM", str(tmp_path))
    out = io.StringIO()
    done = replace(proof, folder=tmp_path / "reports" / "2026")
    report.tell(done, kept=[], console=Console(file=out, width=200))
    assert "\nreport reports/latest/report.html\n" in out.getvalue()


def test_report_says_how_often_and_why_an_alert_was_played(proof: Proof) -> None:
    twice = replace(proof.results[0], earlier=("late because the machine was overloaded",))
    again = replace(proof, results=(twice, *proof.results[1:]))
    out = io.StringIO()
    report.tell(again, kept=[], console=Console(file=out, width=200))
    said = "played twice, the last time by itself: late because the machine was overloaded"
    assert f"Fine {said}" in out.getvalue()
    assert "in 12 s at speed 60, 1 played again" in out.getvalue()
    assert said in render(again)
    assert said.encode() in report.junit(again)


def test_drawing_that_fails_is_a_gap_in_the_page(
    proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scenarios.proof.chart.chart", broken)
    monkeypatch.setattr("scenarios.proof.chart.plot", broken)
    assert "Alertmanager never held it" in render(proof)


def test_final_table_tells_verdicts_and_where_the_report_lies(proof: Proof) -> None:
    out = io.StringIO()
    report.tell(proof, kept=["proof-1"], console=Console(file=out, width=200))
    for text in (
        "PostgreSQLDown",
        "failed",
        "never held it",
        "report.html",
        "doit down --instance",
    ):
        assert text in out.getvalue()


def test_end_names_what_was_not_played_in_one_line(proof: Proof) -> None:
    unplayed = [Result(verdict=failed(name, f"{UNPLAYED}: the proof ended")) for name in "AB"]
    out = io.StringIO()
    done = replace(proof, results=[*proof.results, *unplayed])
    report.tell(done, kept=[], console=Console(file=out, width=200))
    assert "\nnot played: A, B\n" in out.getvalue()
    assert "the proof ended" not in out.getvalue()


def test_end_says_what_its_columns_mean(proof: Proof) -> None:
    notified = Link(name="notified", state=LinkState.DONE, at=102.5)
    verdict = Verdict(alert="A", outcome=Outcome.PROVEN, reason="", links=(notified,), zero=100)
    done = replace(proof, results=[Result(verdict=verdict, deadlines=DEADLINES)])
    said = {}
    for width in (30, 60, 79, 100):
        out = io.StringIO()
        report.tell(done, kept=[], console=Console(file=out, width=width))
        said[width] = out.getvalue()
        rows = out.getvalue().splitlines()[1:3]
        assert all(len(row) <= width for row in rows)
        assert not [row for row in rows if "…" in row], "no cell is cut"
    assert ["floor: " in text for text in said.values()] == [False, False, False, True]
    assert ["fault → page" in text for text in said.values()] == [False, True, True, True]


def test_end_breaks_no_word_and_no_path(proof: Proof) -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, force_terminal=True, color_system=None)
    report.tell(proof, kept=[], console=console)
    lines = out.getvalue().splitlines()
    assert f"report {proof.short}" in " ".join(lines)
    assert str(proof.short) in [word for line in lines for word in line.split()]
    assert all(len(line) <= 40 for line in lines if str(proof.short) not in line)


def test_log_gets_one_line_per_transition(capsys: pytest.CaptureFixture[str]) -> None:
    show = Display(Board([Turn(names=("A",), about_s=9)], 1))
    with show.shown("1 alert", alerts=1):
        for what in ("waiting for it", "waiting for it", "waiting for [that]"):
            show.tell(Status(alert="A", instance="proof-1", what=what, zero=100.0, due=104.5))
    planned, *lines = capsys.readouterr().err.splitlines()
    assert planned == "1 alert"
    assert [line.partition("proof-1 ")[2].strip() for line in lines] == [
        "waiting for it (within 4.5 s)", "waiting for [that] (within 4.5 s)"]  # fmt: skip


def test_programs_get_events(proof: Proof, capsys: pytest.CaptureFixture[str]) -> None:
    progress.choose(progress.Way.EVENTS)
    try:
        show = Display(Board([Turn(names=("A",), about_s=9)], 1))
        with show.shown("1 alert", alerts=1):
            show.tell(Status(alert="A", instance="proof-1", what="steady"))
            show.tell(Status(alert="A", instance="proof-1", what="proven", stage=Stage.PROVEN))
        report.tell(replace(proof, interrupted=True), kept=[])
    finally:
        progress.choose(progress.Way.AUTO)
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == ""
    assert [one["event"] for one in events] == [
        "planned", "status", "status", "verdict", "verdict", "verdict", "over",
    ]  # fmt: skip
    assert (events[2]["alert"], events[2]["stage"]) == ("A", "proven")
    assert [one["outcome"] for one in events[3:6]] == ["proven", "failed", "blocked"]
    over = events[-1]
    assert (over["proven"], over["failed"], over["blocked"]) == (1, 1, 1)
    assert over["interrupted"] is True
    assert over["report"] == str(proof.page)


def test_quiet_leaves_the_counts_and_the_report(
    proof: Proof, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.choose(progress.Way.QUIET)
    try:
        with Display(Board([], 1)).shown("1 alert", alerts=1):
            pass
        report.tell(proof, kept=[])
    finally:
        progress.choose(progress.Way.AUTO)
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("1 proven, 1 failed, 1 blocked in 12 s")
    assert said.out.splitlines()[-1].startswith("report ")
