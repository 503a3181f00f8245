"""Mutants of alerting rules: their expressions, durations, labels and annotations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stack.check.configuration import AlertRule, Configuration
from stack.check.yamlfile import ConfigFile, entries, get, line
from stack.mutation import expressions, values
from stack.mutation.mutant import GONE, LOADER, Keys, Mutant, below, changed, lines, written
from stack.mutation.values import Found

SEVERITIES = ("critical", "warning", "info")


def mutants(configuration: Configuration) -> Iterator[Mutant]:
    """Of every alert, in the order of files and lines."""
    for rule in configuration.alerts:
        file = configuration.files[rule.path]
        keys = _place(file, rule)
        for path, value, kind, what in _changes(below(file.plain, keys), rule):
            yield Mutant(
                path=rule.path.relative_to(configuration.root), line=_line(rule, path, value),
                of=lines(rule.node), kind=kind, subject=rule.name, what=what,
                alerts=frozenset({rule.name}),
                content=written(changed(file.plain, (*keys, *path), value)),
            )  # fmt: skip


def _place(file: ConfigFile, rule: AlertRule) -> Keys:
    for at, group in enumerate(entries(file.root, "groups")):
        for number, node in enumerate(entries(group, "rules")):
            if node is rule.node:
                return "groups", at, "rules", number
    raise AssertionError(f"`{rule.name}` is in none of its file's groups")


def _line(rule: AlertRule, path: Keys, value: object) -> int:
    node = rule.node
    for key in path:
        node = get(node, str(key)) or node
    if path != ("expr",) or not isinstance(value, str):
        return line(node)
    same = next((at for at, (a, b) in enumerate(zip(rule.expression, value, strict=False))
                 if a != b), 0)  # fmt: skip
    block = getattr(node, "style", None) in ("|", ">")
    return line(node) + rule.expression[:same].count("\n") + block


def _changes(plain: dict[str, Any], rule: AlertRule) -> Iterator[Found]:
    for one in expressions.changes(rule.expression, logs=rule.on_logs):
        yield ("expr",), one.applied(rule.expression), one.kind, one.what
    for key in ("for", "keep_firing_for"):
        if key in plain:
            yield (key,), GONE, key, f"without `{key}`"
            for new, how in expressions.durations(str(plain[key])):
                yield (key,), new, key, f"with `{key}: {plain[key]}` {how} to `{new}`"
    labels = plain.get("labels") or {}
    for name, value in labels.items():
        yield ("labels", name), GONE, name, f"without its `{name}`"
        if name == "severity":
            for new in (one for one in SEVERITIES if one != value):
                yield (("labels", name), new, name,
                       f"with severity `{value}` turned into `{new}`")  # fmt: skip
        else:
            yield ("labels", name), f"{value}x", name, f"with {name} `{value}` turned into another"
    for name, value in (plain.get("annotations") or {}).items():
        yield ("annotations", name), GONE, "annotation", f"without its `{name}`"
        for new, how in values.texts(str(value)):
            yield ("annotations", name), new, "annotation", f"with its `{name}` {how}"


def expression(mutant: Mutant) -> str:
    """That of the alert that it changes, as it is with the change."""
    for group in yaml.load(mutant.content, LOADER)["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") == mutant.subject:
                return str(rule["expr"])
    return ""


def is_rules(path: Path) -> bool:
    """Whether a file, by its path from the root, holds rules on metrics."""
    return path.parent == Path("prometheus/rules")
