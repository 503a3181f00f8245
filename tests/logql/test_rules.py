"""Rules of alerts with LogQL: what is wrong with one is wrong input, never a failure of the lab."""

import pytest

from stack.errors import BadInput
from stack.logql.rules import read_rule

WRONG = {
    'count_over_time({a="b"} | json | d > 293y [1m]) > 0': 'col 38: duration out of range: "293y"',
    'count_over_time({a="b"} | json | d > 9999999999h [1m]) > 0': "col 38: time: invalid duration",
    'count_over_time({a="b"} | json | b > 99999999PB [1m]) > 0': "col 38: too large",
    'count_over_time({a="b"}[1m] offset 300y) > 0': "col 36: duration out of range",
    'rate({a="b"}[0s]) > 0': "col 13: duration must be greater than 0",
    'rate({a="b"}[300y]) > 0': "col 13: not a valid duration string",
    "vector(1e999)": "col 8: unable to parse literal as a float",
    'topk(99999999999999999999, rate({a="b"}[1m]))': "col 6: strconv.Atoi",
    "vector(1)" + " + vector(1)" * 2000: "nested too deeply (limit: 500 levels)",
    'rate({a="b"} | line_format `{{ nosuch }}` [1m])': 'function "nosuch" not defined',
    "rate({a=\"b\"} | line_format `{{ '\\x' }}` [1m])": "invalid char escape",
    'rate({a="b"} | line_format `{{ 99999999999999999999 }}` [1m])': "integer overflow",
    'rate({a="b"} | line_format `' + "{{ if .a }}" * 999 + "` [1m])": "limit: 100 levels",
    "sum(1) > 0": "a number is no series, which sum needs",
    "topk(2, 1 + 1)": "a number is no series, which topk needs",
    'label_replace(1, "a", "b", "", "")': "a number is no series, which label_replace needs",
    'label_replace(vector(1), "a", "b", "c", "(")': "invalid regex in label_replace",
    '{a="\\xff"}': "invalid UTF-8",
}


@pytest.mark.parametrize("expr", WRONG, ids=lambda one: one[:60])
def test_expression_of_a_rule_that_cannot_be_is_wrong_input(expr: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_rule({"alert": "A", "expr": expr}, "group `g`")
    assert WRONG[expr] in str(refusal.value)
    assert "alert `A`" in str(refusal.value)
