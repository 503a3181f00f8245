"""Durations: Prometheus' grammar, exact both ways, and divided."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack import speed
from stack.durations import divided, duration, milliseconds, scale_duration, seconds, text_of
from stack.errors import BadInput

WRITTEN = [
    ("0", 0.0),
    ("0s", 0.0),
    ("5s", 5.0),
    ("1ms", 0.001),
    ("90s", 90.0),
    ("1m30s", 90.0),
    ("1h30m", 5400.0),
    ("8d", 691200.0),
    ("2w", 1209600.0),
    ("1y1w1d1h1m1s1ms", 31536000.0 + 604800 + 86400 + 3600 + 60 + 1.001),
]
NO_DURATIONS = ["", "5", "1.5h", "-5m", "5 m", "5M", "1m1h", "1m1m", "h", "five", "293y", "٣s"]


@pytest.mark.parametrize(("text", "length_s"), WRITTEN)
def test_seconds_reads_the_grammar(text: str, length_s: float) -> None:
    assert seconds(text) == length_s


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_seconds_refuses_what_prometheus_refuses(text: str) -> None:
    with pytest.raises(BadInput, match=f"`{text}` is "):
        seconds(text)


@pytest.mark.parametrize(
    ("length_s", "text"),
    [
        (0.0, "0s"),
        (5.0, "5s"),
        (0.25, "250ms"),
        (90.0, "1m30s"),
        (691200.0, "8d"),
        (1209600.0, "2w"),
        (31536000.0, "1y"),
        (86400.0 * 366, "366d"),
        (3600.5, "1h500ms"),
    ],
)
def test_duration_is_prometheus_canonical_text(length_s: float, text: str) -> None:
    assert duration(length_s) == text


@pytest.mark.parametrize("length_s", [-1.0, math.inf, math.nan, 1e12])
def test_duration_refuses_what_no_text_can_hold(length_s: float) -> None:
    with pytest.raises(BadInput, match="cannot be written as a duration"):
        duration(length_s)


@given(st.integers(0, 9 * 10**12))
def test_duration_round_trips_exactly(length_ms: int) -> None:
    assert milliseconds(text_of(length_ms)) == length_ms
    assert seconds(duration(length_ms / 1000)) == length_ms / 1000


@pytest.mark.parametrize(
    ("text", "factor", "scaled"),
    [
        ("90s", 1, "90s"),
        ("5m", 60, "5s"),
        ("15s", 60, "250ms"),
        ("0s", 60, "0s"),
        ("1m", 1.5, "40s"),
        ("1ms", 3600, "1ms"),
        ("1s", 1e9, "1ms"),
    ],
)
def test_scale_duration_divides_and_never_reaches_zero(
    text: str, factor: float, scaled: str
) -> None:
    assert scale_duration(text, factor) == scaled


@pytest.mark.parametrize(("text", "scaled"), [("1m", "1s"), ("5s", "200ms"), ("100ms", "100ms")])
def test_scale_duration_floor_never_lengthens_what_was_written(text: str, scaled: str) -> None:
    assert scale_duration(text, 60, floor_s=0.2) == scaled


@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(1, 1000))
def test_scale_duration_composes(base_ms: int, first: int, second: int) -> None:
    text = text_of(base_ms * first * second)
    once = scale_duration(text, first * second)
    assert milliseconds(scale_duration(scale_duration(text, first), second)) == milliseconds(once)


@given(st.integers(0, 10**9), st.fractions(1, 10**4), st.integers(0, 1000))
def test_divided_stays_between_floor_and_what_was_written(length_ms, factor, floor_ms) -> None:
    scaled = divided(length_ms, factor, floor_ms=floor_ms)
    assert min(floor_ms, length_ms) <= scaled <= length_ms
    assert (scaled == 0) == (length_ms == 0)


@pytest.mark.parametrize("wrong", [0, 0.5, -60, math.inf, math.nan, True, "60", None])
def test_speed_must_be_a_finite_number_of_at_least_one(wrong) -> None:
    uses = [
        lambda: scale_duration("5m", wrong),
        lambda: speed.scale_expression("up", wrong, scrape_interval_s=1),
        lambda: speed.scale_rules({}, wrong, scrape_interval_s=1, file="rules.yml"),
        lambda: speed.scale_prometheus({}, wrong),
        lambda: speed.scale_alertmanager({}, wrong),
        lambda: speed.prometheus_flags(wrong),
    ]
    for use in uses:
        with pytest.raises(BadInput, match=r"speed is `.*`, expected a finite number of"):
            use()
