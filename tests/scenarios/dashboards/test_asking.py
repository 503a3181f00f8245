"""What a query reads, whoever may have no data on a healthy day."""

import pytest

from scenarios.dashboards.asking import lines_of, sources


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ('sum(rate(a_total{job="x", code="5"}[5m])) / sum(b{job="x"})',
         ['a_total{job="x"}', 'b{job="x"}']),
        ('count(ALERTS{alertname="Up", alertstate="firing"}) or vector(0)',
         ['ALERTS{alertname="Up"}']),
        ('a{job="x"} offset 1d', ['a{job="x"}']),
        ("vector(1)", []),
    ],
)  # fmt: skip
def test_promql_reads_metrics_of_somebody(query: str, read: list[str]) -> None:
    assert sources(query) == read


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ('rate({service="x", level="error"} |= "y" [5m])', ['{service="x"}']),
        ('{service=~"x|y", level=~"a|b"}', ['{service=~"x|y"}']),
        ('rate({service!="x", level="error"}[5m])', []),
        ('rate({level="error"}[5m])', []),
    ],
)
def test_logql_reads_streams_of_somebody(query: str, read: list[str]) -> None:
    assert lines_of(query) == read
