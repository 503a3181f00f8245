"""Whoever has a report comes to the same verdicts, and sees what was changed after the proof."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenarios.proof import kept, opening, rejudge
from scenarios.proof.evidence import Notification, to_line
from scenarios.proof.kept import EVIDENCE, NAME, Declaration
from scenarios.proof.messages import Expected
from scenarios.tasks.verify_report import verify_report
from stack import jsontext
from stack.errors import BadInput, CheckFailed
from tests.scenarios.proof.sealed import OTHER, edited, line_with, results, with_lines, written
from tests.scenarios.proof.test_verdict import ALERT

STRAY = to_line(
    Notification(at=103.2, instance="proof-1", id=7, channel="email", kind="firing", subject="s",
                 destination="database@residency.example", alerts=(ALERT,))
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "reports" / "one").folder


def test_verdicts_are_the_same_when_judged_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = opening.read(opening.find(folder))
    again = rejudge.judge_again(report)
    judged = {one.entry.alert: one.verdict for one in again if one.verdict}
    assert judged == {one.alert: kept.judged(one.verdict) for one in results()[:2]}
    assert not any(one.differs or one.changed for one in again)
    assert rejudge.changed(report) == []
    verify_report([str(folder)])
    assert capsys.readouterr().out == (
        "2 verdicts judged again from 36 events: all the same; 2 more (routes, and what was not"
        " played) not judged again\n"
    )


def test_latest_report_is_judged_when_none_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STACK_REPORTS", str(folder.parent))
    verify_report()
    verify_report([str(folder / "report.html")])
    assert capsys.readouterr().out.count("all the same") == 2


def test_page_shows_the_digest_that_is_kept(folder: Path) -> None:
    seal = json.loads((folder / NAME).read_text())["seal"]
    assert f"sha256 {seal}" in (folder / "report.html").read_text()


def test_declaration_survives_being_kept() -> None:
    wanted = Expected(labels={"alertname": ALERT}, summary="s", description="d", runbook_url="u")
    one = Declaration(
        labels={"severity": "critical"}, notifications=results()[0].scenario.notifications,  # type: ignore[union-attr]
        may_also_fire=("A",), inhibited=("B",), missed_after_s=0, speedup=12, users=("Clerk",),
        fault="postgresql stopped", deadlines=results()[0].deadlines, explained=("C",),  # type: ignore[arg-type]
        wanted=wanted, advice="more",
    )  # fmt: skip
    document = json.loads(json.dumps(one, default=lambda value: vars(value)))
    assert jsontext.made(Declaration, document) == one
    scenario = one.scenario(ALERT)
    assert (scenario.alert, scenario.follows) == (ALERT, {"A", "B"})


def _later(lines: list[str]) -> None:
    """PagerDuty's message was ten seconds late."""
    n = line_with(lines, '"Notification"', '"pagerduty"', '"firing"', "proof-1")
    event = json.loads(lines[n])
    lines[n] = json.dumps({**event, "at": event["at"] + 10})


def _sooner(lines: list[str]) -> None:
    """No verdict depends on it."""
    n = line_with(lines, "TrafficSeen", "proof-1")
    lines[n] = lines[n].replace('"requests": 90', '"requests": 91')


def _without(lines: list[str]) -> None:
    del lines[line_with(lines, '"Notification"', '"slack"', '"resolved"', "proof-1")]


def _added(lines: list[str]) -> None:
    lines.insert(line_with(lines, '"undoing"', "proof-1"), STRAY)


def _loosened(document: dict[str, Any]) -> None:
    terms = document["results"][0]["declaration"]["deadlines"]["notified"]["terms"]
    terms.append(["patience", 60.0])


def _unwanted(document: dict[str, Any]) -> None:
    """The page that never came is no longer expected."""
    del document["results"][1]["declaration"]["notifications"][1]


def _unseen(document: dict[str, Any]) -> None:
    document["results"][0]["events"] = None


def _praised(document: dict[str, Any]) -> None:
    document["results"][1]["verdict"].update(outcome="proven", reason="")


CHANGES: list[tuple[Callable[[list[str]], object], Callable[[dict[str, Any]], object], str]] = [
    (_later, lambda _: 0, f"{ALERT}: its evidence was changed after the proof; recorded proven,"
     " judged again failed: the firing notification on PagerDuty on-call arrived "),
    (_later, lambda _: 0, "the evidence was changed after the proof: `evidence.jsonl`, line 21 was"
     " changed\n"),
    (_sooner, lambda _: 0, f"{ALERT}: its evidence was changed after the proof\n"),
    (_without, lambda _: 0, f"{ALERT}: its evidence was changed after the proof: an event fewer"
     " than were recorded; recorded proven, judged again failed: Slack #alerts-database: expected"
     " 1 resolved notification, got 0"),
    (_without, lambda _: 0, "`evidence.jsonl`, a line is missing after line "),
    (_added, lambda _: 0, f"{ALERT}: its evidence was changed after the proof: an event more than"
     " were recorded; recorded proven, judged again failed: email database@residency.example: "),
    (_added, lambda _: 0, "`evidence.jsonl`, line 24 was added\n"),
    (lambda _: 0, _loosened, f"{ALERT}: its expectations or deadlines were changed after the"
     " proof\n"),
    (lambda _: 0, _unwanted, f"{OTHER}: its expectations or deadlines were changed after the proof;"
     " recorded failed: PagerDuty on-call: expected 1 firing notification, got 0"),
    (lambda _: 0, _praised, f"{OTHER}: its verdict was changed after the proof; recorded proven,"
     " judged again failed: PagerDuty on-call: expected 1 firing notification, got 0"),
    (lambda _: 0, _unseen, f"{ALERT}: no evidence of it is kept whole, so it cannot be judged"),
    (lambda _: 0, lambda d: d.update(speed=1.0), "`proof.json` was changed after the proof"),
    (lambda _: 0, lambda d: d["results"].pop(), "the digest over evidence, expectations and"
     " verdicts does not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "document", "said"), CHANGES)
def test_what_was_changed_is_named(
    folder: Path,
    lines: Callable[[list[str]], object],
    document: Callable[[dict[str, Any]], object],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_lines(folder, lines)
    edited(folder, document)
    with pytest.raises(CheckFailed, match="Do not rely on it"):
        verify_report([str(folder)])
    assert said in capsys.readouterr().out


def test_alert_whose_evidence_is_untouched_is_said_to_be_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines before its own are gone; they are found all the same."""
    with_lines(folder, lambda lines: lines.pop(0))
    with pytest.raises(CheckFailed):
        verify_report([str(folder)])
    out = capsys.readouterr().out
    assert f"{ALERT}: its evidence was changed" in out
    assert f"{OTHER}: its evidence" not in out


@pytest.mark.parametrize("name", ["report.html", "junit.xml"])
def test_page_that_was_edited_is_named(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace("expected 1 firing", "got 1 firing"))
    with pytest.raises(CheckFailed, match=f"`{name}` was changed after the proof"):
        verify_report([str(folder)])
    (folder / name).unlink()
    with pytest.raises(CheckFailed, match=f"`{name}` is missing"):
        verify_report([str(folder)])
    assert "all the same" in capsys.readouterr().out


def test_verdict_forged_with_its_digests_does_not_follow_from_the_evidence(folder: Path) -> None:
    """Who forges evidence and digests as well is found by the signature alone."""

    def forged(document: dict[str, Any]) -> None:
        _praised(document)
        one = document["results"][1]
        one["sha256"]["verdict"] = kept.digest(one["verdict"])
        document["seal"] = kept.seal(document["results"])
        document["sha256"] = kept.digest({k: v for k, v in document.items() if k != "sha256"})

    edited(folder, forged)
    with pytest.raises(CheckFailed, match=f"{OTHER}: recorded proven, judged again failed") as said:
        verify_report([str(folder)])
    assert "All digests fit: either this checkout judges otherwise" in said.value.cure


def _cut(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: _cut(f, NAME), r"`.*proof\.json` is cut short, or not JSON: "),
        (lambda f: _cut(f, EVIDENCE), r"`.*jsonl` is cut short: it ends within line \d+ of 36"),
        (lambda f: (f / EVIDENCE).unlink(), r"`.*evidence\.jsonl` is missing"),
        (lambda f: (f / NAME).unlink(), r"is not a report that can be judged again"),
        (lambda f: (f / NAME).write_text("[]"), r"its `format` is not"),
        (lambda f: edited(f, lambda d: d.update(version=3)), r"is of version 3, and this checkout"
         r" judges version 2\.\n  Judge it with the checkout that wrote it"),
        (lambda f: edited(f, lambda d: d.pop("seal")), r"lacks something.*`seal` is missing"),
        (lambda f: edited(f, lambda d: d["results"][0]["verdict"].update(zero="x")),
         r"lacks something, or has what no report has: `results`: `verdict`: `zero` is 'x'"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(
    folder: Path, change: Callable[[Path], object], said: str
) -> None:
    change(folder)
    with pytest.raises(BadInput, match=said):
        verify_report([str(folder)])


def test_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such report"):
        verify_report([str(tmp_path / "none")])
    with pytest.raises(BadInput, match="2 reports are named, expected one"):
        verify_report(["a", "b"])
