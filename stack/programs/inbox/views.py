"""The pages: what arrived, and one message as its reader would see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from stack.programs.inbox import mail, mrkdwn, sanitise
from stack.programs.inbox.message import Channel, Message
from stack.programs.inbox.reading import as_json, objects_at, read_object, text_at
from stack.programs.inbox.slack import COLOURS, colour_of

_LISTED = 500
"""How many of the newest messages the page shows."""
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""An email has styles of its own. Without `allow-scripts` nothing in it runs; the same origin lets
the surrounding page measure its height."""
_MAIL_PAGE = '<!doctype html><meta charset="utf-8"><body style="margin:0">{}</body>'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mrkdwn"] = mrkdwn.to_html
    environment.filters["slack_plain"] = mrkdwn.plain
    environment.filters["clock"] = _clock
    environment.tests["web_url"] = mrkdwn.is_web_url
    return environment


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One attachment of a Slack message, ready to display."""

    colour: str
    """`#rrggbb`."""
    pretext: str
    title: str
    title_link: str
    text: str
    fields: tuple[tuple[str, str, bool], ...]
    """Title, value, short."""
    footer: str


def overview(newest: int) -> Response:
    """Return the page that lists what arrived; it fetches the list itself."""
    return _page("overview.html", after=max(newest - _LISTED, 0), listed=_LISTED)


def runbooks(names: list[str]) -> Response:
    """Return the page that lists the runbooks."""
    return _page("runbooks.html", names=names)


def runbook(name: str, content: Markup) -> Response:
    """Return the page of one runbook."""
    return _page("runbook.html", up="../", name=name, content=content)


def message(found: Message, *, newest: int, runbooks: list[str]) -> Response:
    """Return the page of one message; `runbooks` are those of its alerts."""
    shown: dict[Channel, Callable[[Message], dict[str, object]]] = {
        Channel.SLACK: _slack,
        Channel.PAGERDUTY: _pagerduty,
        Channel.EMAIL: _email,
        Channel.HEARTBEAT: lambda message: {},
    }
    raw = found.raw.decode("utf-8", "replace")
    payload = None if found.channel is Channel.EMAIL else read_object(found.raw)
    if payload is not None:
        raw = as_json(payload, indent=2)
    return _page(
        f"{found.channel}.html",
        up="../",
        message=found,
        newest=newest,
        runbooks=runbooks,
        raw=raw,
        **shown[found.channel](found),
    )


def mail_html(found: Message) -> Response:
    """Return only the HTML of an email, made harmless, for the frame in its page."""
    html = mail.texts(mail.parse(found.raw))[1] if found.channel is Channel.EMAIL else ""
    return _html(_MAIL_PAGE.format(sanitise.sanitised(html)), _MAIL_POLICY)


def _page(template: str, *, up: str = "", **values: object) -> Response:
    """`up` leads from the page's folder to the inbox' own: the front gives it a path of its own."""
    values["up"] = up
    return _html(_environment().get_template(template).render(values), _PAGE_POLICY)


def _html(text: str, policy: str) -> Response:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(text.encode("utf-8", "replace"), headers=headers)


def _clock(unix_s: float) -> Markup:
    """Return a time element; the page's script converts it to the reader's time zone."""
    moment = datetime.fromtimestamp(unix_s, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="milliseconds"), moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def _slack(found: Message) -> dict[str, object]:
    payload = read_object(found.raw) or {}
    blocks = [block.get("text") for block in objects_at(payload, "blocks")]
    return {
        "sender": text_at(payload, "username") or "incoming-webhook",
        "text": text_at(payload, "text"),
        "blocks": [text_at(text, "text") for text in blocks if isinstance(text, dict)],
        "attachments": [_attachment(item) for item in objects_at(payload, "attachments")],
    }


def _attachment(item: dict[str, object]) -> Attachment:
    link = text_at(item, "title_link")
    return Attachment(
        colour=colour_of(text_at(item, "color")) or COLOURS[""],
        pretext=text_at(item, "pretext"),
        title=text_at(item, "title"),
        title_link=link if mrkdwn.is_web_url(link) else "",
        text=text_at(item, "text"),
        fields=tuple(
            (text_at(field, "title"), text_at(field, "value"), bool(field.get("short")))
            for field in objects_at(item, "fields")
        ),
        footer=text_at(item, "footer"),
    )


def _pagerduty(found: Message) -> dict[str, object]:
    event = read_object(found.raw) or {}
    payload = event.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    details = payload.get("custom_details")
    details = details if isinstance(details, dict) else {}
    fields = ("source", "component", "group", "class", "timestamp")
    return {
        "action": text_at(event, "event_action"),
        "severity": text_at(payload, "severity"),
        "summary": text_at(payload, "summary"),
        "facts": {name: text for name in fields if (text := text_at(payload, name))},
        "details": {name: text_at(details, name) for name in details},
        "dedup_key": text_at(event, "dedup_key"),
        "client": text_at(event, "client"),
        "client_url": text_at(event, "client_url"),
        "links": [
            (text_at(link, "href"), text_at(link, "text")) for link in objects_at(event, "links")
        ],
    }


def _email(found: Message) -> dict[str, object]:
    parsed = mail.parse(found.raw)
    plain, html = mail.texts(parsed)
    names = ("From", "To", "Cc", "Subject", "Date", "Message-ID")
    return {
        "headers": {name: text for name in names if (text := mail.header(parsed, name))},
        "plain": plain.strip(),
        "has_html": bool(html.strip()),
    }
