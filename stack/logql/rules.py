"""Rule files: Prometheus' groups of alerts with LogQL for expressions."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack import durations, yamltext
from stack.errors import BadInput
from stack.logql import LogQLError
from stack.logql.ast import LogQuery
from stack.logql.engine import check
from stack.logql.golang import float_text

_FILE_KEYS = {"groups"}
_GROUP_KEYS = {"name", "interval", "rules"}
_RULE_KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
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
        document = yamltext.read(path.read_text()) or {}
        known_keys(document, f"`{path}`")
        found = [read_group(path, group, default_interval_s) for group in document["groups"]]
        if double := repeated([group.name for group in found]):
            raise BadInput(f"`{path}`: group `{double}` is there twice.", cure="Rename one.")
        return found
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"`{path}` cannot be read: {error}") from None
    except (TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"`{path}` is not a file of rule groups: {error!r}.") from None


def known_keys(document: Mapping[str, Any], where: str) -> None:
    """Raise BadInput for a key beside `groups`: Loki would not load the file."""
    _known(document, _FILE_KEYS, where)


def repeated(names: Iterable[str]) -> str:
    """The first name that is there again; Loki refuses two groups of one name in a file."""
    counted = Counter(names)
    return next((name for name, count in counted.items() if count > 1), "")


def read_group(path: Path, group: Mapping[str, Any], default_interval_s: float) -> Group:
    """One group as parsed from YAML. Raises BadInput; KeyError for a name that is missing."""
    if not isinstance(group, Mapping):
        raise BadInput(f"`{path}`: a group is no mapping.", cure="Write `name` and `rules` in it.")
    where = f"`{path}`, group `{group['name']}`"
    _known(group, _GROUP_KEYS, where)
    interval = group.get("interval")
    # Of 0 Prometheus and Loki make their own interval.
    own_s = _seconds(interval, f"{where}: `interval`") if interval else 0
    return Group(
        file=path.name,
        name=str(group["name"]),
        interval_s=own_s or default_interval_s,
        rules=tuple(read_rule(rule, where) for rule in _listed(group.get("rules"), where)),
    )


def read_rule(rule: Mapping[str, Any], where: str) -> Rule:
    """The same of one rule; `where` is its group, for messages."""
    if "record" in rule:
        raise BadInput(
            f"{where}: rule `{rule['record']}` records, and the log store keeps no metrics.",
            cure="Write an alert, or record it in Prometheus.",
        )
    if not isinstance(rule["alert"], str) or not rule["alert"]:
        raise BadInput(f"{where}: an alert has no name.", cure="Write one below `alert`.")
    where = f"{where}, alert `{rule['alert']}`"
    _known(rule, _RULE_KEYS, where)
    expr = str(rule["expr"])
    try:
        if isinstance(check(expr), LogQuery):
            raise BadInput(f"{where}: `expr` gives lines, expected a number.",
                           cure="Count them: count_over_time(… [1m]) > 0.")  # fmt: skip
    except LogQLError as error:
        raise BadInput(f"{where}: `expr`: {error}") from None
    texts = {key: _texts(rule.get(key), f"{where}: `{key}`") for key in ("labels", "annotations")}
    for name, text in [*texts["labels"].items(), *texts["annotations"].items()]:
        _check_template(text, f"{where}: `{name}`")
    return Rule(
        name=str(rule["alert"]), expr=expr, labels=texts["labels"],
        annotations=texts["annotations"],
        for_s=_seconds(rule.get("for", 0), f"{where}: `for`"),
        keep_firing_s=_seconds(rule.get("keep_firing_for", 0), f"{where}: `keep_firing_for`"),
    )  # fmt: skip


def _listed(rules: object, where: str) -> list[Any]:
    if not isinstance(rules, list | None):
        raise BadInput(f"{where}: `rules` is not a list.")
    return rules or []


def _texts(found: object, where: str) -> dict[str, str]:
    """Names and texts; a value that is none of YAML's plain ones would not be loaded."""
    if not isinstance(found, Mapping | None):
        raise BadInput(f"{where} is not a mapping.", cure="Write `name: text` below it.")
    for name, text in (found or {}).items():
        if isinstance(text, list | Mapping):
            raise BadInput(f"{where}: `{name}` is no text.", cure="Write it in quotes.")
        if not _NAME.fullmatch(str(name)) or name == "__name__":
            raise BadInput(f"{where}: `{name}` is not a name that a label may have.",
                           cure="Write letters, digits and `_`.")  # fmt: skip
    return {str(name): "" if text is None else str(text) for name, text in (found or {}).items()}


def _known(mapping: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := [str(key) for key in mapping if key not in known]:
        raise BadInput(f"{where}: `{min(unknown)}` is not known.",
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
    _, braces, rest = _BRACES.sub("", text).partition("{{")
    if braces:
        raise BadInput(
            f"{where}: the template `{braces}{rest[:40]}` is not closed.",
            cure="Write {{ $labels.name }} or {{ $value }}.",
        )


def expanded(text: str, labels: Mapping[str, str], value: float) -> str:
    """A label or annotation of an alert; a missing label is empty, as in Go."""
    text = _LABEL.sub(lambda found: labels.get(found[1], ""), text)
    return _VALUE.sub(lambda _: float_text(value), text)
