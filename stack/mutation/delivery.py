"""Mutants of alertmanager.yml: routes, inhibit rules and receivers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stack.check.configuration import Configuration
from stack.check.routes import TIMING
from stack.check.yamlfile import entries, get, line, text
from stack.mutation import expressions, values
from stack.mutation.mutant import GONE, Keys, Mutant, below, changed, lines, written
from stack.mutation.values import Found, nth

FILE = Path("alertmanager/alertmanager.yml")

OF_ROUTES = ("route", "matcher", "continue", "order", "destination", "group_by", *TIMING)
"""Kinds that change the ways that alerts go, and nothing else."""


def mutants(configuration: Configuration) -> Iterator[Mutant]:
    """Of the routing tree, then of the inhibit rules, then of the receivers."""
    file = configuration.alertmanager
    if not file or not file.root:
        return
    document = file.plain
    names = configuration.receivers

    def made(found: Found, subject: str, node: yaml.Node) -> Mutant:
        keys, value, kind, what = found
        return Mutant(path=FILE, line=line(node), of=lines(node), kind=kind, subject=subject,
                      what=what, content=written(changed(document, keys, value)))  # fmt: skip

    top = get(file.root, "route")
    if top:
        for found, subject, node in _routes(document["route"], ("route",), top, names):
            yield made(found, subject, node)
    for at, node in enumerate(entries(file.root, "inhibit_rules")):
        keys: Keys = ("inhibit_rules", at)
        for found in _inhibits(below(document, keys), keys):
            yield made(found, f"{nth(at)} inhibit rule", node)
    for at, node in enumerate(entries(file.root, "receivers")):
        keys = ("receivers", at)
        name = text(get(node, "name"))
        for found in values.changes(below(document, keys), keys, keep=("name",)):
            yield made(_receiver(found), f"receiver `{name}`", node)
    for found in values.changes(document.get("global") or {}, ("global",)):
        yield made(found, "`global`", get(file.root, "global") or file.root)


def _receiver(found: Found) -> Found:
    keys, value, _, what = found
    return keys, value, "send_resolved" if keys[-1] == "send_resolved" else "receiver", what


def _routes(
    plain: dict[str, Any], keys: Keys, node: yaml.Node, receivers: list[str]
) -> Iterator[tuple[Found, str, yaml.Node]]:
    subject = f"route to `{plain.get('receiver', '')}`" if len(keys) > 1 else "the top route"
    for found in _route(plain, keys, receivers, top=len(keys) == 1):
        yield found, subject, node
    children = plain.get("routes") or []
    for at, new in values.ordered(children):
        one, other = (children[n].get("receiver", "") for n in (at, at + 1))
        what = f"with the routes to `{one}` and `{other}` in each other's places"
        yield ((*keys, "routes"), new, "order", what), subject, entries(node, "routes")[at]
    for at, child in enumerate(entries(node, "routes")):
        below_it = (*keys, "routes", at)
        subject = f"route to `{text(get(child, 'receiver'))}`"
        yield (below_it, GONE, "route", "left out"), subject, child
        yield from _routes(children[at], below_it, child, receivers)


def _route(
    plain: dict[str, Any], keys: Keys, receivers: list[str], *, top: bool
) -> Iterator[Found]:
    if name := plain.get("receiver"):
        others = [one for one in receivers if one != name]
        at = receivers.index(name) if name in receivers else 0
        for new in dict.fromkeys((others[at % len(others)], others[at - 1]) if others else ()):
            yield (*keys, "receiver"), new, "destination", f"leading to `{new}` instead"
    if not top:
        goes_on = bool(plain.get("continue"))
        yield ((*keys, "continue"), not goes_on, "continue",
               f"with `continue` {'left out' if goes_on else 'added'}")  # fmt: skip
        yield from _matchers(plain, keys, "matchers")
    for key in TIMING:
        if key in plain:
            yield (*keys, key), GONE, key, f"without `{key}`"
            for new, how in expressions.durations(str(plain[key])):
                yield (*keys, key), new, key, f"with `{key}: {plain[key]}` {how} to `{new}`"
    grouped = plain.get("group_by") or []
    for at, label in enumerate(grouped):
        yield (*keys, "group_by", at), GONE, "group_by", f"without `{label}` in `group_by`"
    if grouped and grouped != ["..."]:
        yield (*keys, "group_by"), ["..."], "group_by", "with a group for each alert"


def _inhibits(plain: dict[str, Any], keys: Keys) -> Iterator[Found]:
    yield keys, GONE, "inhibit rule", "left out"
    for key in ("source_matchers", "target_matchers"):
        for path, value, _, what in _matchers(plain, keys, key):
            yield path, value, "inhibit rule", what
    for at, label in enumerate(plain.get("equal") or []):
        yield (*keys, "equal", at), GONE, "equal", f"without `{label}` in `equal`"


def _matchers(plain: dict[str, Any], keys: Keys, key: str) -> Iterator[Found]:
    for at, written_one in enumerate(plain.get(key) or []):
        yield (*keys, key, at), GONE, "matcher", f"without `{written_one}`"
        for new, what in expressions.matchers(str(written_one)):
            yield (*keys, key, at), new, "matcher", what
