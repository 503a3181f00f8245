"""What rules on logs read and measure, from their LogQL."""

from stack.errors import BadInput
from stack.logql import LogQLError, parse
from stack.logql.ast import BinaryOperation, Literal, LogQuery, MetricQuery
from stack.logql.text import text_of
from stack.logql.walk import selectors

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def streams(expression: str) -> list[str]:
    """The selectors that a rule reads, whatever the level: a healthy service writes no errors, but
    must be known to write."""
    try:
        found = list(selectors(parse(expression)))
    except LogQLError as error:
        raise BadInput(f"`{expression.strip()}`: {error}") from None
    every = [tuple(one for one in matchers if one.name != "level") for matchers in found]
    return list(dict.fromkeys(text_of(LogQuery(matchers=matchers)) for matchers in every))


def measured(expression: str) -> tuple[str, float | None]:
    """As `graphs.measured`: the measured side of the comparison, and its threshold."""
    query, _, threshold = compared(expression)
    return query, threshold


def compared(expression: str) -> tuple[str, str, float | None]:
    """As `graphs.compared`: with the comparison between the two."""
    try:
        query = parse(expression)
    except LogQLError:
        return expression, "", None
    if isinstance(query, LogQuery):
        return expression, "", None
    first = _first(query)
    if isinstance(first, BinaryOperation) and first.op in COMPARISONS:
        # The bare side: what is compared need not be true to be drawn.
        if isinstance(first.right, Literal):
            return text_of(first.left), first.op, first.right.value
        return text_of(first.left), "", None
    return text_of(first), "", None


def _first(query: MetricQuery) -> MetricQuery:
    """The leftmost operand of `or`, `and` and `unless`."""
    while isinstance(query, BinaryOperation) and query.op in ("or", "and", "unless"):
        query = query.left
    return query
