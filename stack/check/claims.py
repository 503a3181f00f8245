"""What a message must say, judged on its text as its reader sees it. Pure.

`doit check` judges what amtool renders (`stack.check.notifications`), a proof what arrived
(`scenarios.proof.messages`); both by these claims. A message may be worded and laid out as one
likes: what counts is what can be read in it.
"""

import colorsys
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cache
from urllib.parse import parse_qs, urlsplit

SLACK, EMAIL, PAGERDUTY = "slack", "email", "pagerduty"

SLACK_TEXT_LIMIT = 40_000
"""Characters after which Slack cuts a text (docs.slack.dev, chat.postMessage)."""
PAGERDUTY_LIMIT_BYTES = 512_000
"""Above that, Alertmanager drops all details (notify/pagerduty, `maxEventSize`)."""
PAGERDUTY_SUMMARY_LIMIT = 1024
EMAIL_LIMIT_BYTES = 102_400
"""What Gmail shows of a mail before it clips it."""

COLOURS: Mapping[str, str] = {"critical": "red", "warning": "amber"}
"""Severity → colour while it fires; any other severity is neither red nor green."""
SLACK_COLOURS = {"good": "green", "warning": "amber", "danger": "red"}
PAGERDUTY_SEVERITIES = ("critical", "error", "warning", "info")

READ = 20
"""Of a large group, the first alerts are read one by one."""

_RAW = ("{{", "}}", "<no value>")
"""Actions of a template that are shown instead of what they give, and what an action gives that
finds nothing (pkg.go.dev/text/template)."""

_STATE = re.compile(r"\b(firing|resolved)\b", re.IGNORECASE)
_HEADING = re.compile(r"\s*\[(FIRING|RESOLVED)(?::(\d+))?\]", re.IGNORECASE)
_MORE = re.compile(r"\b(\d[\d,]*) more\b")
_PAST = r"\b(?i:while|when|as long as) it fired\b\W{0,8}(?:[^\s:=]+ ){0,5}"
"""What stands before a description of the past; between them there may be a value that it begins
with, of five words at most (`1d 2h 3m 4s`)."""
_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
_SLACK_LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|([^>]*))?>")
_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.(\w+)")
_CONTROL = re.compile(r"(?:if|range|with|else|end|define|template|block)\b|\$\w+\s*:?=")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One alert that a message is about."""

    state: str
    """`firing` or `resolved`."""
    labels: Mapping[str, str]
    """All of them, `alertname` too."""
    summary: str
    description: str
    """Annotations as the rule writes them: what `{{ … }}` gives is known for labels only."""
    runbook_url: str
    dashboard_uid: str = ""
    """"": no panel shows it."""
    panel: str = ""
    """Id of the panel that shows it."""
    query: str = ""
    """The link to its expression; "": any that has a query."""
    started: str = ""
    ended: str = ""
    """UTC, `2006-01-02 15:04:05`; "" when it is not known."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message as its reader sees it."""

    channel: str
    headings: Mapping[str, str]
    """Field → its text."""
    texts: Mapping[str, str]
    links: tuple[str, ...] = ()
    colours: Mapping[str, str] = field(default_factory=dict)
    """Field → the colour as written."""
    severity: str | None = None
    """As PagerDuty is told it."""
    sizes: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    """Field → its size, the limit, and the unit."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One thing that a message does not say, or says wrongly."""

    field: str
    said: str


def complaints(seen: Seen, told: Sequence[Told], *, others: bool = False) -> list[Complaint]:
    """All that is wrong with a message about these alerts, which are of one rule.

    With `others` it may speak of more alerts of the rule, of which nothing is known: one that has
    ended stands beside one that fires, so that both states may be named.
    """
    if cut := list(_sizes(seen)):  # what else it says, nobody gets to see
        return cut
    if raw := list(_unrendered(seen, told, others=others)):  # what else is missing follows from it
        return raw
    found = [
        *_headings(seen, told, others=others),
        *_texts(seen, told, others=others),
        *_links(seen, told),
        *_colours(seen, told),
        *_severity(seen, told),
    ]
    return list(dict.fromkeys(found))


def state_of(told: Sequence[Told]) -> str:
    """A group fires as long as one of its alerts does."""
    return "firing" if any(one.state == "firing" for one in told) else "resolved"


def _unrendered(seen: Seen, told: Sequence[Told], *, others: bool) -> Iterator[Complaint]:
    """What is left of a template; a label's value may look like it."""
    values = [value for one in told for value in one.labels.values()]
    marks = [mark for mark in _RAW if not any(mark in value for value in values)]
    for where, words in {**seen.headings, **seen.texts}.items():
        found = [words.index(mark) for mark in marks if mark in words]
        if found and not others:
            at = max(0, min(found) - 20)
            yield Complaint(field=where, said=f"`{_short(words[at:])}` is a template that was not "
                            "rendered")  # fmt: skip


def _headings(seen: Seen, told: Sequence[Told], *, others: bool) -> Iterator[Complaint]:
    state, firing = state_of(told), sum(one.state == "firing" for one in told)
    for where, heading in seen.headings.items():
        found = _HEADING.match(heading)
        if not found or found[1].lower() != state:
            yield Complaint(field=where, said=f"`{_short(heading)}` does not begin with "
                            f"`[{state.upper()}`")  # fmt: skip
        elif found[2] and int(found[2]) != firing:
            yield Complaint(field=where, said=f"`{_short(heading)}` counts {found[2]} firing "
                            f"alerts, expected {firing}")  # fmt: skip
        name = told[0].labels["alertname"]
        if name not in heading:
            yield Complaint(field=where, said=f"`{_short(heading)}` does not name `{name}`")
        same = {(one.summary, _used(one.summary, one.labels)) for one in told}
        plain = _flat(heading), _flat(html.unescape(heading))
        anyones = pattern(_TEMPLATE.sub("{{ $value }}", told[0].summary), {})
        if others and any(map(anyones.search, plain)):
            continue  # that of another alert of the rule stands for the group
        if len(same) == 1 and not any(map(pattern(told[0].summary, told[0].labels).search, plain)):
            yield Complaint(field=where, said=f"`{_short(heading)}` does not give the summary")


def _texts(seen: Seen, told: Sequence[Told], *, others: bool) -> Iterator[Complaint]:
    for where, text in seen.texts.items():
        flat = _flat(text)
        shown = [one for one in told if _shows(flat, one)] if len(told) > 1 else list(told)
        if len(shown) < len(told):
            yield from _left_out(where, flat, len(told), len(shown))
        shown = shown[:READ]
        for one in shown or told[:1]:
            yield from _about(where, flat, one)
        for one in shown:
            alone = len({each.state for each in told}) == 1
            yield from _states(where, flat, one, alone=alone, others=others)
            yield from _then(where, flat, one, others=others)
        if seen.channel == EMAIL:
            for one in shown or told[:1]:
                yield from _times(where, flat, one)


def _shows(text: str, one: Told) -> bool:
    """Whether an alert is listed at all, by the label that tells it from the others."""
    value = one.labels.get("instance", "")
    return bool(re.search(rf"{re.escape(_flat(value))}(?![\w-])", text))


def _left_out(where: str, text: str, total: int, shown: int) -> Iterator[Complaint]:
    more = sum(int(number.replace(",", "")) for number in _MORE.findall(text))
    if shown == 0 or shown + more != total:
        yield Complaint(
            field=where,
            said=f"of {total} alerts it lists {shown} and says of {more} more that there are any",
        )


def _about(where: str, text: str, one: Told) -> Iterator[Complaint]:
    if not pattern(one.description, one.labels).search(text):
        yield Complaint(field=where, said="the description of the rule is not in it"
                        f"{_instead(text)}")  # fmt: skip
    for name, value in one.labels.items():
        if name == "alertname" or not value:
            continue
        if not re.search(rf"\b{re.escape(name)}\W{{0,4}}{re.escape(_flat(value))}", text):
            yield Complaint(field=where, said=f"label `{name}` is not shown as `{value}`"
                            f"{_instead(text)}")  # fmt: skip


def _states(where: str, text: str, one: Told, *, alone: bool, others: bool) -> Iterator[Complaint]:
    """The state nearest before a mention of the alert is its own."""
    value = _flat(one.labels.get("instance", ""))
    own = pattern(one.description, one.labels).sub(" ", text)
    words = [(found.start(), found[1].lower()) for found in _STATE.finditer(own)]
    if alone:
        given = {state for _, state in words}
    else:
        places = [found.start() for found in re.finditer(rf"{re.escape(value)}(?![\w-])", own)]
        before = [[state for at, state in words if at < place] for place in places]
        given = {states[-1] for states in before if states}
    if one.state not in given if others else given != {one.state}:
        said = " and ".join(sorted(given)) or "neither firing nor resolved"
        yield Complaint(field=where, said=f"an alert that is {one.state} is shown as {said}")


def _then(where: str, text: str, one: Told, *, others: bool) -> Iterator[Complaint]:
    """A description has the values of the last moment in which the alert fired: of one that is over
    it must not read as if they were today's. Others of its rule may read like it.
    """
    over = one.state == "resolved"
    found = pattern(one.description, one.labels)
    if (others and not over) or not found.search(text):
        return
    past = re.findall(_PAST + found.pattern, text)
    if not past if over else past and len(found.findall(text)) <= len(past):
        yield Complaint(
            field=where,
            said="the description of an alert that is over reads as if it were so now; write "
            "`While it fired: ` before it"
            if over
            else "the description of an alert that fires is told as the past",
        )


def _times(where: str, text: str, one: Told) -> Iterator[Complaint]:
    if not re.search(_TIME, text):
        yield Complaint(field=where, said="it gives no time in UTC")
    elif one.started and not re.search(rf"(?:since|fired|started)[^\d]{{0,8}}{one.started}", text):
        yield Complaint(field=where, said=f"it does not say that the alert fired at {one.started}")
    elif one.ended and not re.search(rf"(?i:resolved|ended)[^\d]{{0,8}}{one.ended}", text):
        yield Complaint(field=where, said=f"it does not say that it resolved at {one.ended}")


def _links(seen: Seen, told: Sequence[Told]) -> Iterator[Complaint]:
    if told[0].runbook_url not in seen.links:
        yield Complaint(field="runbook", said=f"it does not link `{told[0].runbook_url}`")
    for link in seen.links:
        if not _is_url(link):
            yield Complaint(field="links", said=f"the link `{_short(link)}` leads nowhere")
    if told[0].dashboard_uid:
        yield from _dashboard(seen, told[0])
    if seen.channel == PAGERDUTY:
        return
    wanted = [one.query for one in told if one.query]
    others = [link for link in seen.links if link != told[0].runbook_url and _is_url(link)]
    queries = [link for link in others if urlsplit(link).query and not shown(link)]
    if not (set(wanted) & set(seen.links) if wanted else queries):
        yield Complaint(field="query", said="it does not link the query of any alert")


def _dashboard(seen: Seen, one: Told) -> Iterator[Complaint]:
    wanted = one.dashboard_uid, one.panel
    links = [link for link in seen.links if _is_url(link) and shown(link) == wanted]
    if not links:
        yield Complaint(field="dashboard", said=f"it does not link panel {one.panel} of dashboard "
                        f"`{one.dashboard_uid}`")  # fmt: skip
    elif one.started and not any(_covers(link, one.started) for link in links):
        yield Complaint(field="dashboard", said=f"the dashboard that it links does not show "
                        f"{one.started}, when the alert fired")  # fmt: skip


def shown(link: str) -> tuple[str, str] | None:
    """Uid and panel of a link to a dashboard; None for one to something else."""
    parts = urlsplit(link)
    found = re.search(r"/d/([^/]+)", parts.path)
    panel = parse_qs(parts.query).get("viewPanel", [""])[0]
    return (found[1], panel.removeprefix("panel-")) if found else None


def _covers(link: str, started: str) -> bool:
    """Whether the time range of a link to a dashboard has this moment in it, and some before."""
    asked = parse_qs(urlsplit(link).query)
    since, until = asked.get("from", [""])[0], asked.get("to", [""])[0]
    at = datetime.fromisoformat(started).replace(tzinfo=UTC).timestamp() * 1000
    ends = until == "now" or (until.isdecimal() and float(until) > at)
    return since.isdecimal() and float(since) < at and ends


def _colours(seen: Seen, told: Sequence[Told]) -> Iterator[Complaint]:
    state, severity = state_of(told), told[0].labels.get("severity", "")
    wanted = "green" if state == "resolved" else COLOURS.get(severity, "")
    for where, written in seen.colours.items():
        found = hue(written)
        if (found != wanted) if wanted else (found in ("red", "green")):
            yield Complaint(
                field=where,
                said=f"the colour of {state} {severity or 'unknown'} alerts is `{written}` "
                f"({found or 'none'}), expected {wanted or 'neither red nor green'}",
            )


def hue(written: str) -> str:
    """`red`, `amber`, `green`, `other`; "" for what is no colour."""
    if written in SLACK_COLOURS:
        return SLACK_COLOURS[written]
    found = re.fullmatch(r"#?([0-9a-fA-F]{6})", written.strip())
    if not found:
        return ""
    red, green, blue = (int(found[1][at : at + 2], 16) / 255 for at in (0, 2, 4))
    degrees, _, saturation = colorsys.rgb_to_hsv(red, green, blue)
    degrees *= 360
    if saturation < 0.25:
        return "other"
    if degrees < 20 or degrees >= 340:
        return "red"
    return "amber" if degrees < 65 else "green" if 90 <= degrees < 170 else "other"


def _severity(seen: Seen, told: Sequence[Told]) -> Iterator[Complaint]:
    wanted = told[0].labels.get("severity", "")
    if seen.channel == PAGERDUTY and wanted in PAGERDUTY_SEVERITIES and seen.severity != wanted:
        yield Complaint(field="severity", said=f"PagerDuty is told severity `{seen.severity}` of "
                        f"alerts that are `{wanted}`")  # fmt: skip


def _sizes(seen: Seen) -> Iterator[Complaint]:
    for where, (size, limit, unit) in seen.sizes.items():
        if size > limit:
            yield Complaint(
                field=where, said=f"it has {size:,} {unit}, more than {limit:,} are cut or refused"
            )


ANYTHING = r"\S.{0,200}?"
"""A value that only Prometheus knows; lazy, so that as little as possible is taken for it."""


@cache
def _pattern(template: str, labels: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    known, parts, end = dict(labels), [], 0
    template = _flat(template)
    for found in _TEMPLATE.finditer(template):
        parts.append(re.escape(template[end : found.start()]))
        end = found.end()
        if _CONTROL.match(found[1]):  # what follows may be there or not
            return re.compile("".join(parts))
        label = _LABEL.fullmatch(found[1])
        value = known.get(label[1], "") if label else ""
        parts.append(re.escape(_flat(value)) if value else ANYTHING)
    parts.append(re.escape(template[end:]))
    while len(parts) > 1 and parts[0] in ("", ANYTHING):
        # It would take in what stands before.
        parts.pop(0)
    return re.compile(re.sub(r"^(\\? )+", "", "".join(parts)))


def pattern(template: str, labels: Mapping[str, str]) -> re.Pattern[str]:
    """What an annotation looks like once Prometheus has rendered it, white space made even."""
    return _pattern(template, tuple(sorted(labels.items())))


def pattern_text(template: str, labels: Mapping[str, str]) -> str:
    """An annotation as Prometheus might render it: the labels in place, 42 for any other value."""

    def value(found: re.Match[str]) -> str:
        if _CONTROL.match(found[1]):
            return ""
        label = _LABEL.fullmatch(found[1])
        return labels.get(label[1], "") if label else "42"

    return _TEMPLATE.sub(value, template)


def labels_in(template: str) -> list[str]:
    """The labels that an annotation names."""
    return [str(name) for name in _LABEL.findall(template)]


def _used(template: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Values of the labels that an annotation names."""
    return tuple(labels.get(name, "") for name in labels_in(template))


def slack(attachment: Mapping[str, str]) -> Seen:
    """A Slack attachment: its `title`, `title_link`, `text`, `fallback`, `color` and so on."""
    body = "\n".join(attachment.get(key, "") for key in ("pretext", "text", "footer"))
    links = [found[1] for found in _SLACK_LINK.finditer(body)]
    # Slack takes any other `<…>` for markup of its own and shows none of it.
    text = re.sub(r"<[^>]*>?", "", _SLACK_LINK.sub(lambda link: link[2] or link[1], body))
    return Seen(
        channel=SLACK,
        headings={key: attachment.get(key, "") for key in ("title", "fallback")},
        texts={"text": html.unescape(text)},
        links=tuple(
            html.unescape(link) for link in (attachment.get("title_link", ""), *links) if link
        ),
        colours={"color": attachment.get("color", "")},
        sizes={"text": (len(body), SLACK_TEXT_LIMIT, "characters")},
    )


def email(subject: str, text: str, page: str) -> Seen:
    """A mail: its subject and both of its bodies."""
    hidden = re.sub(r"(?is)<(style|script|head|title)\b.*?</\1>", " ", page)
    visible = html.unescape(re.sub(r"<[^>]*>", "\n", hidden))
    hrefs = [html.unescape(link) for link in re.findall(r"""href=["']?([^"'\s>]*)""", page)]
    plain = re.findall(r"https?://\S+", text)
    accent = re.search(r"solid\s+(#[0-9a-fA-F]{6})", page)
    return Seen(
        channel=EMAIL,
        headings={"Subject": subject},
        texts={"text": text, "html": visible},
        # Somebody reads one of the two: a link must be in both.
        links=tuple(link for link in hrefs if link in plain or not _is_url(link)),
        colours={"html": accent[1] if accent else ""},
        sizes={key: (len(body.encode()), EMAIL_LIMIT_BYTES, "bytes")
               for key, body in (("text", text), ("html", page))},
    )  # fmt: skip


def pagerduty(event: Mapping[str, object]) -> Seen:
    """An event of PagerDuty's API: `payload`, `links`, `client_url`."""
    payload, links = event.get("payload"), event.get("links")
    payload = payload if isinstance(payload, dict) else {}
    details = payload.get("custom_details")
    details = details if isinstance(details, dict) else {}
    # What is said of firing and resolved alerts comes last: the state stands before each list.
    rows = sorted(details.items(), key=lambda row: row[0].lower() in ("firing", "resolved"))
    found = (
        [one.get("href") for one in links if isinstance(one, dict)]
        if isinstance(links, list)
        else []
    )
    summary = str(payload.get("summary", ""))
    return Seen(
        channel=PAGERDUTY,
        headings={"description": summary},
        texts={"details": "\n".join(f"{key}: {value}" for key, value in rows if value)},
        links=tuple(str(link) for link in (*found, event.get("client_url")) if link is not None),
        severity=str(payload.get("severity", "")),
        sizes={
            "description": (len(summary), PAGERDUTY_SUMMARY_LIMIT, "characters"),
            "details": (len(json.dumps(event).encode()), PAGERDUTY_LIMIT_BYTES, "bytes"),
        },
    )


def received(channel: str, raw: str) -> Seen | None:
    """What came over the wire; None on a channel that has no templates, or beyond reading."""
    if channel == EMAIL:
        mail = message_from_bytes(raw.encode("utf-8", "surrogateescape"), policy=policy.default)
        plain, page = mail.get_body(["plain"]), mail.get_body(["html"])
        return email(
            " ".join(str(mail.get("Subject", "")).split()),
            str(plain.get_content()) if plain else "",
            str(page.get_content()) if page else "",
        )
    if channel not in (SLACK, PAGERDUTY):
        return None
    document = json.loads(raw)
    if channel == PAGERDUTY:
        return pagerduty(document)
    attachments = document.get("attachments") or [{}]
    return slack({key: str(value) for key, value in attachments[0].items()})


def _is_url(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    text = _flat(text)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _instead(text: str) -> str:
    return f": `{_short(text)}`" if text else ": it is empty"
