"""How near a rule's measured side came to its threshold, in words. Pure."""

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


def reached(graph: Graph, since: float, until: float) -> str:
    """`` `sum(x)` reached 3, wanted more than 20 ``, between two times in Unix seconds; empty
    when the rule is not a comparison with a number."""
    if graph.threshold is None or graph.comparison not in WORDS:
        return ""
    values = [value for line in graph.lines for at, value in line if since <= at <= until]
    what = " ".join(graph.query.split())
    wanted = f"wanted {WORDS[graph.comparison]} {graph.threshold:.4g}"
    if not values:
        return f"`{what}` had no value, {wanted}"
    if graph.comparison in ("<", "<="):
        return f"`{what}` fell to {min(values):.4g}, {wanted}"
    return f"`{what}` reached {max(values):.4g}, {wanted}"
