"""What a rule measures, and what its threshold is."""

import pytest

from scenarios.proof.graphs import measured


@pytest.mark.parametrize(
    ("expression", "query", "threshold"),
    [
        ("rate(x[5m]) > 2", "rate(x[5m])", 2),
        ("(a / b) < 0.2", "(a / b)", 0.2),
        ("100 * 1e6 < a", "a", 100e6),
        ("a > b", "a", None),
        ("a > 5 and on (x) b > 0", "a", 5),
        ("vector(1)", "vector(1)", None),
        ("not PromQL (", "not PromQL (", None),
    ],
)
def test_graph_measures_one_side_of_the_comparison(
    expression: str, query: str, threshold: float | None
) -> None:
    assert measured(expression) == (query, threshold)
