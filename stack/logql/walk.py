"""Walking through the parts of a query."""

from collections.abc import Iterator

from stack.logql.ast import (
    BinaryOperation,
    LabelReplace,
    LogQuery,
    Matcher,
    MetricQuery,
    Query,
    RangeAggregation,
    VectorAggregation,
)


def nodes(query: MetricQuery) -> Iterator[MetricQuery]:
    """A metric query and all its parts, outermost first."""
    yield query
    if isinstance(query, VectorAggregation | LabelReplace):
        yield from nodes(query.of)
    elif isinstance(query, BinaryOperation):
        yield from nodes(query.left)
        yield from nodes(query.right)


def selectors(query: Query) -> Iterator[tuple[Matcher, ...]]:
    """The matchers of each stream selector."""
    if isinstance(query, LogQuery):
        yield query.matchers
        return
    for node in nodes(query):
        if isinstance(node, RangeAggregation):
            yield node.query.matchers
