"""What rules on logs read."""

import pytest

from scenarios.proof.logrules import streams
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
