"""PagerDuty's Events API v2 (`POST /v2/enqueue`): its rules and its answers.

Sources: developer.pagerduty.com, "Events API v2" and "Send an alert event" (fields, lengths,
512 KB a request); PagerDuty/api-schema, reference/events-v2/openapiv3.json (bodies of 202 and of
a JSON parse error); v2.developer.pagerduty.com, "Send an event" (body of 400). The texts in
`errors` follow answers quoted in public issues ("Length of 'routing_key' is incorrect …",
"'payload.severity' is missing or blank"); where none was found, they are worded similarly.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from stack.programs.inbox.message import Channel, Kind, Message, Post, Reply
from stack.programs.inbox.reading import (
    alert_names,
    objects_at,
    read_object,
    strings,
    text_at,
    unrendered,
)

BODY_LIMIT_BYTES = 512_000
"""512 KB, as Alertmanager counts it (notify/pagerduty, `maxEventSize`)."""
SUMMARY_LIMIT = 1024
DEDUP_KEY_LIMIT = 255
ROUTING_KEY_LENGTH = 32
UNKNOWN_KEY = "Invalid routing key"
"""PagerDuty's whole answer, without JSON around it, to a key that belongs to no service."""
KINDS = {"trigger": Kind.FIRING, "acknowledge": Kind.OTHER, "resolve": Kind.RESOLVED}
SEVERITIES = ("critical", "warning", "error", "info")


def judge(post: Post, services: Mapping[str, str]) -> Reply:
    """Return what PagerDuty would answer to one event, and what is recorded of it.

    `services` maps routing keys to the names of the services that they belong to.
    """
    event = read_object(post.body)
    message = _message(post, event or {}, services)
    status, answer = _answer(post, event, services)
    problems = list(message.problems)
    if status != 202:
        errors = answer.get("errors")
        reasons = errors if isinstance(errors, list) else [answer["message"]]
        problems = [f"PagerDuty refuses it: {status} {reason}" for reason in reasons] + problems
    return Reply(
        message=replace(message, answer=status, problems=tuple(problems)),
        text=json.dumps(answer) if "status" in answer else UNKNOWN_KEY,
        content_type="application/json" if "status" in answer else "text/plain",
    )


def _answer(
    post: Post, event: dict[str, object] | None, services: Mapping[str, str]
) -> tuple[int, dict[str, object]]:
    if post.size_bytes > BODY_LIMIT_BYTES:
        return 413, {"status": "invalid event", "message": "Payload too large"}
    if event is None:
        return 400, {
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        }
    if errors := [*_key_errors(event), *_event_errors(event)]:
        return 400, {
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": errors,
        }
    if event["routing_key"] not in services:
        return 400, {"message": UNKNOWN_KEY}
    return 202, {
        "status": "success",
        "message": "Event processed",
        "dedup_key": text_at(event, "dedup_key") or uuid.uuid4().hex,
    }


def _key_errors(event: dict[str, object]) -> list[str]:
    key = text_at(event, "routing_key")
    if not key.strip():
        return ["'routing_key' is missing or blank"]
    errors = []
    if len(key) != ROUTING_KEY_LENGTH:
        errors.append(
            f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"
        )
    if not re.fullmatch(r"[A-Za-z0-9]*", key):
        errors.append("'routing_key' cannot contain non-alphanumeric characters.")
    return errors


def _event_errors(event: dict[str, object]) -> list[str]:
    action, dedup_key = text_at(event, "event_action"), text_at(event, "dedup_key")
    errors = []
    if not action:
        errors.append("'event_action' is missing or blank")
    elif action not in KINDS:
        errors.append(
            "'event_action' is invalid "
            "(must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
        )
    elif action != "trigger" and not dedup_key:
        errors.append("'dedup_key' is missing or blank")
    if len(dedup_key) > DEDUP_KEY_LIMIT:
        errors.append(
            f"Length of 'dedup_key' is incorrect (should be at most {DEDUP_KEY_LIMIT} characters)"
        )
    # Follow-up events need no payload: the alert that they refer to has one.
    return errors + (_payload_errors(event.get("payload")) if action == "trigger" else [])


def _payload_errors(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    errors = [
        f"'payload.{key}' is missing or blank"
        for key in ("summary", "source", "severity")
        if not text_at(payload, key).strip()
    ]
    if len(text_at(payload, "summary")) > SUMMARY_LIMIT:
        errors.append(
            "Length of 'payload.summary' is incorrect "
            f"(should be at most {SUMMARY_LIMIT} characters)"
        )
    severity = text_at(payload, "severity")
    if severity.strip() and severity not in SEVERITIES:
        errors.append(
            "'payload.severity' is invalid "
            "(must be one of the following: 'critical', 'warning', 'error' or 'info')"
        )
    return errors


def _message(post: Post, event: dict[str, object], services: Mapping[str, str]) -> Message:
    payload, action = event.get("payload"), text_at(event, "event_action")
    payload = payload if isinstance(payload, dict) else {}
    kind = KINDS.get(action, Kind.OTHER)
    details = payload.get("custom_details")
    details = details if isinstance(details, dict) else {}
    # A firing group may list alerts that have since resolved: it is not about those.
    listed = [
        f"{key} = {text_at(details, key)}\n{text_at(details, key)}"
        for key in details
        if not (key == "resolved" and kind is Kind.FIRING)
    ]
    summary = text_at(payload, "summary")
    return Message(
        received_at=post.received_at,
        channel=Channel.PAGERDUTY,
        destination=services.get(text_at(event, "routing_key"), ""),
        kind=kind,
        alerts=alert_names([summary], listed),
        subject=summary or f"{action or 'event'} {text_at(event, 'dedup_key')}".strip(),
        body="\n".join(f"{key}: {text_at(details, key)}" for key in details),
        problems=(*_problems(post, event, payload), *unrendered(strings(event))),
        answer=202,
        raw=_without_key(post.body, event, services),
    )


def _without_key(body: bytes, event: dict[str, object], services: Mapping[str, str]) -> bytes:
    """The event without the key of its service, which whoever reads the inbox or a backup of it
    could send with. PagerDuty does not show it either."""
    key = text_at(event, "routing_key")
    return body.replace(key.encode(), b"*" * len(key)) if key in services else body


def _problems(post: Post, event: dict[str, object], payload: dict[str, object]) -> list[str]:
    """Return what PagerDuty accepts although its documentation requires something else."""
    problems = []
    if post.content_type.partition(";")[0].strip().lower() != "application/json":
        problems.append(f"`Content-Type` is `{post.content_type}`, not `application/json`")
    if (timestamp := text_at(payload, "timestamp")) and not _is_time(timestamp):
        problems.append(f"`payload.timestamp` is `{timestamp}`, not an ISO 8601 time")
    if any(not text_at(link, "href") for link in objects_at(event, "links")):
        problems.append("a link without `href`")
    if any(not text_at(image, "src").startswith("https:") for image in objects_at(event, "images")):
        problems.append("an image whose `src` is not an https URL")
    return problems


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
