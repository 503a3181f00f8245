"""Seconds that hide in numbers: what is divided, what is refused, and in which words."""

import pytest

from stack import speed
from stack.errors import BadInput

QUIET = [
    "x - y > 86400",
    "x_age_seconds > 86400",
    "time_of_day > 3600",
    "count_over_time(x[5m]) > 3600",
    "rate(x[5m]) * 100 > 60",
    "increase(x[5m]) / increase(y[5m]) * 60 > 1",
    'time() - max by (job) (group:last{job=~".*"}) > 10 * max by (job) '
    "(prometheus_rule_group_interval_seconds)",
    "increase(x[5m]) / 100 > 3",
    "rate(x[5m]) / rate(y[5m]) > 300",
    "sum(rate(x[5m])) / (max(y) / max(z)) > 3600",
    "absent(timestamp(x))",
    "count(time() - x) > 5",
    "timestamp(x) - timestamp(y) > timestamp(z) - timestamp(y)",
    "timestamp(x) < time()",
    "(time() - x) / (time() - y) > 2",
    "x and time() - y",
    "time() - x > 0",
    "time() - x < Inf",
]

DIVIDED = [
    ("predict_linear(x[1h], 3600) < 0", "predict_linear(x[1m], 60) < 0"),
    ("predict_linear(x[6h], 4 * 3600) < 0", "predict_linear(x[6m], 4 * 60) < 0"),
    ("predict_linear(x[1h], (7*24)*3600)", "predict_linear(x[1m], (7*24)*60)"),
    ("predict_linear(x[1h], 60*60*24)", "predict_linear(x[1m], 60*1*24)"),
    ("predict_linear(x[1h], 3600 + 1800)", "predict_linear(x[1m], 60 + 30)"),
    ("predict_linear(x[1h], 7200 / 2 - 600)", "predict_linear(x[1m], 120 / 2 - 10)"),
    ("predict_linear(x[1h], -3600)", "predict_linear(x[1m], -60)"),
    ("predict_linear(x[1h], 0xE10)", "predict_linear(x[1m], 60)"),
    ("time() - x > 86400", "time() - x > 1440"),
    ("time() - x >= 24*3600", "time() - x >= 24*60"),
    ("86400 < time() - x", "1440 < time() - x"),
    ("24*3600 <= (time() - x)", "24*60 <= (time() - x)"),
    ("time() - x > bool 100", "time() - x > bool 1.6666666666666667"),
    ("time() - timestamp(x) > 5m", "time() - timestamp(x) > 5"),
    ("time() - max by (job) (x) > 600", "time() - max by (job) (x) > 10"),
    ("max by (job) (time() - x) > 600", "max by (job) (time() - x) > 10"),
    ("topk(5, time() - x) > 300", "topk(5, time() - x) > 5"),
    ("time() - x > 600 < 1200", "time() - x > 10 < 20"),
    ("time() - x - 600 > 0", "time() - x - 10 > 0"),
    ("3600 - (time() - x) < 600", "60 - (time() - x) < 10"),
    ("(time() - x) / 3600 > 6", "(time() - x) / 3600 > 0.1"),
    ("time() * 1000 - x > 6e4", "time() * 1000 - x > 1000"),
    ("x < time() - 600", "x < time() - 10"),
    ("x + 600 < time()", "x + 10 < time()"),
    ("time() - (x + 600) > 60", "time() - (x + 10) > 1"),
    ("x - time() < 14 * 86400", "x - time() < 14 * 1440"),
    ("-(time() - x) < -600", "-(time() - x) < -10"),
    ("abs(x - time()) > 600", "abs(x - time()) > 10"),
    ("scalar(x) + 600 < bool time()", "scalar(x) + 10 < bool time()"),
    ("time() - x > 600 and up == 1 or absent(x)", "time() - x > 10 and up == 1 or absent(x)"),
    ("count(time() - x > 600) > 600", "count(time() - x > 10) > 600"),
    ("600 * up and time() - x > 600", "600 * up and time() - x > 10"),
    ("time() - max_over_time(timestamp(x)[1h:1m]) > 600",
     "time() - max_over_time(timestamp(x)[1m:1s]) > 10"),
    ('time() - x{a="> 600"} > 600 # > 600', 'time() - x{a="> 600"} > 10 # > 600'),
]  # fmt: skip

REFUSED = [
    ("hour() >= 9", "`hour()`: the calendar"),
    ("up == 0 and on() day_of_week() < 6", "`day_of_week()`: the calendar"),
    ("month(x) == 2", "`month(x)`: the calendar"),
    ("time() - x", "not compared with a constant here"),
    ("vector(time())", "not compared with a constant here"),
    ("time() - x > y", "the seconds are not compared with a constant"),
    ("timestamp(x) > 1700000000", "the seconds are not compared with a constant"),
    ("time() % 86400 < bool 3600", "`time() % 86400`: it is not clear what becomes of"),
    ("rate(timestamp(x)[5m:]) > 1", "it is not clear what becomes of the seconds here"),
    ("sum(time() - x) > 600", "it is not clear what becomes of the seconds here"),
    ("sqrt(time() - x) > 600", "it is not clear what becomes of the seconds here"),
    ("(time() - x) * y > 600", "it is not clear what becomes of the seconds here"),
    ("2000000000 - time() < bool 600", "it is not clear what becomes of the seconds here"),
    ("time() - (x + y) > 600", "which of the added series are lengths of time"),
    ("x + y < time()", "which of the added series are lengths of time"),
    ("time() - x > 2^10", "`2 ^ 10`: this arithmetic of constants"),
    ("predict_linear(x[1h], scalar(y)) < 0", "how far ahead is not a constant"),
    ("(time() - x > 600 or y) * 2 > 600", "it is not clear what becomes of the seconds here"),
    ("time() - x or y", "its two sides are not both seconds"),
    ("x @ 1609746000 > 1", "`@` with a fixed instant is wall-clock time"),
    ("increase(x[5m]) / 300 > 1", "divides by its own range in seconds; use `rate`"),
    ("sum(increase(x[1h])) / (60*60) > 1", "divides by its own range in seconds; use `rate`"),
    ("increase(x[1h]) * (1/3600) > 1", "divides by its own range in seconds; use `rate`"),
    ("increase(x[1d]) / 24 > 1", "turns a range into another unit of time"),
    ("24 * increase(x[1h]) > 1", "turns a range into another unit of time"),
    ("sum(increase(x[5m]) + increase(y[5m])) / 5 > 1", "turns a range into another unit of time"),
    ("sum(count_over_time(x[1h])) / 60 > 1", "turns a range into another unit of time"),
    ("deriv(x[1h]) * 4 * 3600 < 0", "multiplies a rate by seconds"),
    ("x + deriv(x[1h]) * 4 * 3600 < 0", "multiplies a rate by seconds"),
    ("3600 * sum(rate(x[5m])) > 1", "multiplies a rate by seconds"),
    ("rate(x[5m]) / (1/300) > 60", "multiplies a rate by seconds"),
    ("increase(x[1h]) * 0.000278 > 1", "divides by its own range in seconds; use `rate`"),
    ("increase(x[5m]) / scalar(vector(300)) > 1", "divides by its own range in seconds"),
    ("increase(x[5m]) / on () group_left () vector(300) > 1", "divides by its own range in"),
    ("x / deriv(x[1h]) < 4 * 3600", "what is divided by a rate is a time"),
    ("x / -deriv(x[1h]) < 14400", "what is divided by a rate is a time"),
    ("1 / sum(rate(x[5m])) > 60", "what is divided by a rate is a time"),
    ("x > 5m", "`5m` is used as a plain number"),
]


def scale(expr: str, **options: bool) -> str:
    return speed.scale_expression(expr, 60, scrape_interval_s=0.25, **options)


@pytest.mark.parametrize("expr", QUIET)
def test_hidden_seconds_plain_numbers_are_left(expr: str) -> None:
    assert scale(expr).replace("[5s]", "[5m]") == expr


@pytest.mark.parametrize(("expr", "scaled"), DIVIDED)
def test_hidden_seconds_known_cases_are_divided(expr: str, scaled: str) -> None:
    assert scale(expr) == scaled


@pytest.mark.parametrize(("expr", "why"), REFUSED)
def test_hidden_seconds_other_cases_are_refused_with_the_reason(expr: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        scale(expr)
    assert why in refused.value.what
    assert refused.value.what.count(": ") <= 1, "one cause gives one complaint"
    assert 'speed: "none"' in refused.value.cure


def test_hidden_seconds_all_refusals_come_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        scale("hour() > 9 and on() minute() > 30")
    assert "`hour()`" in refused.value.what
    assert "`minute()`" in refused.value.what


@pytest.mark.parametrize("expr", [row[0] for row in REFUSED])
def test_hidden_seconds_declared_absent_leave_numbers_but_not_durations(expr: str) -> None:
    unscaled_numbers = scale(expr, numbers=False)
    assert (
        unscaled_numbers.replace("[5s", "[5m").replace("[1m", "[1h").replace("[24m", "[1d") == expr
    )


@pytest.mark.parametrize("expr", ["time() - x > 600", "x < time() - 600"])
def test_hidden_seconds_must_not_leave_through_a_recorded_series(expr: str) -> None:
    assert scale(expr)
    with pytest.raises(BadInput, match="its value is in seconds"):
        scale(expr, recorded=True)


def test_hidden_seconds_compared_to_0_or_1_may_be_recorded() -> None:
    assert scale("time() - x > bool 600", recorded=True) == "time() - x > bool 10"
