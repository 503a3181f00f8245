"""What a message must say, on messages as they come over the wire; the quiet row comes first."""

import json
from dataclasses import replace

import pytest

from scenarios.proof.evidence import Notification
from scenarios.proof.messages import expected, trouble
from stack.check import claims
from stack.check.configuration import read
from stack.paths import CONFIG_ROOT

ZERO = 1_767_254_400.0  # 2026-01-01 08:00:00 UTC
LABELS = {"alertname": "PostgreSQLDown", "severity": "critical", "team": "database",
          "instance": "postgresql"}  # fmt: skip
WANTED = expected(LABELS, read(CONFIG_ROOT))
assert WANTED
SUMMARY, SAID, RUNBOOK = (
    text.replace("{{ $labels.instance }}", "postgresql")
    for text in (WANTED.summary, WANTED.description, WANTED.runbook_url)
)
QUERY = "http://127.0.0.1:9090/graph?g0.expr=pg_up"
PANEL = "http://127.0.0.1:3001/d/database-metrics?viewPanel=101&from=1767253505000&to=now"
SHOWN = "instance=postgresql severity=critical team=database"

SLACK = {"attachments": [{
    "title": f"[FIRING:1] PostgreSQLDown - {SUMMARY}", "title_link": QUERY,
    "fallback": f"[FIRING:1] PostgreSQLDown - {SUMMARY}", "color": "danger",
    "text": f"*Firing*\n{SAID.replace('&', '&amp;')}\n{SHOWN}\n<{RUNBOOK}|Runbook>"
    f" <{PANEL}|Dashboard>",
}]}  # fmt: skip
PAGE = {
    "client_url": "http://127.0.0.1:9093",
    "links": [{"href": RUNBOOK, "text": "Runbook"}, {"href": PANEL}],
    "payload": {"summary": f"[FIRING:1] PostgreSQLDown - {SUMMARY}", "severity": "critical",
                "custom_details": {"firing": SHOWN, "description": SAID, "resolved": ""}},
}  # fmt: skip
MAIL = f"""Subject: [FIRING:1] PostgreSQLDown - {SUMMARY}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8

FIRING since 2026-01-01 08:00:05 UTC
{SAID}
{SHOWN}
{QUERY}
{RUNBOOK}
{PANEL}
--x
Content-Type: text/html; charset=utf-8

<div style="border-top:6px solid #c62828"><p>FIRING since 2026-01-01 08:00:05 UTC
<p>{SAID}<p>{SHOWN}<a href="{QUERY}">Query</a>
<a href="{RUNBOOK}">Runbook</a><a href="{PANEL}">Panel</a></div>
--x--
"""

RAW = {"slack": json.dumps(SLACK), "pagerduty": json.dumps(PAGE), "email": MAIL}

TABLE = [
    ("slack", "FIRING:1", "RESOLVED", "does not begin with `[FIRING`"),
    ("slack", "FIRING:1", "FIRING:2", "counts 2 firing alerts, expected 1"),
    ("slack", "*Firing*", "{é{ .Status }} *Firing*", "is a template that was not rendered"),
    ("slack", "[FIRING:1]", "[{{ .Status }}]", "is a template that was not rendered"),
    ("email", "FIRING since", "FIRING {{ since", "is a template that was not rendered"),
    ("pagerduty", '"firing": "', '"firing": "<no value> ', "is a template that was not rendered"),
    ("slack", "*Firing*", "*Resolved*", "an alert that is firing is shown as resolved"),
    ("slack", "instance=postgresql", "instance=", "label `instance` is not shown as `postgresql`"),
    ("slack", "runbooks/PostgreSQLDown.md", "runbooks/Postgres.md", "it does not link"),
    ("slack", "danger", "good", "the colour of firing critical alerts is `good` (green)"),
    ("slack", "/graph?g0.expr=pg_up", "/graph", "does not link the query"),
    ("slack", "viewPanel=101", "viewPanel=102", "it does not link panel 101 of dashboard"),
    ("pagerduty", "/d/database-metrics", "/d/overview", "it does not link panel 101 of dashboard"),
    ("email", "Runbook</a><a href", "Runbook</a><a title", "it does not link panel 101"),
    ("pagerduty", '"severity": "critical"', '"severity": "info"', "is told severity `info`"),
    ("pagerduty", '"firing": ', '"resolved_": ', "neither firing nor resolved"),
    ("pagerduty", SUMMARY, "", "does not give the summary"),
    ("email", "FIRING since", "RESOLVED at", "an alert that is firing is shown as resolved"),
    ("email", SAID, "", "the description of the rule is not in it"),
    ("email", "#c62828", "#2e7d32", "the colour of firing critical alerts"),
    ("email", "2026-01-01 08:00:05", "2026-01-01 09:00:05", "when the alert was not active"),
    ("email", "2026-01-01 08:00:05", "0001-01-01 00:00:00", "when the alert was not active"),
    ("email", "2026-01-01 08:00:05", "", "it gives no time in UTC"),
]


def arrived(channel: str, raw: str, **more: tuple[str, ...]) -> Notification:
    return Notification(at=ZERO + 10, id=1, channel=channel, destination="a", kind="firing",
                        alerts=("PostgreSQLDown",), subject="", raw=raw, **more)  # fmt: skip


def said(channel: str, raw: str, *, siblings: bool = False) -> str:
    assert WANTED
    return trouble(arrived(channel, raw), WANTED, since=ZERO, siblings=siblings)


@pytest.mark.parametrize("channel", RAW)
def test_message_that_says_all_is_no_trouble(channel: str) -> None:
    assert said(channel, RAW[channel]) == ""


@pytest.mark.parametrize(("channel", "old", "new", "wanted"), TABLE)
def test_message_that_says_something_else_is_named(
    channel: str, old: str, new: str, wanted: str
) -> None:
    assert old in RAW[channel]
    assert wanted in said(channel, RAW[channel].replace(old, new))


def test_label_whose_value_looks_like_a_template_is_none() -> None:
    seen = claims.Seen(channel="slack", headings={"title": "[FIRING:1] A - {{ odd }}"}, texts={})
    told = claims.Told(state="firing", labels={"alertname": "A", "path": "{{ odd }}"},
                       summary="{{ $labels.path }}", description="", runbook_url="")  # fmt: skip
    assert not [one for one in claims.complaints(seen, [told]) if "not rendered" in one.said]


@pytest.mark.parametrize("channel", ["slack", "pagerduty"])
def test_message_that_cannot_be_read_is_trouble(channel: str) -> None:
    assert "it cannot be read" in said(channel, "")


def resolved(before: str) -> str:
    """A Slack message that the alert is over, with these words before its description."""
    slack = json.loads(RAW["slack"].replace("FIRING:1", "RESOLVED").replace("danger", "good"))
    slack["attachments"][0]["text"] = (
        f"*Resolved*\n{before}{SAID}\n{SHOWN} <{RUNBOOK}|Runbook> <{PANEL}|Dashboard>"
    )
    return json.dumps(slack)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("While it fired: ", ""),
        ("Over since 2026-01-01 08:00:07 UTC. While it fired: ", ""),
        ("", "an alert that is over reads as if it were so now"),
        ("It fired: ", "as if it were so now"),
    ],
)
def test_old_values_are_told_as_the_past_once_it_is_over(before: str, wanted: str) -> None:
    assert WANTED
    message = replace(arrived("slack", resolved(before)), kind="resolved")
    found = trouble(message, WANTED, since=ZERO)
    assert wanted in found if wanted else found == ""


ENDED = "\\n*Resolved*\\ninstance=replica"
BESIDE = [
    ("slack", SHOWN, SHOWN + ENDED, "is shown as firing and resolved"),
    ("email", "FIRING since", "RESOLVED at 2026-01-01 07:00:00 UTC, instance=replica FIRING since",
     "is shown as firing and resolved"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "old", "new", "wanted"), BESIDE)
def test_message_may_speak_of_siblings_only_where_there_are_any(
    channel: str, old: str, new: str, wanted: str
) -> None:
    raw = RAW[channel].replace(old, new)
    assert raw != RAW[channel]
    assert wanted in said(channel, raw)
    assert said(channel, raw, siblings=True) == ""


def test_link_that_leads_nowhere_is_named() -> None:
    assert WANTED
    message = arrived("slack", RAW["slack"], dead=("http://127.0.0.1:1/d/x answers 404",))
    found = trouble(message, WANTED, since=ZERO)
    assert found == "links: http://127.0.0.1:1/d/x answers 404"
