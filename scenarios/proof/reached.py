"""How near a rule's measured side came to its threshold, in words. Pure."""

import operator
from collections.abc import Callable, Mapping, Sequence

from scenarios.proof.evidence import Graph

WORDS = {
    ">": "more than",
    ">=": "at least",
    "<": "less than",
    "<=": "at most",
    "==": "exactly",
    "!=": "anything but",
}
"""Comparison → how it is said."""

_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def reached(
    graph: Graph, since: float, until: float, *, unmet: Sequence[object] = (), halves: bool = False
) -> str:
    """`` `sum(x)` reached 3, wanted more than 20 ``, between two times in Unix seconds; empty
    when the rule is not a comparison with a number. `unmet` says the same of those conditions of
    the rule that were never true beside this one; `halves` is whether it has others at all."""
    others = " and ".join(map(str, unmet))
    if graph.threshold is None or graph.comparison not in WORDS:
        return others
    values = _values(graph, since, until)
    what = " ".join(graph.query.split())
    besides = f", and {others}" if others else ""
    limit = f"{WORDS[graph.comparison]} {graph.threshold:.4g}"
    if not values:
        return f"`{what}` had no value, wanted {limit}{besides}"
    below = graph.comparison in ("<", "<=")
    best = min(values) if below else max(values)
    verb = "fell to" if below else "reached"
    if any(_HOLDS[graph.comparison](value, graph.threshold) for value in values):
        lacks = others or f"not all that the rule asks for{' at the same time' if halves else ''}"
        return f"`{what}` {verb} {best:.4g}, which is {limit}, but {lacks}"
    return f"`{what}` {verb} {best:.4g}, wanted {limit}{besides}"


def relapsed(graph: Graph, since: float, until: float) -> str:
    """The same of a figure that was beyond its threshold and came back; empty when it did not."""
    if graph.threshold is None or graph.comparison not in WORDS:
        return ""
    values = _values(graph, since, until)
    back = [v for v in values if not _HOLDS[graph.comparison](v, graph.threshold)]
    if not back:
        return ""
    worst = max(back) if graph.comparison in ("<", "<=") else min(back)
    what = " ".join(graph.query.split())
    return f"`{what}` came back to {worst:.4g}, wanted {WORDS[graph.comparison]}" + (
        f" {graph.threshold:.4g} all the while"
    )


def _values(graph: Graph, since: float, until: float) -> list[float]:
    return [value for line in graph.lines for at, value in line if since <= at <= until]
