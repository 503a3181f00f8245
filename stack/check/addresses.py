"""Every service that the configuration addresses is one that the lab runs, at its default port."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import SplitResult, urlsplit

import yaml

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, line, pairs, scalars, text

_ADDRESS = re.compile(r"^(?:https?://)?(?P<address>[A-Za-z0-9_.-]+:\d+)(?:/.*)?$")

_ADDRESSING = ("pagerduty_url", "slack_api_url", "smtp_smarthost", "smarthost", "api_url", "url",
               "alertmanager_url", "external_url")  # fmt: skip
"""Keys of alertmanager.yml, loki-config.yml and promtail-config.yml whose value is an address."""


def check(configuration: Configuration, addresses: Collection[str]) -> Iterator[Problem]:
    """`addresses` are those that the lab has, as `service:default port`."""
    for file in (
        configuration.prometheus,
        configuration.alertmanager,
        configuration.loki,
        configuration.promtail,
        configuration.datasources,
    ):
        if file is None:
            continue
        for node in _addressed(file.root):
            match = _ADDRESS.match(text(node))
            if not match or match["address"] in addresses or _outside(match["address"]):
                continue
            yield Problem(
                check="services/unknown",
                path=file.path,
                line=line(node),
                what=f"`{match['address']}` is not a service of the lab.",
                cure=nearest(match["address"], addresses),
            )
    yield from _asked(configuration)


def _asked(configuration: Configuration) -> Iterator[Problem]:
    """Whoever follows a link of an alert on logs is shown them if Grafana knows where to ask."""
    loki, sources = configuration.loki, configuration.datasources
    if loki is None or sources is None:
        return
    asked = get(loki.root, "ruler", "datasource_uid")
    known = [text(get(one, "uid")) for one in entries(sources.root, "datasources")]
    if asked is not None and text(asked) not in known:
        yield Problem(
            check="dashboards/datasource",
            path=loki.path,
            line=line(asked),
            what=f"no data source has uid `{text(asked)}` (datasources.yml).",
            cure=nearest(text(asked), known),
        )


def split(url: str) -> SplitResult:
    """The parts of an address; of what is none all are empty."""
    try:
        found = urlsplit(url)
        _ = found.port  # raises, too
    except ValueError:
        return SplitResult("", "", "", "", "")
    return found


def _outside(address: str) -> bool:
    """A host with a domain is not the lab's."""
    return "." in address.split(":")[0]


def _addressed(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Scrape and Alertmanager targets, and the values of keys that hold an address."""
    for node in _mappings(root):
        for key, value in pairs(node):
            if key == "targets":
                yield from scalars(value)
            elif key in _ADDRESSING:
                yield value


def _mappings(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _mappings(entry)
