"""Alertmanager's routes, receivers and templates fit together."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.routes import Route
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, scalars, text

_USED = re.compile(r'\{\{-?\s*template\s+"([^"]+)"')
_DEFINED = re.compile(r'\{\{-?\s*(?:define|block)\s+"([^"]+)"')
_BUILT_IN = re.compile(r"^__|\.default\.")
"""Names of the templates that Alertmanager brings along."""


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    if file:
        yield from _receivers(file, configuration.route)
        yield from _resolved(file)
        yield from _templates(file, configuration.templates)


def _receivers(file: ConfigFile, top: Route | None) -> Iterator[Problem]:
    defined = {
        text(get(receiver, "name")): receiver for receiver in entries(file.root, "receivers")
    }
    used: set[str] = set()
    for route in top.every() if top else ():
        receiver = get(route.node, "receiver")
        used.add(text(receiver))
        if receiver and text(receiver) not in defined:
            yield Problem(
                check="routes/receiver",
                path=file.path,
                line=line(receiver),
                what=f"a route leads to receiver `{text(receiver)}`, which is not defined.",
                cure=nearest(text(receiver), defined),
            )
    for name, node in defined.items():
        if name not in used:
            yield Problem(
                check="routes/receiver",
                path=file.path,
                line=line(node),
                what=f"no route leads to receiver `{name}`.",
                cure="Route something to it or delete it.",
            )


HEARTBEAT = "heartbeat"
"""The receiver that must not be notified of the end: it would take that for a beat."""


def _resolved(file: ConfigFile) -> Iterator[Problem]:
    """Without `send_resolved` a channel is never notified that an alert is over."""
    for receiver in entries(file.root, "receivers"):
        if text(get(receiver, "name")) == HEARTBEAT:
            continue
        for kind, configs in pairs(receiver):
            for config in configs.value if isinstance(configs, yaml.SequenceNode) else []:
                if text(get(config, "send_resolved")) != "true":
                    yield Problem(
                        check="routes/send-resolved",
                        path=file.path,
                        line=line(config),
                        what=f"receiver `{text(get(receiver, 'name'))}` does not send "
                        f"resolved notifications ({kind}).",
                        cure="Add `send_resolved: true`.",
                    )


def _templates(file: ConfigFile, files: list[Path]) -> Iterator[Problem]:
    lines = [
        (path, number, content)
        for path in files
        for number, content in enumerate(path.read_text().splitlines(), 1)
    ]
    defined = {name for _, _, content in lines for name in _DEFINED.findall(content)}
    # A value that is merged into several receivers is one line of the file.
    values = {(line(node), str(node.value)) for node in scalars(file.root)}
    lines += [(file.path, number, value) for number, value in sorted(values)]
    for path, number, content in lines:
        for name in _USED.findall(content):
            if name not in defined and not _BUILT_IN.search(name):
                yield Problem(
                    check="templates/undefined",
                    path=path,
                    line=number,
                    what=f"template `{name}` is not defined in alertmanager/templates/.",
                    cure=nearest(name, defined),
                )
