"""Alertmanager's matchers: which labels they match. The only place that reads them.

Upstream: pkg/labels/matcher.go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from stack.check.yamlfile import get, line, text
from stack.errors import BadInput

_MATCHER = re.compile(
    r"""^\s*(?P<name>[\w:]+)\s*(?P<operator>=~|!~|!=|=)\s*"?(?P<value>.*?)"?\s*$"""
)


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One label and what it must, or must not, be."""

    name: str
    operator: str
    """`=`, `!=`, `=~` or `!~`."""
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """A label that is not there is the empty string."""
        found = labels.get(self.name, "")
        same = re.fullmatch(self.value, found) if "~" in self.operator else found == self.value
        return bool(same) == (self.operator in ("=", "=~"))


@dataclass(frozen=True, kw_only=True)
class Matchers:
    """Those of a route, or of one side of an inhibit rule: all must match."""

    readable: tuple[Matcher, ...]
    unreadable: tuple[BadInput, ...] = ()
    """What is wrong with each of the others; amtool reports them as well."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Never, when one of them cannot be read."""
        return not self.unreadable and all(one.matches(labels) for one in self.readable)


def read(node: yaml.Node | None, key: str) -> Matchers:
    """The list of matchers below `key`, which may be missing."""
    found = get(node, key)
    written = found.value if isinstance(found, yaml.SequenceNode) else [found] if found else []
    readable, unreadable = [], []
    for one in written:
        try:
            readable.append(parse(text(one)))
        except BadInput as error:
            where = f"line {line(one)} of alertmanager.yml"
            unreadable.append(BadInput(f"{where}: {error.what}", cure=error.cure))
    return Matchers(readable=tuple(readable), unreadable=tuple(unreadable))


def parse(written: str) -> Matcher:
    """One matcher. Raises BadInput."""
    found = _MATCHER.match(written)
    if not found:
        raise BadInput(
            f"`{written}` is not a matcher.", cure='Write `label="value"`, with =, !=, =~ or !~.'
        )
    if "~" in found["operator"]:
        try:
            re.compile(found["value"])
        except re.error as error:
            raise BadInput(
                f"`{found['value']}` is not a valid regular expression: {error}."
            ) from None
    return Matcher(name=found["name"], operator=found["operator"], value=found["value"])
