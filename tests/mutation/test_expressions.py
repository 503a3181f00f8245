"""What is changed in an expression: one thing, and everything that can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.check.configuration import load
from stack.mutation.expressions import alternatives, changes, durations, matchers, numbers
from stack.paths import CONFIG_ROOT
from stack.speed import tree

RULES = load(CONFIG_ROOT).alerts


def news(expression: str, kind: str, *, logs: bool = False) -> set[str]:
    """What becomes of the expression by changes of that kind."""
    return {one.applied(expression) for one in changes(expression, logs=logs) if one.kind == kind}


def test_comparison_is_turned_and_loses_or_gets_its_limit() -> None:
    assert news("a > 1", "comparison") == {"a >= 1", "a < 1"}


def test_limit_is_moved_by_a_step_and_by_an_order_of_magnitude() -> None:
    assert news("a > 0.05", "threshold") == {"a > 0.06", "a > 0.04", "a > 0.5", "a > 0.005"}
    assert news("20 < a", "threshold") == {"21 < a", "19 < a", "200 < a", "2 < a"}
    assert news("a * 60 > 1", "number") == {"a * 61 > 1", "a * 59 > 1"}


def test_range_is_made_longer_and_shorter() -> None:
    assert news("rate(a[5m])", "range") == {"rate(a[10m])", "rate(a[2m30s])"}
    assert news("a offset 1h", "offset") == {"a offset 2h", "a offset 30m"}


def test_labels_are_left_out_one_by_one() -> None:
    assert news("sum by (job, instance) (a)", "grouping") == {
        "sum without (job, instance) (a)", "sum by (instance) (a)", "sum by (job) (a)",
    }  # fmt: skip
    assert "a and on () b" in news("a and on (job) b", "matching")


def test_matchers_are_turned_left_out_and_renamed() -> None:
    assert news('a{x="1", y=~"2|3"}', "matcher") == {
        'a{x!="1", y=~"2|3"}', 'a{x="1x", y=~"2|3"}', 'a{y=~"2|3"}',
        'a{x="1", y!~"2|3"}', 'a{x="1", y=~"2|3x"}', 'a{x="1", y=~"2"}', 'a{x="1", y=~"3"}',
        'a{x="1"}',
    }  # fmt: skip


def test_words_are_turned_where_they_are_words() -> None:
    assert news("rate(rate[5m])", "function") == {"increase(rate[5m])"}
    assert news('a{x="and"} and b', "set operator") == {
        'a{x="and"} or b', 'a{x="and"} unless b',
    }  # fmt: skip
    assert news("sum by (sum) (a)", "metric") == {"sum by (sum) (a_x)"}


def test_filters_of_lines_are_turned_and_left_out() -> None:
    found = news('rate({a="b"} |= "c" [1m])', "line filter", logs=True)
    assert found == {
        'rate({a="b"} != "c" [1m])', 'rate({a="b"}  [1m])', 'rate({a="b"} |= "cx" [1m])',
    }  # fmt: skip


def test_words_between_which_an_expression_chooses_are_left_out() -> None:
    assert [*alternatives("a|b")] == ["b", "a"]
    assert [*alternatives("x(a|b)y")] == ["x(b)y", "x(a)y"]
    assert [*alternatives("abc")] == []


@pytest.mark.parametrize("rule", RULES, ids=[one.name for one in RULES])
def test_each_change_of_our_rules_is_one_thing(rule: "object") -> None:
    expression, logs = rule.expression, rule.on_logs  # type: ignore[attr-defined]
    found = [*changes(expression, logs=logs)]
    assert found
    for one in found:
        assert expression[one.start : one.end] != one.new, one.what
    if not logs:
        broken = [one for one in found if one.kind not in ("matching", "function", "grouping")]
        assert all(tree.read(one.applied(expression)) for one in broken)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    for one in changes(text):
        assert 0 <= one.start <= one.end <= len(text)
    assert all(new != text for new, _ in matchers(text))


@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_another_number_is_another(value: object) -> None:
    found = [new for new, _ in numbers(str(value), far=True)]
    assert all(float(new) != float(str(value)) for new in found)
    assert len(found) == len(set(found))


@given(st.integers(1, 10**7))
def test_another_duration_is_another(seconds: int) -> None:
    found = [new for new, _ in durations(f"{seconds}s")]
    assert f"{seconds}s" not in found
    assert len(found) >= 2
