"""What rules on logs read and measure."""

import pytest

from scenarios.proof.logrules import compared, measured, streams
from stack.errors import BadInput


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('rate({service="a", level=~"error|fatal"} |= "x" [5m]) > 1', ['{service="a"}']),
        (
            'rate({a="b", level="x"}[1m]) > 0 or rate({a="b", level="y"}[1m]) > 0',
            ['{a="b"}'],
        ),
        ('absent_over_time({service="worker"}[5m])', ['{service="worker"}']),
    ],
)
def test_gate_knows_which_streams_a_rule_reads_whatever_their_level(
    expression: str, expected: list[str]
) -> None:
    assert streams(expression) == expected


def test_streams_of_no_logql_are_refused() -> None:
    with pytest.raises(BadInput, match="parse error"):
        streams("rate(x[5m]")


RATE = 'rate({a="b"} [5m])'


@pytest.mark.parametrize(
    ("expression", "query", "threshold"),
    [
        (f"{RATE} > 0.2", RATE, 0.2),
        (f"sum by (a) ({RATE}) > 0.2 or {RATE} > 0", f"sum by (a) ({RATE})", 0.2),
        (f"{RATE} > {RATE}", RATE, None),
        ('absent_over_time({a="b"} [5m])', 'absent_over_time({a="b"} [5m])', None),
        ("not LogQL (", "not LogQL (", None),
    ],
)
def test_graph_measures_one_side_of_the_comparison(
    expression: str, query: str, threshold: float | None
) -> None:
    assert measured(expression) == (query, threshold)


def test_graph_knows_which_side_of_the_threshold_is_wrong() -> None:
    assert compared(f"{RATE} <= 0.2") == (RATE, "<=", 0.2)
