"""LogQL at a speed: ranges and offsets divided, all else as it was."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.errors import BadInput
from stack.logql import parse
from stack.logql.ast import LogQuery, MetricQuery, Query, RangeAggregation
from stack.logql.text import text_of
from stack.logql.walk import nodes
from stack.speed.logql import longest_range, scale_query, scaled
from tests.logql.queries import log_queries, metric_queries

SCALED = {
    'count_over_time({a="b"}[5m])': 'count_over_time({a="b"} [5s])',
    'rate({a="b"}[1h] offset 10m)': 'rate({a="b"} [1m] offset 10s)',
    'rate({a="b"} | json | took > 1m [1m])': 'rate({a="b"} | json | took > 1m0s [1s])',
    'sum(rate({a="b"}[1m])) > 5': '(sum(rate({a="b"} [1s])) > 5)',
    'absent_over_time({a="b"}[1d] offset -1h)': 'absent_over_time({a="b"} [24m] offset -1m0s)',
}


@pytest.mark.parametrize("query", SCALED)
def test_ranges_and_offsets_are_divided_and_compared_durations_are_not(query: str) -> None:
    assert scale_query(query, 60) == SCALED[query]


def test_speed_1_keeps_the_text_as_it_was_written() -> None:
    query = ' rate( {a="b"}[5m] ) # five minutes'
    assert scale_query(query, 1) == query


def test_no_range_falls_under_the_floor_unless_it_was_written_so_short() -> None:
    query = 'rate({a="b"}[1m]) + rate({a="b"}[500ms]) + rate({a="b"}[10m])'
    ranges = [
        node.range_ns // 1_000_000
        for node in nodes(_metric(scale_query(query, 60, floor_s=2)))
        if isinstance(node, RangeAggregation)
    ]
    assert ranges == [2000, 500, 10_000]


def test_a_log_query_has_nothing_to_scale() -> None:
    query = '{a="b"} | json | request_time > 1s'
    assert parse(scale_query(query, 60)) == parse(query)


@pytest.mark.parametrize("text", ['{a="b"', "", 'rate({a="b"}[x])', "up > 1"])
def test_what_is_no_logql_is_bad_input_that_names_it(text: str) -> None:
    for refuse in (lambda: scale_query(text, 1), lambda: longest_range(text)):
        with pytest.raises(BadInput) as refusal:
            refuse()
        assert text.strip() in refusal.value.what
        assert "parse error" in refusal.value.what


@pytest.mark.parametrize("speed", [0.5, float("nan"), float("inf"), 0])
def test_a_speed_is_finite_and_at_least_1(speed: float) -> None:
    with pytest.raises(BadInput):
        scale_query('{a="b"}', speed)


@pytest.mark.parametrize(
    ("query", "wanted_s"),
    [
        ('{a="b"}', 0),
        ("1 + 2", 3 * 0),
        ('rate({a="b"}[5m])', 300),
        ('rate({a="b"}[5m] offset 1m) / rate({a="b"}[1h])', 3600),
    ],
)
def test_longest_range_is_the_farthest_look_back(query: str, wanted_s: float) -> None:
    assert longest_range(query) == wanted_s


@given(metric_queries, st.integers(2, 2000))
@settings(max_examples=60)
def test_only_ranges_and_offsets_differ_at_a_speed(query: MetricQuery, speed: int) -> None:
    fast = parse(text_of(scaled(query, Fraction(speed))))
    assert _without_lengths(fast) == _without_lengths(query)
    for before, after in zip(nodes(query), nodes(_metric(text_of(fast))), strict=True):
        if isinstance(before, RangeAggregation) and isinstance(after, RangeAggregation):
            assert after.range_ns == max(round(before.range_ns / 1e6 / speed), 1) * 1_000_000 or (
                abs(after.range_ns * speed - before.range_ns) <= speed * 1_000_000
            )
            assert abs(after.offset_ns * speed - before.offset_ns) <= speed


@given(log_queries)
@settings(max_examples=20)
def test_log_queries_stay(query: LogQuery) -> None:
    assert scaled(query, Fraction(60)) == query


def _metric(text: str) -> MetricQuery:
    query = parse(text)
    assert not isinstance(query, LogQuery)
    return query


def _without_lengths(query: Query) -> str:
    """The printed query with every range 1 s long and without offsets."""
    if isinstance(query, LogQuery):
        return text_of(query)
    return text_of(_flat(query))


def _flat(query: MetricQuery) -> MetricQuery:
    if isinstance(query, RangeAggregation):
        return replace(query, range_ns=10**9, offset_ns=0)
    inner = {
        field: _flat(getattr(query, field))
        for field in ("of", "left", "right")
        if hasattr(query, field)
    }
    return replace(query, **inner)
