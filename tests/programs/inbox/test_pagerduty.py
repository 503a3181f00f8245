import json

import pytest

from stack.programs.inbox.message import Channel, Kind, Post
from stack.programs.inbox.pagerduty import judge

KEY = "0123456789abcdef0123456789abcdef"
SERVICES = {KEY: "on-call"}


def post(body: object, content_type: str = "application/json") -> Post:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Post(
        path="/v2/enqueue",
        content_type=content_type,
        body=data,
        received_at=5.0,
        size_bytes=len(data),
    )


def event(*, payload: object = None, **changes: object) -> dict:
    """As Alertmanager 0.28.1 posts it; a change to None takes the field away."""
    usual = {
        "routing_key": KEY,
        "dedup_key": "f" * 64,
        "event_action": "trigger",
        "client": "Alertmanager",
        "client_url": "http://127.0.0.1:9093",
        "payload": {
            "summary": "[FIRING:1] PostgreSQLDown - no answer",
            "source": "Alertmanager",
            "severity": "critical",
            "custom_details": {
                "firing": "Labels:\n - alertname = PostgreSQLDown\n",
                "resolved": "",
            },
        },
    }
    if isinstance(payload, dict):
        usual["payload"] = {**usual["payload"], **payload}
    return {key: value for key, value in {**usual, **changes}.items() if value is not None}


ERRORS = [
    ("trigger", event(), []),
    ("trigger without dedup_key", event(dedup_key=None), []),
    ("resolve", event(event_action="resolve"), []),
    ("resolve without payload", {**event(event_action="resolve"), "payload": None}, []),
    ("acknowledge", event(event_action="acknowledge"), []),
    ("summary of 1024", event(payload={"summary": "a" * 1024}), []),
    ("dedup_key of 255", event(dedup_key="a" * 255), []),
    ("no routing_key", event(routing_key=None), ["'routing_key' is missing or blank"]),
    (
        "short routing_key",
        event(routing_key="abc"),
        ["Length of 'routing_key' is incorrect (should be 32 characters)"],
    ),
    (
        "odd routing_key",
        event(routing_key="-" * 32),
        ["'routing_key' cannot contain non-alphanumeric characters."],
    ),
    ("no action", event(event_action=None), ["'event_action' is missing or blank"]),
    ("unknown action", event(event_action="fire"), ["'event_action' is invalid"]),
    (
        "resolve without dedup_key",
        event(event_action="resolve", dedup_key=None),
        ["'dedup_key' is missing or blank"],
    ),
    ("dedup_key of 256", event(dedup_key="a" * 256), ["Length of 'dedup_key' is incorrect"]),
    ("no payload", {**event(), "payload": None}, ["'payload' is missing or blank"]),
    (
        "blank payload",
        event(payload={"summary": "", "source": " ", "severity": None}),
        [
            "'payload.summary' is missing or blank",
            "'payload.source' is missing or blank",
            "'payload.severity' is missing or blank",
        ],
    ),
    (
        "unknown severity",
        event(payload={"severity": "page"}),
        ["'payload.severity' is invalid (must be one of the following"],
    ),
    (
        "summary of 1025",
        event(payload={"summary": "a" * 1025}),
        ["Length of 'payload.summary' is incorrect"],
    ),
]


@pytest.mark.parametrize(
    ("body", "errors"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_pagerduty_answers_as_the_real_one(body, errors):
    reply = judge(post(body), SERVICES)
    answer = json.loads(reply.text)
    if not errors:
        assert reply.message.answer == 202
        assert answer["status"] == "success"
        assert answer["message"] == "Event processed"
        assert answer["dedup_key"] == body.get("dedup_key", answer["dedup_key"]) != ""
        assert reply.message.problems == ()
        return
    assert reply.message.answer == 400
    assert (answer["status"], answer["message"]) == ("invalid event", "Event object is invalid")
    assert len(answer["errors"]) == len(reply.message.problems) == len(errors)
    for found, wanted in zip(answer["errors"], errors, strict=True):
        assert found.startswith(wanted)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": "\xff"}', b"[" * 99_999], ids=range(5))
def test_pagerduty_refuses_what_is_not_an_object(body):
    reply = judge(post(body), SERVICES)
    assert reply.message.answer == 400
    assert json.loads(reply.text)["errors"] == ["JSON parse error"]


def test_pagerduty_knows_no_other_key():
    reply = judge(post(event(routing_key="0" * 32)), SERVICES)
    assert (reply.message.answer, reply.text) == (400, "Invalid routing key")
    assert reply.message.destination == ""
    assert reply.message.alerts == ("PostgreSQLDown",)


def test_pagerduty_refuses_huge_bodies():
    huge = Post(
        path="", content_type="application/json", body=b"{", received_at=0, size_bytes=512_001
    )
    assert judge(huge, SERVICES).message.answer == 413


KINDS = [("trigger", Kind.FIRING), ("resolve", Kind.RESOLVED), ("acknowledge", Kind.OTHER)]


@pytest.mark.parametrize(("action", "kind"), KINDS)
def test_pagerduty_kind_is_that_of_the_action(action, kind):
    assert judge(post(event(event_action=action)), SERVICES).message.kind is kind


def test_pagerduty_records_what_it_reads():
    message = judge(post(event()), SERVICES).message
    assert message.channel is Channel.PAGERDUTY
    assert message.destination == "on-call"
    assert message.alerts == ("PostgreSQLDown",)
    assert message.subject == "[FIRING:1] PostgreSQLDown - no answer"
    assert "alertname = PostgreSQLDown" in message.body


def test_pagerduty_names_only_what_fires():
    details = {"firing": "- alertname = A", "resolved": "- alertname = B"}
    payload = {"summary": "two alerts", "custom_details": details}
    assert judge(post(event(payload=payload)), SERVICES).message.alerts == ("A",)


def test_pagerduty_names_the_alert_of_the_details():
    payload = {"summary": "down", "custom_details": {"alertname": "PostgreSQLDown"}}
    assert judge(post(event(payload=payload)), SERVICES).message.alerts == ("PostgreSQLDown",)


PROBLEMS = [
    ("good", event(links=[{"href": "http://x", "text": "a"}]), None),
    ("link without href", event(links=[{"text": "a"}]), "a link without `href`"),
    ("plain http image", event(images=[{"src": "http://x/a.png"}]), "an image"),
    ("odd time", event(payload={"timestamp": "yesterday"}), "`payload.timestamp` is `yesterday`"),
    (
        "missing value",
        event(payload={"custom_details": {"a": "<no value>"}}),
        "unrendered template: `<no value>`",
    ),
]


@pytest.mark.parametrize(
    ("body", "problem"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_pagerduty_finds_problems_in_what_it_accepts(body, problem):
    message = judge(post(body), SERVICES).message
    assert message.answer == 202
    found = message.problems
    assert (found == ()) if problem is None else (len(found) == 1 and problem in found[0])
