"""What a message about a scenario's alert says, judged as its reader sees it.

By the claims that `doit check` holds the templates to (`stack.check.claims`), but on what arrived:
the annotations as Prometheus rendered them, the links and times of the instance.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scenarios.proof.evidence import Notification
from stack.check import claims
from stack.check.claims import Told
from stack.check.configuration import Configuration
from stack.check.yamlfile import text
from stack.run.runbooks import served
from stack.run.service import Layout

CLOCK_S = 2.0
"""How far a time in a message may lie outside the time in which the alert was active."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a rule writes into messages about one of its alerts."""

    labels: Mapping[str, str]
    """All of them, `alertname` too."""
    summary: str
    description: str
    runbook_url: str
    dashboard_uid: str = ""
    panel: str = ""


def expected(
    labels: Mapping[str, str], configuration: Configuration, layout: Layout | None = None
) -> Expected | None:
    """By the rule of the alert with these labels; None when there is none. With `layout`, its
    links are those of that instance.
    """
    found = [rule for rule in configuration.alerts if rule.name == labels["alertname"]]
    if not found:
        return None
    names = ("summary", "description", "runbook_url", "dashboard_uid", "panel")
    said = {name: text(found[0].annotation(name)) for name in names}
    if layout:
        said["runbook_url"] = served(said["runbook_url"], layout)
    return Expected(labels=labels, **said)


def trouble(
    message: Notification, wanted: Expected, *, since: float, siblings: bool = False
) -> str:
    """The first thing that a message about this alert does not say; "" when it says all.

    `since` is when the fault began, Unix seconds: the alert cannot have fired before. With
    `siblings`, other alerts of its rule were active, of which the message may speak as well.
    """
    try:
        seen = claims.received(message.channel, message.raw)
    except (ValueError, LookupError, AttributeError) as error:
        return f"it cannot be read: {type(error).__name__}: {error}"
    if seen is None:
        return ""
    if message.dead:
        return f"links: {message.dead[0]}"
    told = Told(
        state=message.kind,
        labels=wanted.labels,
        summary=wanted.summary,
        description=wanted.description,
        runbook_url=wanted.runbook_url,
        dashboard_uid=wanted.dashboard_uid,
        panel=wanted.panel,
    )
    for one in claims.complaints(seen, [told], others=siblings):
        return f"{one.field}: {one.said}"
    for body in seen.texts.values():
        written = _TIME.findall(body)
        wrong = [one for one in written if not _within(one, since, message.at)]
        # Siblings have times of their own.
        if wrong and (not siblings or wrong == written):
            return f"it gives {wrong[0]} UTC, when the alert was not active"
    return ""


def _within(written: str, since: float, until: float) -> bool:
    at = datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
    return since - CLOCK_S <= at <= until + CLOCK_S
