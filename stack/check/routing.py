"""Alertmanager's routes, receivers and templates fit together."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from stack.check import receivers
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.routes import Route, inhibit_rules
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, scalars, text, truth

_USED = re.compile(r'\{\{-?\s*template\s+"([^"]+)"')
_DEFINED = re.compile(r'\{\{-?\s*(?:define|block)\s+"([^"]+)"')
_BUILT_IN = re.compile(r"^__|\.default\.")
"""Names of the templates that Alertmanager brings along."""


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    if file:
        yield from _unreadable(file, configuration.route)
        yield from _receivers(file, configuration.route)
        yield from receivers.check(file)
        yield from _resolved(file)
        yield from _templates(file, configuration.templates)


def _unreadable(file: ConfigFile, top: Route | None) -> Iterator[Problem]:
    """Neither taken for all alerts nor for none: what cannot be read is named."""
    found = top.unreadable if top else ()
    for what in (*found, *(one for rule in inhibit_rules(file.root) for one in rule.unreadable)):
        yield Problem(
            check="routes/unreadable", path=file.path, line=what.line, what=what.what,
            cure=what.cure,
        )  # fmt: skip


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


def _resolved(file: ConfigFile) -> Iterator[Problem]:
    """Without `send_resolved` a channel is never notified that an alert is over.

    A heartbeat monitor must not be: it would take that for a beat.
    """
    for receiver in entries(file.root, "receivers"):
        name = text(get(receiver, "name"))
        for kind, config in receivers.configs(receiver):
            node = get(config, "send_resolved")
            if receivers.is_heartbeat(config):
                # A webhook's default is to send it.
                if truth(node) is not False:
                    yield Problem(
                        check="routes/send-resolved",
                        path=file.path,
                        line=line(node or config),
                        what=f"receiver `{name}` sends resolved notifications to a heartbeat "
                        "monitor, which takes each for a beat.",
                        cure="Write `send_resolved: false`.",
                    )
            elif kind in receivers.HEARD and not truth(node):
                yield Problem(
                    check="routes/send-resolved",
                    path=file.path,
                    line=line(config),
                    what=f"receiver `{name}` does not send resolved notifications ({kind}).",
                    cure="Add `send_resolved: true`.",
                )


def _templates(file: ConfigFile, files: list[Path]) -> Iterator[Problem]:
    lines = [
        (path, number, content)
        for path in files
        for number, content in enumerate(path.read_text(errors="replace").splitlines(), 1)
    ]
    defined = {name: (path, number) for path, number, content in lines
               for name in _DEFINED.findall(content)}  # fmt: skip
    # A value that is merged into several receivers is one line of the file.
    values = {(line(node), str(node.value)) for node in scalars(file.root)}
    lines += [(file.path, number, value) for number, value in sorted(values)]
    used: dict[str, list[tuple[Path, int]]] = {}
    for path, number, content in lines:
        for name in _USED.findall(content):
            used.setdefault(name, []).append((path, number))
    idle = {name: place for name, place in defined.items() if name not in used}
    for name, places in used.items():
        if name not in defined and not _BUILT_IN.search(name):
            yield _undefined(name, places, defined, idle)


def _undefined(
    name: str, places: list[tuple[Path, int]], defined: Collection[str],
    idle: Mapping[str, tuple[Path, int]],
) -> Problem:  # fmt: skip
    """Told where it is used; where its definition, if that is what is misspelt and many use it."""
    (path, number), *others = places
    what = f"template `{name}` is not defined in alertmanager/templates/"
    cure = nearest(name, defined)
    if near := get_close_matches(name, idle, n=1):
        where, at = idle[near[0]]
        cure = f"Did you mean `{near[0]}`, which {where.name}:{at} defines?"
        if others:
            path, number = where, at
            cure = f"Did you mean it here, where `{near[0]}` is defined, which nobody uses?"
    many = f"; {len(places)} places use it" if others else ""
    return Problem(
        check="templates/undefined", path=path, line=number, what=f"{what}{many}.", cure=cure
    )
