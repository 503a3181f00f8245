"""Prometheus' relabelling, for labels of which some values are not known.

Upstream: model/relabel/relabel.go.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import re2  # type: ignore[import-untyped]  # google-re2 has no types
import yaml

from stack.check.yamlfile import entries, get, line, text

Labels = Mapping[str, str | None]
"""Label → value; None where it is there but nobody knows its value."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What relabelling leaves of some labels."""

    labels: Labels | None
    """None: the target, sample or alert is dropped."""
    by: int | None = None
    """Line of the rule that drops it."""


def relabelled(labels: Labels, rules: list[yaml.Node]) -> Outcome:
    """Apply `rules`; a decision that hangs on an unknown value is taken to be harmless."""
    current = dict(labels)
    for rule in rules:
        if not _apply(current, rule):
            return Outcome(labels=None, by=line(rule))
    return Outcome(labels={name: value for name, value in current.items() if value != ""})


def _apply(labels: dict[str, str | None], rule: yaml.Node) -> bool:
    """Change the labels as one rule says; False if it drops them."""
    action = (text(get(rule, "action")) or "replace").lower()
    regex = text(get(rule, "regex")) if get(rule, "regex") else "(.*)"
    target = text(get(rule, "target_label"))
    sources = [labels.get(text(one), "") for one in entries(rule, "source_labels")]
    separator = text(get(rule, "separator")) if get(rule, "separator") else ";"
    value = None if None in sources else separator.join(one or "" for one in sources)
    try:
        pattern = re2.compile(f"^(?s:{regex})$")
    except re2.error:
        return True  # promtool's business
    match action:
        case "drop" | "keep":
            return value is None or bool(pattern.match(value)) == (action == "keep")
        case "dropequal" | "keepequal":
            other = labels.get(target, "")
            unknown = value is None or other is None
            return unknown or (value == other) == (action == "keepequal")
        case "labeldrop" | "labelkeep":
            for name in list(labels):
                if bool(pattern.match(name)) == (action == "labeldrop"):
                    del labels[name]
        case "labelmap":
            for name, known in list(labels.items()):
                if found := pattern.match(name):
                    labels[_expanded(_replacement(rule), found)] = known
        case "lowercase" | "uppercase":
            changed = value and (value.lower() if action == "lowercase" else value.upper())
            labels[target] = changed
        case "hashmod":
            modulus = text(get(rule, "modulus"))
            if value is not None and modulus.isdigit() and int(modulus):
                digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
                labels[target] = str(int.from_bytes(digest[8:]) % int(modulus))
            else:
                labels[target] = None
        case "replace" if value is None:
            if target:
                labels[target] = None
        case "replace" if found := pattern.match(value or ""):
            labels[_expanded(target, found)] = _expanded(_replacement(rule), found)
    return True


def _replacement(rule: yaml.Node) -> str:
    node = get(rule, "replacement")
    return text(node) if node else "$1"


def _expanded(template: str, match: re.Match[str]) -> str:
    """Go's `$1`, `${1}` and `${name}`."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        try:
            return match.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", group, template)
