"""PromQL at speed 60 of a 250 ms scrape: tables, quiet cases first."""

import pytest

from stack import speed
from stack.errors import BadInput

QUIET = [
    "up == 0",
    'x{window="5m", note="[5m] offset 5m"}',
    "x{a='[1h]', b=`[5m:1m]`}",
    'label_replace(x, "range", "[5m]", "of", "(.*) 5m")',
    "job:errors:rate5m > 60",
    "sum by (offset) (x) > 3600",
    'x{offset="1h"} * 300 # over [5m] offset 1h',
    "histogram_quantile(0.95, le) > 2",
    "x @ end()",
    "vector(3600)",
]

DURATIONS = [
    ("rate(x[5m])", "rate(x[5s])"),
    ("rate(x[1h30m])", "rate(x[1m30s])"),
    ("rate( x{a='b'} [ 5m ] )", "rate( x{a='b'} [ 5s ] )"),
    ("x offset 1h", "x offset 1m"),
    ("x OFFSET -1h", "x OFFSET -1m"),
    ("x offset - 1h", "x offset - 1m"),
    ("x offset 10ms", "x offset 1ms"),
    ("rate(x[5m] offset 1w)", "rate(x[5s] offset 2h48m)"),
    ("x @ end() offset 1h", "x @ end() offset 1m"),
    ("max_over_time(rate(x[5m])[1h:1m])", "max_over_time(rate(x[5s])[1m:1s])"),
    ("max_over_time(x[1h:] offset 1h)", "max_over_time(x[1m:] offset 1m)"),
    ("max_over_time(:a:b[1h:1m])", "max_over_time(:a:b[1m:1s])"),
    ("rate(x[300])", "rate(x[5s])"),
    ("rate(x[5m]) # [5m]\n> 1", "rate(x[5s]) # [5m]\n> 1"),
    ('rate({"odd.name", a="é[5m"}[5m])', 'rate({"odd.name", a="é[5m"}[5s])'),
    ("holt_winters(x[5m], 0.3, 0.3)", "holt_winters(x[5s], 0.3, 0.3)"),
    ("deriv(x[10m]) > 60", "deriv(x[10s]) > 60"),
    ("increase(x[1h]) > 3600", "increase(x[1m]) > 3600"),
]

FLOORS = [
    ("four scrapes", "rate(x[30s])", "rate(x[1s])"),
    ("as short as written", "rate(x[500ms])", "rate(x[500ms])"),
    ("an offset has none", "x offset 1s", "x offset 17ms"),
    (
        "a raised subquery keeps its steps",
        "sum_over_time(x[30s:10s])",
        "sum_over_time(x[1s:333ms])",
    ),
]


def scale(expr: str, **options: bool) -> str:
    return speed.scale_expression(expr, 60, scrape_interval_s=0.25, **options)


@pytest.mark.parametrize("expr", QUIET)
def test_expression_without_durations_is_left_as_written(expr: str) -> None:
    assert scale(expr) == expr


@pytest.mark.parametrize(("expr", "scaled"), DURATIONS)
def test_expression_durations_are_divided_and_the_rest_kept(expr: str, scaled: str) -> None:
    assert scale(expr) == scaled


@pytest.mark.parametrize(
    ("expr", "scaled"), [row[1:] for row in FLOORS], ids=[r[0] for r in FLOORS]
)
def test_expression_floors(expr: str, scaled: str) -> None:
    assert scale(expr) == scaled


@pytest.mark.parametrize("expr", ["hour() > 9", "rate(x[5m]) > 5m", "not ( promql", "rate(x[$r])"])
def test_expression_at_speed_1_is_as_written_whatever_it_says(expr: str) -> None:
    assert speed.scale_expression(expr, 1, scrape_interval_s=15) == expr


@pytest.mark.parametrize("expr", ["", "rate(x[5m)", "rate(x)", "sum(", "x[1.5h]", "nonsense(x)"])
def test_expression_that_is_not_promql_is_refused_with_the_reason(expr: str) -> None:
    with pytest.raises(BadInput, match=r"is not PromQL: \w+"):
        scale(expr)


@pytest.mark.parametrize(
    ("expr", "reach_s"),
    [
        ("up", 0),
        ("rate(x[5m])", 300),
        ("x offset 1h", 3600),
        ("x offset -1h", 0),
        ("rate(x[5m] offset 1h) / rate(y[10m])", 3900),
        ("max_over_time(rate(x[5m])[1h:1m] offset 1d)", 300 + 3600 + 86400),
        ("rate(x[250ms])", 0.25),
    ],
)
def test_longest_range_adds_up_what_an_expression_looks_back(expr: str, reach_s: float) -> None:
    assert speed.longest_range(expr) == reach_s


@pytest.mark.parametrize("scrape_s", [60.0, 120.0])
def test_range_with_too_few_scrapes_as_written_is_refused(scrape_s: float) -> None:
    with pytest.raises(BadInput, match=r"looks back over 1m, but what it reads is scraped every"):
        speed.scale_expression(
            "rate(x[1m])", 60, scrape_interval_s=scrape_s / 60, written_scrape_s=scrape_s
        )
    kept = speed.scale_expression("rate(x[1m])", 60, scrape_interval_s=0.25, written_scrape_s=15)
    assert kept == "rate(x[1s])"


def test_floor_makes_no_two_ranges_equal() -> None:
    expr = "rate(x[5m]) > 2 * rate(x[1h])"
    scaled = speed.scale_expression(expr, 5400, scrape_interval_s=0.2, written_scrape_s=15)
    assert scaled == "rate(x[800ms]) > 2 * rate(x[9s600ms])"
