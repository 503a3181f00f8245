"""What engines write when something fails, as they write it."""

from pathlib import Path

import pytest

from scenarios.proof.engines import Complaint, Tail, complaint

INDEX = (
    "time=2026-11-28T20:00:00.000Z level=ERROR source=dispatch.go:360 component=dispatcher"
    ' msg="Notify for alerts failed" num_alerts=1 err="team/slack[0]: notify retry canceled due to'
    ' unrecoverable error after 1 attempts: template: slack.tmpl:3:12: executing \\"slack.text\\"'
    ' at <index .Alerts 1>: error calling index: reflect: slice index out of range"'
)
WARNED = (
    'time=2026-11-28T20:00:00.000Z level=WARN source=notify.go:866 msg="Notify attempt failed, will'
    ' retry later" component=dispatcher receiver=on-call integration=pagerduty[0] aggrGroup="{}:{}"'
    ' attempts=1 err="unexpected status code 500"'
)
UNSENT = (
    "ts=2026-11-28T20:00:00.000Z caller=notifier.go:530 level=error component=notifier"
    ' alertmanager=http://127.0.0.1:1/api/v2/alerts count=1 msg="Error sending alert"'
    ' err="Post \\"http://127.0.0.1:1\\": connect: connection refused"'
)


@pytest.mark.parametrize(
    ("source", "line", "about", "of", "text"),
    [
        ("alertmanager", INDEX, "notify", "slack", "slice index out of range"),
        ("alertmanager", WARNED, "notify", "pagerduty", "unexpected status code 500"),
        (
            "prometheus",
            UNSENT,
            "send",
            "",
            'Post "http://127.0.0.1:1": connect: connection refused',
        ),
    ],
    ids=["template", "refused", "unsent"],
)
def test_complaint_is_the_engines_own(
    source: str, line: str, about: str, of: str, text: str
) -> None:
    found = complaint(source, line)
    assert found is not None
    assert (found.about, found.of) == (about, of)
    assert found.text.endswith(text)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("alertmanager", 'level=INFO msg="Completed loading of configuration file" err="no"'),
        ("alertmanager", 'level=ERROR msg="Notify for alerts failed"'),
        ("prometheus", 'level=error component="scrape manager" msg="x" err="y"'),
        ("loki", INDEX),
        ("alertmanager", ""),
        ("alertmanager", 'err="\\'),
    ],
)
def test_other_lines_are_no_complaint(source: str, line: str) -> None:
    assert complaint(source, line) is None


def test_complaint_keeps_to_one_line() -> None:
    line = 'level=ERROR msg="Notify for alerts failed" err="x/email[0]:   bad\tthing"'
    assert complaint("alertmanager", line) == Complaint(
        about="notify", of="email", text="x/email[0]: bad thing"
    )


def test_tail_gives_whole_lines_once_and_from_now_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    tail = Tail(log)
    with log.open("a") as more:
        more.write("new\nhal")
        more.flush()
        assert list(tail.lines()) == ["new"]
        more.write("f\n")
    assert list(tail.lines()) == ["half"]
    assert list(tail.lines()) == []


def test_tail_reads_a_log_that_comes_later_or_begins_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log)
    assert list(tail.lines()) == []
    log.write_text("one\ntwo\n")
    assert list(tail.lines()) == ["one", "two"]
    log.write_text("three\n")
    assert list(tail.lines()) == ["three"]
