"""Email: what a well-formed message contains, and what is recorded of it.

Sources: RFC 5322 (3.6: From and Date are required, Message-ID is recommended; 2.1.1: a line has at
most 998 characters) and RFC 5321 (reply codes). Mail servers accept malformed mail, so all of that
is recorded as problems, and nothing here refuses a mail.
"""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser

from stack.programs.inbox.message import Channel, Message
from stack.programs.inbox.reading import alert_names, kind_of, unrendered

SIZE_LIMIT_BYTES = 10_240_000
"""Postfix's default `message_size_limit`; the SIZE extension announces it (RFC 1870)."""
LINE_LIMIT = 998

MOST_RECIPIENTS = 100
"""Of one mail: what RFC 5321, 4.5.3.1.8, asks of a server, and Postfix' habit for its own."""

_BODY_CHARS = 500_000
"""Of the text that is shown; the whole mail is kept as well."""

_ADDRESS = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")
_REQUIRED = ("From", "To", "Subject", "Date", "Message-ID")


def judge(content: bytes, *, received_at: float) -> Message:
    """Return what is recorded of one mail, for nobody yet."""
    mail = parse(content)
    subject, (plain, html) = header(mail, "Subject"), texts(mail)
    body = plain if plain.strip() else visible_text(html)
    # Style sheets may well end in `}}`: only what a reader sees is checked.
    seen = [subject, plain, visible_text(html)]
    return Message(
        received_at=received_at,
        channel=Channel.EMAIL,
        destination="",
        kind=kind_of(subject),
        alerts=alert_names([subject], [body]),
        subject=subject,
        body=body.strip()[:_BODY_CHARS],
        problems=(*_problems(mail, content), *unrendered(seen)),
        answer=250,
        raw=content,
    )


def parse(content: bytes) -> EmailMessage:
    """Parse a mail; never fails: what is malformed is in `.defects` or missing."""
    return message_from_bytes(content, policy=policy.default)


def header(mail: EmailMessage, name: str) -> str:
    """Return one header, decoded and on one line; empty if missing or impossible to decode."""
    try:
        return " ".join(str(mail.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, LookupError):
        # The standard library's header parser fails on some malformed headers.
        return ""


def texts(mail: EmailMessage) -> tuple[str, str]:
    """Return the first text/plain and the first text/html part, decoded; empty if missing."""
    found = {"text/plain": "", "text/html": ""}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            found[kind] = _decoded(payload, part.get_content_charset("utf-8"))
    return found["text/plain"], found["text/html"]


def _decoded(payload: object, charset: str) -> str:
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def visible_text(html: str) -> str:
    """Return the text of an HTML document as lines, without style sheets and scripts."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


class _Text(HTMLParser):
    _HIDDEN = ("style", "script", "title", "head")
    _INLINE = ("a", "b", "i", "em", "strong", "span", "code", "small", "font")

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        if tag not in self._INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(self._hidden - (tag in self._HIDDEN), 0)
        if tag not in self._INLINE:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _problems(mail: EmailMessage, content: bytes) -> list[str]:
    problems = []
    for name in _REQUIRED:
        if not header(mail, name):
            problems.append(f"no `{name}` header")
        elif len(mail.get_all(name, [])) > 1:
            problems.append(f"more than one `{name}` header")
    for name in ("From", "To"):
        if (text := header(mail, name)) and not _are_addresses(text):
            problems.append(f"`{name}` is `{text}`, not a mail address")
    if (text := header(mail, "Date")) and not _is_date(text):
        problems.append(f"`Date` is `{text}`, not a date in RFC 5322 form")
    if (text := header(mail, "Message-ID")) and not _MESSAGE_ID.fullmatch(text):
        problems.append(f"`Message-ID` is `{text}`, not of the form `<left@right>`")
    if not any(text.strip() for text in texts(mail)):
        problems.append("no text/plain or text/html part that contains text")
    longest = max(map(len, content.splitlines()), default=0)
    if longest > LINE_LIMIT:
        problems.append(f"a line of {longest} characters, at most {LINE_LIMIT} are allowed")
    head = content.partition(b"\r\n\r\n")[0]
    if not head.isascii():
        problems.append("a header with characters that are neither ASCII nor encoded")
    return problems


def _are_addresses(text: str) -> bool:
    addresses = [address for _, address in getaddresses([text])]
    return bool(addresses) and all(_ADDRESS.fullmatch(address) for address in addresses)


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True
