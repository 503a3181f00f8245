"""Walking through the parts of a query."""

from collections.abc import Iterator

from stack.logql.ast import (
    And,
    BinaryOperation,
    LabelReplace,
    LogQuery,
    Matcher,
    MetricQuery,
    Or,
    Query,
    RangeAggregation,
    Stage,
    VectorAggregation,
)

Node = Query | Stage


def nodes(query: MetricQuery) -> Iterator[MetricQuery]:
    """A metric query and all its parts, outermost first."""
    left: list[MetricQuery] = [query]
    while left:
        node = left.pop()
        yield node
        left += reversed(operands(node))


def operands(query: MetricQuery) -> tuple[MetricQuery, ...]:
    """The metric queries that a metric query is made of."""
    if isinstance(query, VectorAggregation | LabelReplace):
        return (query.of,)
    return (query.left, query.right) if isinstance(query, BinaryOperation) else ()


def depth(query: Query) -> int:
    """How many levels of parts within parts there are; a plain selector has 1."""
    deepest = 0
    left: list[tuple[Node, int]] = [(query, 1)]
    while left:
        node, level = left.pop()
        deepest = max(deepest, level)
        left += [(part, level + 1) for part in _parts(node)]
    return deepest


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case VectorAggregation() | LabelReplace():
            return (node.of,)
        case BinaryOperation() | And() | Or():
            return (node.left, node.right)
        case RangeAggregation():
            return (*node.query.stages, *(node.unwrap.filters if node.unwrap else ()))
        case LogQuery():
            return node.stages
    return ()


def selectors(query: Query) -> Iterator[tuple[Matcher, ...]]:
    """The matchers of each stream selector."""
    if isinstance(query, LogQuery):
        yield query.matchers
        return
    for node in nodes(query):
        if isinstance(node, RangeAggregation):
            yield node.query.matchers
