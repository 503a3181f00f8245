"""Mutants of routes that mean the same: every alert goes the same ways as before.

Decided, not tried: a route can only choose by the labels that some matcher names, so all
combinations of the values that matter are walked through the tree, those of no matcher included.
"""

from collections.abc import Mapping
from itertools import islice, product

from stack.check import witness
from stack.check.configuration import Configuration
from stack.check.routes import DEFAULTS_S, Route
from stack.check.yamlfile import text
from stack.errors import BadInput

_MOST = 20_000
"""Combinations beyond which nothing is said."""

_OTHER = "unheard-of"

Way = tuple[object, ...]
"""A receiver, and how its alerts are grouped and when they are sent."""


def same(before: Configuration, after: Configuration) -> bool:
    """Whether every alert goes the same ways in both. False where a tree cannot be read, or has too
    many labels to say."""
    one, other = before.route, after.route
    if not one or not other or one.unreadable or other.unreadable:
        return False
    values: dict[str, set[str]] = {}
    for route in (*one.every(), *other.every()):
        for matcher in route.matchers.readable:
            known = values.setdefault(matcher.name, {"", _OTHER})
            known.update(witness.values(matcher))
    cases = list(islice(product(*values.values()), _MOST + 1))
    if len(cases) > _MOST:
        return False
    try:
        return all(
            _ways(one, labels) == _ways(other, labels)
            for labels in (dict(zip(values, case, strict=True)) for case in cases)
        )
    except BadInput:
        return False


def _ways(top: Route, labels: Mapping[str, str]) -> list[Way]:
    """In no order: all of them are gone at once, and an alert may go one of them twice."""
    found = [
        (text(route.receiver), route.group_by, *(route.seconds(key) for key in DEFAULTS_S))
        for route in top.leaves(labels)
    ]
    return sorted(found, key=repr)
