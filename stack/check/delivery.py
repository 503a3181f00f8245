"""Alerts of every severity and team reach exactly whom `stack.config.audience` names.

The routing tree is followed; nothing is started.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

import yaml

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.routes import Route
from stack.check.yamlfile import ConfigFile, entries, get, line, text
from stack.config.audience import CHANNELS, TEAMS, destinations

UNKNOWN = "unheard-of"
SEVERITIES = (*CHANNELS, UNKNOWN, None)
HOMES = (*TEAMS, UNKNOWN, None)

Combination = tuple[str | None, str | None]

Destination = tuple[str, str]
"""Channel and destination, as the inbox calls them."""

_HEARTBEAT = re.compile(r"/heartbeat/([^/?]+)$")


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    if not file or not configuration.route:
        return
    yield from _combinations(file, configuration.route)
    yield from _unreached(file)


def _combinations(file: ConfigFile, top: Route) -> Iterator[Problem]:
    """Combinations that go wrong in the same way are one problem."""
    receivers = _reached(file)
    wrong: dict[tuple[str, str, int], list[Combination]] = defaultdict(list)
    for severity in SEVERITIES:
        for team in HOMES:
            labels = {"alertname": "Any", "severity": severity or "", "team": team or ""}
            nodes = [one.receiver for one in top.leaves(labels) if one.receiver]
            found = [(one, node) for node in nodes for one in receivers.get(text(node), [])]
            told = [one for one, _ in found]
            wanted = set(destinations(severity, team).items())
            for lost in sorted(wanted - set(told)):
                at = line(nodes[0]) if nodes else 1
                wrong["is not notified of", _said(lost), at].append((severity, team))
            for one, node in found:
                if one not in wanted:
                    wrong["is notified of", _said(one), line(node)].append((severity, team))
            for one in sorted({one for one in told if one in wanted and told.count(one) > 1}):
                at = line(next(node for other, node in reversed(found) if other == one))
                wrong["is notified twice of", _said(one), at].append((severity, team))
    for (verb, whom, number), combinations in wrong.items():
        yield Problem(
            check="routes/destinations",
            path=file.path,
            line=number,
            what=f"{whom} {verb} alerts of {_words(combinations)}.",
            cure="Fix the routes (order, matchers, `continue`), or change "
            "stack/config/audience.py if they are right.",
        )


def _unreached(file: ConfigFile) -> Iterator[Problem]:
    """A receiver with a destination that the audience does not name is proven by no scenario."""
    known = {
        one
        for severity in SEVERITIES
        for team in HOMES
        for one in destinations(severity, team).items()
    }
    receivers = _reached(file)
    for node in entries(file.root, "receivers"):
        for one in receivers[text(get(node, "name"))]:
            if one not in known:
                yield Problem(
                    check="routes/unproven",
                    path=file.path,
                    line=line(node),
                    what=f"no scenario reaches receiver `{text(get(node, 'name'))}`: "
                    f"`stack/config/audience.py` assigns {_said(one)} to no team.",
                    cure="Add its team or channel there; scenarios/routing/ proves what it says.",
                )


def _reached(file: ConfigFile) -> dict[str, list[Destination]]:
    """Receiver → the destinations that it notifies."""
    return {
        text(get(receiver, "name")): list(_destinations(receiver))
        for receiver in entries(file.root, "receivers")
    }


def _destinations(receiver: yaml.Node) -> Iterator[Destination]:
    for config in entries(receiver, "slack_configs"):
        yield "slack", text(get(config, "channel"))
    for config in entries(receiver, "email_configs"):
        yield "email", text(get(config, "to"))
    for _ in entries(receiver, "pagerduty_configs"):
        yield "pagerduty", text(get(receiver, "name"))
    for config in entries(receiver, "webhook_configs"):
        url = text(get(config, "url"))
        beat = _HEARTBEAT.search(url)
        yield ("heartbeat", beat[1]) if beat else ("webhook", url)


def _said(destination: Destination) -> str:
    channel, where = destination
    return f"{channel} `{where}`"


def _words(combinations: list[Combination]) -> str:
    """`severity `critical`, all teams`, or those teams."""
    by_severity: dict[str | None, list[str]] = defaultdict(list)
    for severity, team in combinations:
        by_severity[severity].append(f"`{team}`" if team else "none")
    return "; ".join(
        f"severity {f'`{severity}`' if severity else 'none'}, "
        + ("whatever the team" if len(teams) == len(HOMES) else f"team {', '.join(teams)}")
        for severity, teams in by_severity.items()
    )
