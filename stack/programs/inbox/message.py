"""What the inbox records of one notification, whichever channel it came through."""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """The way a notification came."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    HEARTBEAT = "heartbeat"


class Kind(StrEnum):
    """What a notification says about its alerts."""

    FIRING = "firing"
    RESOLVED = "resolved"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One notification as recorded, accepted or not."""

    received_at: float
    """Unix seconds when the last byte had arrived."""
    channel: Channel
    destination: str
    """`#alerts-database`, the name of a PagerDuty service, or a mail address; empty if unknown."""
    kind: Kind = Kind.OTHER
    alerts: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    problems: tuple[str, ...] = ()
    """Each rule of the channel, or of good form, that was broken, in words."""
    answer: int
    """HTTP status or SMTP reply code that the sender got."""
    raw: bytes = b""
    """What came over the wire, truncated at the channel's size limit."""
    id: int = 0
    """Increases in order of arrival; 0 until stored."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """One HTTP request, read completely."""

    path: str
    content_type: str
    body: bytes
    received_at: float
    size_bytes: int
    """Of the whole body; more than `len(body)` if that was truncated."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is recorded of a request, and the body of its answer (status: `message.answer`)."""

    message: Message
    text: str
    content_type: str
