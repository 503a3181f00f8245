"""Hypothesis strategies for LogQL queries, made from their data."""

from itertools import pairwise

from hypothesis import strategies as st

from stack.logql import ast
from stack.logql.arithmetic import ARITHMETIC, COMPARISONS, SET_OPERATIONS
from stack.logql.meaning import GROUPED_RANGES, LINE_RANGES, UNWRAPPED_RANGES

names = st.sampled_from(["app", "level", "rate", "sum", "duration", "ip", "größe", "_x9"])
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(['"', "`", "\\", "# no comment", "a b", "{{.x}}", "[5m]", "\x00", "\x7f"]),
)
sizes = st.integers(0, 10**12)
lengths_ns = st.integers(1, 10**16)
offsets_ns = st.one_of(st.just(0), st.integers(-(10**13), 10**13))
numbers = st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: value + 0.0)
positive = st.floats(0, 1e12)

matchers = st.builds(
    ast.Matcher,
    name=names,
    op=st.sampled_from([ast.MatchOp.EQ, ast.MatchOp.NE]),
    value=texts,
)
# One that does not also match nothing, as a selector needs.
selector = st.lists(matchers, max_size=2).map(
    lambda more: (ast.Matcher(name="app", op=ast.MatchOp.EQ, value="x"), *more)
)


def _some(strategy: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[object]:
    return st.lists(strategy, min_size=1, max_size=most).map(tuple)


compares = st.sampled_from(ast.CompareOp)
simple_filters: st.SearchStrategy[ast.LabelFilter] = st.one_of(
    st.builds(ast.StringFilter, matcher=matchers),
    st.builds(ast.NumberFilter, name=names, op=compares, value=numbers),
    st.builds(ast.DurationFilter, name=names, op=compares, value_ns=st.integers(0, 10**16)),
    st.builds(ast.BytesFilter, name=names, op=compares, value_bytes=sizes),
    st.builds(
        ast.IpFilter,
        name=names,
        op=st.sampled_from([ast.CompareOp.EQ, ast.CompareOp.NE]),
        addresses=texts,
    ),
)
label_filters: st.SearchStrategy[ast.LabelFilter] = st.recursive(
    simple_filters,
    lambda inner: st.one_of(
        st.builds(ast.And, left=inner, right=inner), st.builds(ast.Or, left=inner, right=inner)
    ),
    max_leaves=4,
)
extractions = st.builds(ast.Extraction, name=names, path=texts)
labels = st.one_of(names, matchers)
stages: st.SearchStrategy[ast.Stage] = st.one_of(
    st.builds(
        ast.LineFilter,
        op=st.sampled_from(ast.FilterOp),
        needles=_some(st.builds(ast.Needle, text=texts, ip=st.booleans())),
    ),
    st.builds(ast.Json, extractions=st.lists(extractions, max_size=2).map(tuple)),
    st.builds(
        ast.Logfmt,
        strict=st.booleans(),
        keep_empty=st.booleans(),
        extractions=st.lists(extractions, max_size=2).map(tuple),
    ),
    st.builds(ast.Regexp, pattern=texts),
    st.builds(ast.Pattern, pattern=texts),
    st.just(ast.Unpack()),
    st.just(ast.Decolorize()),
    st.builds(ast.LineFormat, template=texts),
    st.builds(
        ast.LabelFormat,
        formats=_some(
            st.one_of(
                st.builds(ast.Rename, name=names, source=names),
                st.builds(ast.SetLabel, name=names, template=texts),
            )
        ),
    ),
    st.builds(ast.Drop, labels=_some(labels)),
    st.builds(ast.Keep, labels=_some(labels)),
    label_filters,
)


def _writable(stages: tuple[ast.Stage, ...]) -> bool:
    """What a text can say: after `| drop app`, a `!=` or `!~` is a matcher of `app`, no filter of
    lines."""
    return not any(
        isinstance(one, ast.Drop | ast.Keep)
        and isinstance(one.labels[-1], str)
        and isinstance(following, ast.LineFilter)
        and following.op in (ast.FilterOp.LACKS, ast.FilterOp.MATCHES_NOT)
        for one, following in pairwise(stages)
    )


log_queries = st.builds(
    ast.LogQuery,
    matchers=selector,
    stages=st.lists(stages, max_size=3).map(tuple).filter(_writable),
)
groupings = st.builds(
    ast.Grouping, without=st.booleans(), labels=st.lists(names, max_size=2).map(tuple)
)


@st.composite
def range_aggregations(draw: st.DrawFn) -> ast.RangeAggregation:
    unwrapped = draw(st.booleans())
    op = draw(st.sampled_from(sorted(UNWRAPPED_RANGES if unwrapped else LINE_RANGES)))
    unwrap = st.builds(
        ast.Unwrap,
        name=names,
        conversion=st.sampled_from(ast.Conversion),
        filters=st.lists(label_filters, max_size=2).map(tuple),
    )
    return ast.RangeAggregation(
        op=op,
        query=draw(log_queries),
        range_ns=draw(st.integers(1, 10**9)) * 1_000_000,
        offset_ns=draw(offsets_ns),
        unwrap=draw(unwrap) if unwrapped else None,
        param=draw(positive) if op == "quantile_over_time" else None,
        grouping=draw(st.one_of(st.none(), groupings)) if op in GROUPED_RANGES else None,
    )


@st.composite
def vector_aggregations(
    draw: st.DrawFn, of: st.SearchStrategy[ast.MetricQuery]
) -> ast.VectorAggregation:
    op = draw(st.sampled_from(["sum", "avg", "count", "topk", "bottomk", "sort", "stddev"]))
    return ast.VectorAggregation(
        op=op,
        of=draw(of),
        param=draw(st.integers(1, 99)) if op in ("topk", "bottomk") else None,
        grouping=None if op == "sort" else draw(st.one_of(st.none(), groupings)),
    )


@st.composite
def matchings(draw: st.DrawFn) -> ast.Matching:
    on, listed = draw(st.booleans()), tuple(draw(st.lists(names, max_size=2)))
    group = draw(st.sampled_from(["", "left", "right"]))
    include = tuple(draw(st.lists(names, max_size=2))) if group else ()
    return ast.Matching(on=on, labels=listed, group=group, include=include)


@st.composite
def binary_operations(
    draw: st.DrawFn, of: st.SearchStrategy[ast.MetricQuery]
) -> ast.BinaryOperation:
    op = draw(st.sampled_from([*ARITHMETIC, *COMPARISONS, *sorted(SET_OPERATIONS)]))
    left = draw(of)
    number = st.builds(ast.Literal, value=numbers)
    right = draw(of if op in SET_OPERATIONS else st.one_of(of, number))
    return ast.BinaryOperation(
        op=op, left=left, right=right, bool_=draw(st.booleans()), matching=draw(matchings())
    )


metric_queries: st.SearchStrategy[ast.MetricQuery] = st.recursive(
    st.one_of(range_aggregations(), st.builds(ast.VectorLiteral, value=positive)),
    lambda inner: st.one_of(
        vector_aggregations(inner),
        binary_operations(inner),
        st.builds(
            ast.LabelReplace,
            of=inner,
            target=texts,
            replacement=texts,
            source=texts,
            pattern=texts,
        ),
    ),
    max_leaves=3,
)
queries: st.SearchStrategy[ast.Query] = st.one_of(log_queries, metric_queries)
