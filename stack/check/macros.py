"""Variables in dashboards: which a text uses, and the text with something in their place."""

import re
from collections.abc import Callable, Mapping

import yaml

from stack.check.yamlfile import entries, get, text

_USE = re.compile(
    r"\$(?P<plain>[A-Za-z_]\w*)"
    r"|\$\{(?P<brace>[A-Za-z_]\w*)(?:\.[^:}]+)?(?::[^}]+)?\}"
    r"|\[\[(?P<old>[A-Za-z_]\w*)(?::\w+)?\]\]"
)
"""`$name`, `${name}`, `${name:format}`, `${name.field}`, `[[name]]`; `$1` is a regular
expression's."""

IN_QUERIES: Mapping[str, str] = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__interval_ms": "15000",
    "__range": "1h",
    "__range_s": "3600",
    "__range_ms": "3600000",
    "__auto": "1m",
    "__from": "1767254400000",
    "__to": "1767258000000",
}
"""What Grafana puts into queries, and an example of it."""

ELSEWHERE = frozenset(
    {
        "__all",
        "__data",
        "__field",
        "__value",
        "__series",
        "__cell",
        "__url_time_range",
        "__all_variables",
        "__dashboard",
        "__org",
        "__user",
        "timeFilter",
        "__timeFilter",
        "__name",
    }
)
"""What else Grafana knows, in titles, legends and links."""


def used(words: str) -> list[str]:
    """Names of the variables in a text, in order."""
    return [match["plain"] or match["brace"] or match["old"] for match in _USE.finditer(words)]


def filled(words: str, value: Callable[[str], str | None]) -> str:
    """The text with each variable's value in its place; None leaves it as it is."""

    def one(match: re.Match[str]) -> str:
        found = value(match["plain"] or match["brace"] or match["old"])
        return match[0] if found is None else found

    return _USE.sub(one, words)


def examples(variables: list[yaml.Node]) -> dict[str, str]:
    """Each variable's name and a value with which its queries can be read: that of "All"."""
    found = dict(IN_QUERIES)
    for one in variables:
        name, kind = text(get(one, "name")), text(get(one, "type"))
        query = text(get(one, "query"))
        current = text(get(one, "current", "value"))
        current = current or "".join(text(each) for each in entries(one, "current", "value")[:1])
        if kind == "query":
            found[name] = text(get(one, "allValue")) or ".+"
        elif kind in ("interval", "custom"):
            found[name] = current if current and "$__" not in current else query.split(",")[0]
        else:
            found[name] = query or current
    return found
