"""Rule files: Prometheus' groups of alerts with LogQL for expressions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack import durations
from stack.errors import BadInput
from stack.logql import LogQLError
from stack.logql.ast import LogQuery
from stack.logql.engine import check
from stack.logql.golang import float_text

_GROUP_KEYS = {"name", "interval", "rules"}
_RULE_KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_BRACES = re.compile(r"\{\{.*?\}\}", re.S)
_LABEL = re.compile(r"\{\{-?\s*\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*-?\}\}")
_VALUE = re.compile(r"\{\{-?\s*\$value\s*-?\}\}")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert."""

    name: str
    expr: str
    for_s: float
    keep_firing_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated together."""

    file: str
    name: str
    interval_s: float
    rules: tuple[Rule, ...]


def load(folder: Path, default_interval_s: float) -> list[Group]:
    """The groups of all files, in the order of their names; none if there is no folder.

    Raises one BadInput that names file and rule.
    """
    groups: list[Group] = []
    for path in sorted(folder.glob("*.y*ml")):
        groups += _file(path, default_interval_s)
    return groups


def _file(path: Path, default_interval_s: float) -> list[Group]:
    try:
        document = yaml.safe_load(path.read_text()) or {}
        groups = document["groups"]
        return [read_group(path, group, default_interval_s) for group in groups]
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"`{path}` cannot be read: {error}") from None
    except (TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"`{path}` is not a file of rule groups: {error!r}.") from None


def read_group(path: Path, group: Mapping[str, Any], default_interval_s: float) -> Group:
    """One group as parsed from YAML. Raises BadInput; KeyError for a name that is missing."""
    where = f"`{path}`, group `{group['name']}`"
    _known(group, _GROUP_KEYS, where)
    interval = group.get("interval")
    return Group(
        file=path.name,
        name=str(group["name"]),
        interval_s=_seconds(interval, f"{where}: `interval`") if interval else default_interval_s,
        rules=tuple(read_rule(rule, where) for rule in group.get("rules") or ()),
    )


def read_rule(rule: Mapping[str, Any], where: str) -> Rule:
    """The same of one rule; `where` is its group, for messages."""
    if "record" in rule:
        raise BadInput(
            f"{where}: rule `{rule['record']}` records, and the log store keeps no metrics.",
            cure="Write an alert, or record it in Prometheus.",
        )
    where = f"{where}, alert `{rule['alert']}`"
    _known(rule, _RULE_KEYS, where)
    expr = str(rule["expr"])
    try:
        if isinstance(check(expr), LogQuery):
            raise BadInput(f"{where}: `expr` gives lines, expected a number.",
                           cure="Count them: count_over_time(… [1m]) > 0.")  # fmt: skip
    except LogQLError as error:
        raise BadInput(f"{where}: `expr`: {error}") from None
    texts = {key: {str(name): str(text) for name, text in (rule.get(key) or {}).items()}
             for key in ("labels", "annotations")}  # fmt: skip
    for name, text in [*texts["labels"].items(), *texts["annotations"].items()]:
        _check_template(text, f"{where}: `{name}`")
    return Rule(
        name=str(rule["alert"]), expr=expr, labels=texts["labels"],
        annotations=texts["annotations"],
        for_s=_seconds(rule.get("for", 0), f"{where}: `for`"),
        keep_firing_s=_seconds(rule.get("keep_firing_for", 0), f"{where}: `keep_firing_for`"),
    )  # fmt: skip


def _known(mapping: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(mapping.keys() - known):
        raise BadInput(f"{where}: `{unknown[0]}` is not known.",
                       cure=f"Known are {', '.join(sorted(known))}.")  # fmt: skip


def _seconds(value: object, where: str) -> float:
    try:
        return durations.seconds(str(value))
    except BadInput as error:
        raise BadInput(f"{where}: {error.what}", cure=error.cure) from None


def _check_template(text: str, where: str) -> None:
    for found in _BRACES.findall(text):
        if not (_LABEL.fullmatch(found) or _VALUE.fullmatch(found)):
            raise BadInput(
                f"{where}: the template `{found}` is not supported by the embedded store.",
                cure="Write {{ $labels.name }} or {{ $value }}.",
            )


def expanded(text: str, labels: Mapping[str, str], value: float) -> str:
    """A label or annotation of an alert; a missing label is empty, as in Go."""
    text = _LABEL.sub(lambda found: labels.get(found[1], ""), text)
    return _VALUE.sub(lambda _: float_text(value), text)
