"""Slack's incoming webhook: its rules and its answers.

Sources: docs.slack.dev, "Sending messages using incoming webhooks" (errors and their strings;
api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks has the HTTP statuses),
"chat.postMessage" (text is cut after 40,000 characters), "Reference: Secondary message
attachments" (100 attachments, colours, fallback) and "Blocks" (50 a message, 3,000 characters in
a section). Slack's rate limit of one message a second is not imposed.
"""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from stack.programs.inbox.message import Channel, Message, Post, Reply
from stack.programs.inbox.reading import (
    alert_names,
    kind_of,
    objects_at,
    read_object,
    strings,
    text_at,
    unrendered,
)

BODY_LIMIT_BYTES = 1_048_576
"""Slack documents no limit; this is far above what its other limits allow."""
TEXT_LIMIT = 40_000
ATTACHMENTS_LIMIT = 100
BLOCKS_LIMIT = 50
SECTION_LIMIT = 3_000
COLOURS = {"": "#dddddd", "good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}
"""Slack's named colours, and the one of an attachment without a colour."""

_PATH = re.compile(r"/services/T\w+/B\w+/[\w-]+/?")
_CHANNEL = re.compile(r"[#@]?[^\sA-Z#@,:*!?]{1,80}|[CDGUW][A-Z0-9]{7,}")
_HEXADECIMAL = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_SHOWN = ("text", "fallback", "title", "pretext", "fields", "blocks", "image_url")


def colour_of(colour: str) -> str | None:
    """Return an attachment's colour as `#rrggbb` or `#rgb`; None if Slack knows no such colour."""
    if found := _HEXADECIMAL.fullmatch(colour):
        return f"#{found[1]}"
    return COLOURS.get(colour)


def judge(post: Post) -> Reply:
    """Return what Slack would answer to one POST under /services/, and what is recorded of it."""
    payload = _payload(post)
    message = _message(post, payload or {})
    status, text = _answer(post, payload)
    problems = [*message.problems]
    if status != 200:
        problems.insert(0, f"Slack refuses it: {status} `{text}`")
    return Reply(
        message=replace(message, answer=status, problems=tuple(problems)),
        text=text,
        # What Slack says of its one-word answers.
        content_type="text/html",
    )


def _payload(post: Post) -> dict[str, object] | None:
    """Parse a JSON body, or the `payload` field of a form; None for anything else."""
    media_type = post.content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return read_object(post.body)
    if media_type == "application/x-www-form-urlencoded":
        try:
            fields = parse_qs(post.body.decode("utf-8", "replace"), max_num_fields=1000)
        except ValueError:  # there are more
            return None
        return read_object(fields.get("payload", [""])[0])
    return None


def _answer(post: Post, payload: dict[str, object] | None) -> tuple[int, str]:
    """Return HTTP status and body, by the first rule that applies."""
    if not _PATH.fullmatch(post.path):
        return 404, "no_service"
    if post.size_bytes > BODY_LIMIT_BYTES:
        return 413, "payload_too_large"
    if payload is None:
        return 400, "invalid_payload"
    if fault := _shape_fault(payload):
        return 400, fault
    channel = text_at(payload, "channel")
    if channel and not _CHANNEL.fullmatch(channel):
        return 404, "channel_not_found"
    return 200, "ok"


def _shape_fault(payload: dict[str, object]) -> str:
    """Return the error string for text, attachments and blocks; empty if they are valid."""
    attachments, blocks = payload.get("attachments") or [], payload.get("blocks") or []
    if not isinstance(attachments, list) or not isinstance(payload.get("text", ""), str):
        return "invalid_payload"
    if not isinstance(blocks, list):
        return "invalid_blocks_format"
    if len(attachments) > ATTACHMENTS_LIMIT:
        return "too_many_attachments"
    sections = [block.get("text") for block in objects_at(payload, "blocks")]
    texts = [text_at(text, "text") for text in sections if isinstance(text, dict)]
    if len(blocks) > BLOCKS_LIMIT or any(len(text) > SECTION_LIMIT for text in texts):
        return "invalid_blocks"
    if text_at(payload, "text").strip() or blocks:
        return ""
    if not attachments:
        return "no_text"
    if not all(isinstance(item, dict) for item in attachments):
        return "invalid_payload"
    shown = any(item.get(key) for item in attachments for key in _SHOWN)
    return "" if shown else "missing_text_or_fallback_or_attachments"


def _message(post: Post, payload: dict[str, object]) -> Message:
    attachments = objects_at(payload, "attachments")
    headings = [text_at(item, key) for item in attachments for key in ("title", "fallback", "text")]
    headings.append(text_at(payload, "text"))
    body = _body(payload, attachments)
    return Message(
        received_at=post.received_at,
        channel=Channel.SLACK,
        destination=text_at(payload, "channel"),
        kind=kind_of(*headings),
        alerts=alert_names(headings, [body]),
        subject=next((line for text in headings if (line := text.strip().partition("\n")[0])), ""),
        body=body,
        problems=(*_problems(payload, attachments), *unrendered(strings(payload))),
        answer=200,
        raw=post.body,
    )


def _body(payload: dict[str, object], attachments: list[dict[str, object]]) -> str:
    """Return the message's text as a reader would see it, without titles, one part per line."""
    parts = [text_at(payload, "text")]
    for item in attachments:
        parts += [text_at(item, "pretext"), text_at(item, "text")]
        for field in objects_at(item, "fields"):
            parts.append(f"{text_at(field, 'title')}: {text_at(field, 'value')}")
        parts.append(text_at(item, "footer"))
    for block in objects_at(payload, "blocks"):
        text = block.get("text")
        parts.append(text_at(text, "text") if isinstance(text, dict) else "")
    return "\n".join(part for part in parts if part)


def _problems(payload: dict[str, object], attachments: list[dict[str, object]]) -> list[str]:
    """Return what Slack accepts but a reader would miss or be confused by."""
    problems = []
    texts = {"text": text_at(payload, "text")}
    for number, item in enumerate(attachments, start=1):
        where = f"attachment {number}"
        texts[f"{where}: text"] = text_at(item, "text")
        if not text_at(item, "fallback"):
            problems.append(f"{where}: no `fallback`, so a phone's notification shows no text")
        colour = text_at(item, "color")
        if colour_of(colour) is None:
            problems.append(f"{where}: `color` is `{colour}`, not good, warning, danger or #rrggbb")
        link = text_at(item, "title_link")
        if link and not _is_url(link):
            problems.append(f"{where}: `title_link` is `{link}`, not an http(s) URL")
    for where, text in texts.items():
        if len(text) > TEXT_LIMIT:
            problems.append(f"{where}: {len(text)} characters; Slack truncates after {TEXT_LIMIT}")
        if "<|" in text:
            problems.append(f"{where}: a link without a URL")
    return problems


def _is_url(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
