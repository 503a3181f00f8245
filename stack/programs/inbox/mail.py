"""Email: what a well-formed message contains, and what is recorded of it.

Sources: RFC 5322 (3.6: From and Date are required, Message-ID is recommended; 2.1.1: a line has at
most 998 characters) and RFC 5321 (reply codes). Mail servers accept malformed mail, so all of that
is recorded as problems, and nothing here refuses a mail.
"""

import codecs
import re
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Mail
from email.parser import BytesHeaderParser
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
_NO_CHARSETS = frozenset({
    "idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "unicode_escape",
    "raw_unicode_escape",
})  # fmt: skip
"""Python's own, which no mail has. Some always fail, one takes the square of its length."""
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


def parse(content: bytes) -> Mail:
    """Parse a mail; never fails: what is malformed is in `.defects` or missing.

    By the older of the standard library's two readers of headers: the newer one needs a call for
    each level of what a header nests, and a time that grows with the square of its length.
    """
    try:
        return message_from_bytes(content, policy=policy.compat32)
    except (TypeError, ValueError, LookupError):  # a parameter of a part, such as its boundary
        return BytesHeaderParser(policy=policy.compat32).parsebytes(content)


def header(mail: Mail, name: str) -> str:
    """Return one header, decoded and on one line; empty if missing or impossible to decode."""
    text = str(mail.get(name, ""))
    try:
        parts = decode_header(text)
    except HeaderParseError:  # base64 that is none
        return ""
    words = (one if isinstance(one, str) else _decoded(one, kind or "ascii") for one, kind in parts)
    return " ".join("".join(words).split())


def texts(mail: Mail) -> tuple[str, str]:
    """Return the first text/plain and the first text/html part, decoded; empty if missing."""
    found = {"text/plain": "", "text/html": ""}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            found[kind] = _decoded(payload, _charset(part))
    return found["text/plain"], found["text/html"]


def _charset(part: Mail) -> str:
    try:
        return part.get_content_charset("utf-8")
    except (TypeError, ValueError, LookupError):  # `charset*0*=` and the like
        return "utf-8"


def _decoded(payload: object, charset: str) -> str:
    if not isinstance(payload, bytes):
        return ""
    try:
        if codecs.lookup(charset).name not in _NO_CHARSETS:
            return payload.decode(charset, "replace")
    except (LookupError, ValueError):  # one that nobody knows, or no name of one
        pass
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

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """`<![` is a comment that nobody sees, as in browsers; the library asserts what it is."""
        return self.parse_bogus_comment(i)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _problems(mail: Mail, content: bytes) -> list[str]:
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
    try:
        addresses = [address for _, address in getaddresses([text])]
    except RecursionError:  # comments within comments
        return False
    return bool(addresses) and all(_ADDRESS.fullmatch(address) for address in addresses)


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return False
    return True
