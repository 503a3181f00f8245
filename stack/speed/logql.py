"""LogQL at a speed: every range and offset divided, as `stack.speed.promql` does for PromQL.

Durations in label filters (`request_time > 1s`) are compared with what was measured, not with lab
time: they stay. So do plain numbers: nobody can tell whether they are seconds, and LogQL has no
`time()` to compute an age from.
"""

from dataclasses import replace
from fractions import Fraction

from stack.durations import checked, divided
from stack.errors import BadInput
from stack.logql.ast import (
    BinaryOperation,
    LabelReplace,
    LogQuery,
    MetricQuery,
    Query,
    RangeAggregation,
    VectorAggregation,
)
from stack.logql.errors import LogQLError
from stack.logql.parse import parse
from stack.logql.text import text_of
from stack.logql.walk import nodes


def scale_query(text: str, speed: float, *, floor_s: float = 0.0) -> str:
    """The query at `speed`; speed 1 keeps the text.

    No range falls below `floor_s` (how long a line may take from the program to the store, say)
    unless it was written shorter. Raises BadInput for text that is not LogQL.
    """
    exact = checked(speed)
    try:
        query = parse(text)
    except LogQLError as error:
        raise BadInput(f"`{text.strip()}`: {error}") from None
    return text if exact == 1 else text_of(scaled(query, exact, floor_ms=round(floor_s * 1000)))


def scaled(query: Query, speed: Fraction, *, floor_ms: int = 0) -> Query:
    """The same, for a parsed query."""
    return query if isinstance(query, LogQuery) else _scaled(query, speed, floor_ms)


def longest_range(text: str) -> float:
    """How far back a query looks, in seconds: range + offset. Raises BadInput."""
    try:
        query = parse(text)
    except LogQLError as error:
        raise BadInput(f"`{text.strip()}`: {error}") from None
    if isinstance(query, LogQuery):
        return 0.0
    ranges = [node for node in nodes(query) if isinstance(node, RangeAggregation)]
    return max((node.range_ns + node.offset_ns for node in ranges), default=0) / 1e9


def _scaled(query: MetricQuery, speed: Fraction, floor_ms: int) -> MetricQuery:
    match query:
        case RangeAggregation():
            range_ms = divided(query.range_ns // 1_000_000, speed, floor_ms=floor_ms)
            offset_ns = round(query.offset_ns / speed)
            return replace(query, range_ns=range_ms * 1_000_000, offset_ns=offset_ns)
        case VectorAggregation() | LabelReplace():
            return replace(query, of=_scaled(query.of, speed, floor_ms))
        case BinaryOperation():
            return replace(
                query,
                left=_scaled(query.left, speed, floor_ms),
                right=_scaled(query.right, speed, floor_ms),
            )
        case _:
            return query
