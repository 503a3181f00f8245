"""Refuses, in Loki's words, what is grammatical but means nothing."""

from typing import Any

from lark import Token

from stack.logql import arithmetic
from stack.logql.ast import (
    BinaryOperation,
    Grouping,
    Literal,
    LogQuery,
    Matcher,
    Matching,
    MetricQuery,
    Query,
    RangeAggregation,
    Unwrap,
    VectorAggregation,
)
from stack.logql.errors import LogQLError
from stack.logql.tokens import count_of, number_of, range_ns_of

WITH_PARAMETER = {"topk", "bottomk", "approx_topk"}
GROUPED_RANGES = {
    f"{name}_over_time"
    for name in ("avg", "stddev", "stdvar", "quantile", "max", "min", "first", "last")
}
UNWRAPPED_RANGES = GROUPED_RANGES | {
    "sum_over_time",
    "rate",
    "rate_counter",
    "absent_over_time",
}
LINE_RANGES = {
    "bytes_over_time",
    "bytes_rate",
    "count_over_time",
    "rate",
    "absent_over_time",
}


def window(
    matchers: tuple[Matcher, ...],
    stages: tuple[Any, ...],
    unwrap: Unwrap | None,
    length: Token,
    offset: int | None,
) -> RangeAggregation:
    """A range aggregation whose operation is not known yet."""
    return RangeAggregation(
        op="",
        query=LogQuery(matchers=matchers, stages=stages),
        range_ns=range_ns_of(length),
        offset_ns=offset or 0,
        unwrap=unwrap,
    )


def range_aggregation(
    op: str, param: Token | None, window: RangeAggregation, grouping: Grouping | None
) -> RangeAggregation:
    if param is not None and op != "quantile_over_time":
        raise LogQLError(f"parameter {param} not supported for operation {op}")
    if param is None and op == "quantile_over_time":
        raise LogQLError(f"parameter required for operation {op}")
    if grouping and op not in GROUPED_RANGES:
        raise LogQLError(f"grouping not allowed for {op} aggregation")
    if window.unwrap and op not in UNWRAPPED_RANGES:
        raise LogQLError(f"invalid aggregation {op} with unwrap")
    if not window.unwrap and op not in LINE_RANGES:
        raise LogQLError(f"invalid aggregation {op} without unwrap")
    return RangeAggregation(
        op=op,
        query=window.query,
        range_ns=window.range_ns,
        offset_ns=window.offset_ns,
        unwrap=window.unwrap,
        param=None if param is None else number_of(param),
        grouping=grouping,
    )


def vector_aggregation(
    op: str, grouping: Grouping | None, param: Token | None, of: Query
) -> VectorAggregation:
    inner = metric(of, op)
    if op in ("sort", "sort_desc") and grouping and grouping.labels:
        raise LogQLError("sort and sort_desc doesn't allow grouping by ")
    if op not in WITH_PARAMETER:
        if param is not None:
            raise LogQLError(f"unsupported parameter for operation {op}({param},")
        return VectorAggregation(op=op, of=inner, grouping=grouping)
    if param is None:
        raise LogQLError(f"parameter required for operation {op}")
    if not (param.isascii() and param.isdecimal()):
        raise LogQLError(f"invalid parameter {op}({param},")
    count = count_of(param)
    if count == 0:
        raise LogQLError(f"invalid parameter (must be greater than 0) {op}({param}")
    if op == "approx_topk" and grouping:
        raise LogQLError(f"grouping not allowed for {op} aggregation")
    return VectorAggregation(op=op, of=inner, param=count, grouping=grouping)


def metric(query: Query, op: str) -> MetricQuery:
    if isinstance(query, LogQuery):
        raise LogQLError(f"syntax error: a log query cannot be aggregated by {op}; give it a range")
    if isinstance(query, Literal):
        # Loki finds it as it runs: "unexpected expr type (*syntax.LiteralExpr)".
        raise LogQLError(f"a number is no series, which {op} needs; write vector(…) around it")
    return query


def binary(
    op: str, left: Query, right: Query, bool_: bool, matching: Matching
) -> BinaryOperation | Literal:
    for side, query in (("left", left), ("right", right)):
        if isinstance(query, LogQuery):
            kind = "*syntax.PipelineExpr" if query.stages else "*syntax.MatchersExpr"
            raise LogQLError(f"unexpected type for {side} leg of binary operation ({op}): {kind}")
        if op in arithmetic.SET_OPERATIONS and isinstance(query, Literal):
            raise LogQLError(
                f"unexpected literal for {side} leg of logical/set binary operation "
                f"({op}): {query.value:f}"
            )
    assert not isinstance(left, LogQuery)
    assert not isinstance(right, LogQuery)
    if isinstance(left, Literal) and isinstance(right, Literal):
        return Literal(value=float(arithmetic.of_numbers(op, left.value, right.value)))
    return BinaryOperation(op=op, left=left, right=right, bool_=bool_, matching=matching)
