"""A configuration with one thing changed on purpose."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One file as it would be after one change."""

    path: Path
    """The file, from the configuration's root."""
    line: int
    """Where the change is, counted from 1."""
    kind: str
    """What sort of change: `threshold`, `matcher`, …"""
    subject: str
    """The alert, route, receiver, template, job or panel that it is made to."""
    what: str
    """The change in words, after the subject: "with `> 0.05` raised to `> 0.06`"."""
    content: str = field(repr=False)
    """The whole file with the change."""
    of: tuple[int, int] | None = None
    """First and last line of what it is made to; None where that is one line alone."""
    alerts: frozenset[str] = frozenset()
    """Alerts that it is about; empty where that is not known."""

    @property
    def name(self) -> str:
        """It, and nothing else."""
        return f"{self.path}:{self.line} {self.subject} {self.what}"


class _Gone:
    """In the place of a value: the key, or the entry of a list, is left out."""


GONE: Final = _Gone()

Keys = tuple[str | int, ...]

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quickest that there is."""


def lines(node: yaml.Node) -> tuple[int, int]:
    """The first and the last line of a node."""
    last = node.end_mark.line + (1 if node.end_mark.column else 0)
    return node.start_mark.line + 1, max(last, node.start_mark.line + 1)


def changed(document: Any, keys: Keys, value: object) -> Any:
    """The document with another value below the keys, or none if that is `GONE`."""
    if not keys:
        return value
    made, (first, *rest) = copy(document), keys
    if not rest and value is GONE:
        del made[first]
    else:
        made[first] = changed(made[first] if rest else None, tuple(rest), value)
    return made


def written(document: Mapping[str, Any]) -> str:
    """As YAML that every program reads as it reads the original."""
    return yaml.dump(document, Dumper=_Dumper, width=1 << 20, sort_keys=False, allow_unicode=True)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


def below(document: Any, keys: Sequence[str | int]) -> Any:
    """The value below the keys."""
    for key in keys:
        document = document[key]
    return document
