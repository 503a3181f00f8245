"""Alertmanager's matchers, routes and receivers, followed as Alertmanager would.

Upstream: dispatch/route.go, `Match`; pkg/labels/matcher.go.
"""

import re
from collections.abc import Iterator, Mapping

import yaml

from stack.check.yamlfile import ConfigFile, entries, get, text

_MATCHER = re.compile(
    r"""^\s*(?P<name>[\w:]+)\s*(?P<operator>=~|!~|!=|=)\s*"?(?P<value>.*?)"?\s*$"""
)
_HEARTBEAT = re.compile(r"/heartbeat/([^/?]+)$")

Destination = tuple[str, str]
"""Channel and destination, as the inbox calls them."""


def matches(node: yaml.Node | None, key: str, labels: Mapping[str, str]) -> bool:
    """Whether all matchers of the list below `key` match; an absent label is the empty string."""
    return all(_matches(text(one), labels) for one in entries(node, key))


def _matches(matcher: str, labels: Mapping[str, str]) -> bool:
    """One that cannot be read, which amtool reports, matches nothing."""
    found = _MATCHER.match(matcher)
    if not found:
        return False
    value, wanted = labels.get(found["name"], ""), found["value"]
    if found["operator"] in ("=", "!="):
        return (value == wanted) == (found["operator"] == "=")
    try:
        return bool(re.fullmatch(wanted, value)) == (found["operator"] == "=~")
    except re.error:
        return False


def leaves(route: yaml.Node | None, labels: Mapping[str, str]) -> Iterator[yaml.Node]:
    """The `receiver` of each route that takes an alert with these labels, in order."""
    yield from _leaves(route, labels, None)


def _leaves(
    route: yaml.Node | None, labels: Mapping[str, str], inherited: yaml.Node | None
) -> Iterator[yaml.Node]:
    receiver = get(route, "receiver") or inherited
    taken = False
    for child in entries(route, "routes"):
        if matches(child, "matchers", labels):
            taken = True
            yield from _leaves(child, labels, receiver)
            if text(get(child, "continue")) != "true":
                break
    if not taken and receiver:
        yield receiver


def reached(file: ConfigFile) -> dict[str, list[Destination]]:
    """Receiver → the destinations that it tells."""
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
