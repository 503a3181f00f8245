import json
from urllib.parse import quote_plus

import pytest

from stack.programs.inbox.message import Channel, Kind, Post
from stack.programs.inbox.slack import judge

PATH = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXX"


def post(body: object, *, path: str = PATH, content_type: str = "application/json") -> Post:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Post(
        path=path, content_type=content_type, body=data, received_at=5.0, size_bytes=len(data)
    )


def attachment(**changes: object) -> dict:
    """As Alertmanager 0.28.1 posts it."""
    usual = {
        "title": "[FIRING:1] PostgreSQLDown - no answer",
        "title_link": "http://127.0.0.1:9090/graph?g0.expr=pg_up",
        "text": "*Firing*\n• it is down",
        "fallback": "[FIRING:1] PostgreSQLDown - no answer",
        "callback_id": "",
        "footer": "",
        "color": "danger",
        "mrkdwn_in": ["fallback", "pretext", "text"],
    }
    return {"channel": "#alerts-database", "attachments": [usual | changes]}


ANSWERS = [
    ("text", {"text": "hello"}, 200, "ok"),
    ("attachment", attachment(), 200, "ok"),
    ("blocks", {"blocks": [{"type": "divider"}]}, 200, "ok"),
    ("50 blocks", {"blocks": [{"type": "divider"}] * 50}, 200, "ok"),
    ("100 attachments", {"attachments": [{"text": "a"}] * 100}, 200, "ok"),
    ("channel id", {"text": "a", "channel": "C0123456789"}, 200, "ok"),
    ("person", {"text": "a", "channel": "@jo.doe"}, 200, "ok"),
    ("null attachments", {"text": "a", "attachments": None}, 200, "ok"),
    ("nothing", {}, 400, "no_text"),
    ("blank text", {"text": " \n"}, 400, "no_text"),
    ("no attachments", {"attachments": []}, 400, "no_text"),
    ("empty attachment", {"attachments": [{}]}, 400, "missing_text_or_fallback_or_attachments"),
    ("101 attachments", {"attachments": [{"text": "a"}] * 101}, 400, "too_many_attachments"),
    ("51 blocks", {"blocks": [{"type": "divider"}] * 51}, 400, "invalid_blocks"),
    ("long section", {"blocks": [{"text": {"text": "a" * 3001}}]}, 400, "invalid_blocks"),
    ("blocks no list", {"blocks": {"type": "divider"}}, 400, "invalid_blocks_format"),
    ("text no string", {"text": ["a"]}, 400, "invalid_payload"),
    ("attachments no list", {"attachments": "a"}, 400, "invalid_payload"),
    ("attachment no object", {"attachments": ["a"]}, 400, "invalid_payload"),
    ("list", ["text"], 400, "invalid_payload"),
    ("broken JSON", b"{", 400, "invalid_payload"),
    ("invalid UTF-8", b'{"text": "\xff"}', 400, "invalid_payload"),
    ("empty body", b"", 400, "invalid_payload"),
    ("no such channel", {"text": "a", "channel": "#Alerts Team"}, 404, "channel_not_found"),
]


@pytest.mark.parametrize(
    ("body", "status", "text"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_slack_answers_as_the_real_one(body, status, text):
    reply = judge(post(body))
    assert (reply.message.answer, reply.text) == (status, text)
    refusals = [problem for problem in reply.message.problems if "Slack refuses" in problem]
    assert refusals == ([] if status == 200 else [f"Slack refuses it: {status} `{text}`"])


def test_slack_records_what_it_reads():
    message = judge(post(attachment())).message
    assert message.channel is Channel.SLACK
    assert message.destination == "#alerts-database"
    assert message.kind is Kind.FIRING
    assert message.alerts == ("PostgreSQLDown",)
    assert message.subject == "[FIRING:1] PostgreSQLDown - no answer"
    assert message.body == "*Firing*\n• it is down"
    assert message.received_at == 5.0
    assert message.problems == ()


def test_slack_records_what_it_refuses():
    message = judge(post({"channel": "#Nope", "text": "[RESOLVED] DiskFull"})).message
    assert (message.kind, message.alerts, message.answer) == (Kind.RESOLVED, ("DiskFull",), 404)


def test_slack_reads_forms():
    form = b"payload=" + quote_plus('{"text": "hello"}').encode()
    kind = "application/x-www-form-urlencoded"
    assert judge(post(form, content_type=kind)).text == "ok"
    assert judge(post(b"text=hello", content_type=kind)).text == "invalid_payload"


def test_slack_refuses_a_form_of_more_fields_than_anybody_sends():
    kind = "application/x-www-form-urlencoded"
    answer = judge(post(b"payload={}&" + b"a=1&" * 1001, content_type=kind))
    assert (answer.message.answer, answer.text) == (400, "invalid_payload")


def test_slack_refuses_other_content_types():
    assert judge(post({"text": "a"}, content_type="text/plain")).text == "invalid_payload"
    assert judge(post({"text": "a"}, content_type="application/json; charset=utf-8")).text == "ok"


@pytest.mark.parametrize(
    "path", ["/services/", "/services/T0/B0", "/services/x/y/z", PATH + "/a/b"]
)
def test_slack_knows_no_other_webhook(path):
    reply = judge(post({"text": "a"}, path=path))
    assert (reply.message.answer, reply.text) == (404, "no_service")


def test_slack_refuses_huge_bodies():
    huge = Post(
        path=PATH, content_type="application/json", body=b"{", received_at=0, size_bytes=2**21
    )
    assert judge(huge).message.answer == 413


PROBLEMS = [
    ("good", {}, None),
    ("hexadecimal colour", {"color": "#439FE0"}, None),
    ("no colour", {"color": ""}, None),
    ("unknown colour", {"color": "reddish"}, "`color` is `reddish`"),
    ("no fallback", {"fallback": ""}, "no `fallback`"),
    ("relative link", {"title_link": "/graph"}, "`title_link` is `/graph`"),
    ("script link", {"title_link": "javascript:alert(1)"}, "`title_link`"),
    ("link without URL", {"text": "<|Runbook>"}, "a link without a URL"),
    ("long text", {"text": "a" * 40_001}, "40001 characters"),
    ("template left", {"text": "{{ .Labels.job"}, "unrendered template: `{{`"),
    ("missing value", {"fields": [{"title": "a", "value": "<no value>"}]}, "unrendered template"),
]


@pytest.mark.parametrize(
    ("changes", "problem"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_slack_finds_problems_in_what_it_accepts(changes, problem):
    reply = judge(post(attachment(**changes)))
    assert reply.text == "ok"
    found = reply.message.problems
    assert (found == ()) if problem is None else (len(found) == 1 and problem in found[0])


def test_slack_reads_fields_of_wrong_types():
    odd = {"channel": 7, "attachments": [{"title": 1, "text": ["a"], "fields": [3], "color": {}}]}
    assert judge(post(odd)).message.answer in (200, 404)
