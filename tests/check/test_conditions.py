"""What a rule compares with what."""

import pytest

from stack.check.conditions import GONE, Condition, conditions
from stack.check.configuration import LOGQL, load
from stack.paths import CONFIG_ROOT

C = Condition
A_AND_B = C(measured="b", comparison="<", against=2.0, joined="and", guard=True)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("rate(x[5m]) > 2", [C(measured="rate(x[5m])", comparison=">", against=2.0)]),
        ("(a / b) < 0.2", [C(measured="(a / b)", comparison="<", against=0.2)]),
        ("(a > 2)", [C(measured="a", comparison=">", against=2.0)]),
        ("100 * 1e6 < a", [C(measured="a", comparison=">", against=100e6)]),
        ("0 != a", [C(measured="a", comparison="!=", against=0.0)]),
        ("a == -1", [C(measured="a", comparison="==", against=-1.0)]),
        ("a < 0.5 * b", [C(measured="a", comparison="<", against="0.5 * b")]),
        ("vector(1)", [C(measured="vector(1)")]),
        ("absent(a)", [C(measured="absent(a)")]),
        ("a > bool 1", [C(measured="a > bool 1")]),
        (
            "a > 5 and on (x) b < 2",
            [C(measured="a", comparison=">", against=5.0), A_AND_B],
        ),
        (
            "a > 5 or b < 2",
            [
                C(measured="a", comparison=">", against=5.0),
                C(measured="b", comparison="<", against=2.0, joined="or"),
            ],
        ),
        (
            "a > 5 unless b >= 2",
            [C(measured="a", comparison=">", against=5.0), A_AND_B],
        ),
        (
            "a unless b",
            [
                C(measured="a"),
                C(measured="b", comparison=GONE, joined="and", guard=True),
            ],
        ),
        (
            "a unless (b > 1 and c)",
            [
                C(measured="a"),
                C(measured="b", comparison="<=", against=1.0, joined="and", guard=True),
                C(measured="c", comparison=GONE, joined="or", guard=True),
            ],
        ),
        (
            "a > 5 and (b or c)",
            [
                C(measured="a", comparison=">", against=5.0),
                C(measured="b", joined="and", guard=True),
                C(measured="c", joined="or", guard=True),
            ],
        ),
        (
            "10 < a < 20",
            [
                C(measured="a", comparison=">", against=10.0),
                C(measured="a", comparison="<", against=20.0, joined="and"),
            ],
        ),
        ("not PromQL (", []),
    ],
)
def test_conditions_of_promql(expression: str, found: list[Condition]) -> None:
    assert list(conditions(expression)) == found


RATE = 'rate({a="b"} [5m])'


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (f"{RATE} <= 0.2", [C(measured=RATE, comparison="<=", against=0.2)]),
        (f"0.2 <= {RATE}", [C(measured=RATE, comparison=">=", against=0.2)]),
        (f"{RATE} > {RATE}", [C(measured=RATE, comparison=">", against=RATE)]),
        (
            f"sum by (a) ({RATE}) > 0.2 or {RATE} > 0",
            [
                C(measured=f"sum by (a) ({RATE})", comparison=">", against=0.2),
                C(measured=RATE, comparison=">", against=0.0, joined="or"),
            ],
        ),
        (
            f"({RATE} > 1) unless {RATE} > 2",
            [
                C(measured=RATE, comparison=">", against=1.0),
                C(measured=RATE, comparison="<=", against=2.0, joined="and", guard=True),
            ],
        ),
        ('absent_over_time({a="b"} [5m])', [C(measured='absent_over_time({a="b"} [5m])')]),
        ('{a="b"}', [C(measured='{a="b"}')]),
        ("not LogQL (", []),
    ],
)
def test_conditions_of_logql(expression: str, found: list[Condition]) -> None:
    assert list(conditions(expression, LOGQL)) == found


def test_every_rule_has_conditions_that_are_queries_of_its_language() -> None:
    for rule in load(CONFIG_ROOT).alerts:
        found = conditions(rule.expression, rule.language)
        assert found, rule.name
        assert not found[0].guard
        for one in found:
            asked = [one.measured, *([one.against] if isinstance(one.against, str) else [])]
            for query in filter(None, asked):
                assert conditions(query, rule.language), query
