"""Each alert by itself: labels that route it, annotations that explain it, a runbook."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from stack.check import witness
from stack.check.configuration import AlertRule, Configuration
from stack.check.names import runbook_path, runbook_url
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import get, line, pairs, text
from stack.config.audience import HOME, TEAMS

SEVERITIES = ("critical", "warning", "info", "none")
ROUTED = ("severity", "team")
ANNOTATIONS = ("summary", "description", "runbook_url")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE = re.compile(r"\{\{[^}]*(?:\$value|\.Value)\b")


def check(configuration: Configuration) -> Iterator[Problem]:
    known_teams = None if "alertmanager" in configuration.gaps else teams(configuration)
    first: dict[str, AlertRule] = {}
    for alert in configuration.alerts:
        yield from _name(alert)
        yield from _duplicate(alert, first.setdefault(alert.name, alert))
        yield from _labels(alert, known_teams)
        yield from _annotations(alert)
        yield from _runbook(alert, configuration)
    pages = () if "rules" in configuration.gaps else (configuration.root / "runbooks").glob("*.md")
    for page in sorted(pages):
        if page.stem not in first and page.stem != "README":
            yield Problem(
                check="alerts/runbook",
                path=page,
                what=f"no rule has the name `{page.stem}`.",
                cure=f"Rename the runbook or delete it. {nearest(page.stem, first)}",
            )


def teams(configuration: Configuration) -> set[str]:
    """The teams that a route of Alertmanager names; all else is the platform team's."""
    named = {
        team
        for route in (configuration.route.every() if configuration.route else ())
        for matcher in route.matchers.readable
        if matcher.name == "team" and matcher.operator in ("=", "=~")
        for team in witness.values(matcher, frozenset(TEAMS))
        if team
    }
    return {HOME} | named


def _name(alert: AlertRule) -> Iterator[Problem]:
    if alert.name and not _NAME.fullmatch(alert.name):
        yield Problem(
            check="alerts/name",
            path=alert.path,
            line=line(get(alert.node, "alert") or alert.node),
            what=f"`{alert.name}` cannot be the name of an alert: its scenario, runbook and links "
            "are named after it.",
            cure="Write letters and digits alone, such as `DiskSpaceLow`.",
        )


def _duplicate(alert: AlertRule, first: AlertRule) -> Iterator[Problem]:
    if alert is not first:
        yield Problem(
            check="alerts/duplicate",
            path=alert.path,
            line=alert.line,
            what=f"`{alert.name}` is defined twice, first in {first.path.name}:{first.line}.",
            cure="Give one of the two another name.",
        )


def _labels(alert: AlertRule, known_teams: set[str] | None) -> Iterator[Problem]:
    severity = alert.label("severity")
    if text(severity) not in SEVERITIES:
        found = f"has severity `{text(severity)}`" if severity else "has no severity"
        yield Problem(
            check="alerts/severity",
            path=alert.path,
            line=line(severity or alert.node),
            what=f"`{alert.name}` {found}, which decides the channels.",
            cure=f"Write a label `severity`. {nearest(text(severity), SEVERITIES)}",
        )
    for name, value in pairs(get(alert.node, "labels")):
        meant = get_close_matches(name.lower(), ROUTED, n=1, cutoff=0.7)
        if meant and name not in ROUTED and not alert.label(meant[0]):
            yield Problem(
                check="alerts/label",
                path=alert.path,
                line=line(value),
                what=f"`{alert.name}` has a label `{name}`, which no route reads.",
                cure=f"Did you mean `{meant[0]}`?",
            )
    team = alert.label("team")
    if team and known_teams is not None and text(team) not in known_teams:
        yield Problem(
            check="alerts/team",
            path=alert.path,
            line=line(team),
            what=f"`{alert.name}` is for team `{text(team)}`, which no route of alertmanager.yml "
            "names.",
            cure=nearest(text(team), known_teams),
        )


def _annotations(alert: AlertRule) -> Iterator[Problem]:
    for name in ANNOTATIONS:
        if not text(alert.annotation(name)).strip():
            yield Problem(
                check="alerts/annotation",
                path=alert.path,
                line=alert.line,
                what=f"`{alert.name}` has no annotation `{name}`, which every message shows.",
                cure=f"Add `{name}` below `annotations`"
                + (f": {runbook_url(alert.name)}" if name == "runbook_url" else "."),
            )

    summary = alert.annotation("summary")
    if _VALUE.search(text(summary)):
        yield Problem(
            check="alerts/summary",
            path=alert.path,
            line=line(summary or alert.node),
            what=f"`{alert.name}` gives its value in the summary, the title of its messages: in "
            "that of the resolved one, an old value reads as if it were today's.",
            cure="Give the value in the description, which says then that it is of the past.",
        )


def _runbook(alert: AlertRule, configuration: Configuration) -> Iterator[Problem]:
    node = alert.annotation("runbook_url")
    if not node:
        return
    if text(node) != runbook_url(alert.name):
        yield Problem(
            check="alerts/runbook",
            path=alert.path,
            line=line(node),
            what=f"`{alert.name}` links `{text(node)}`, which is not its runbook.",
            cure=f"Write {runbook_url(alert.name)}",
        )
    page = runbook_path(alert.name, configuration.root)
    if not page.is_file() or not page.read_bytes().strip():
        yield Problem(
            check="alerts/runbook",
            path=alert.path,
            line=line(node),
            what=f"`{alert.name}` has no runbook: `runbooks/{page.name}` is missing or empty.",
            cure="Write it: what the alert means, first checks, how to mitigate.",
        )
