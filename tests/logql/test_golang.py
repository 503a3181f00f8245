"""Numbers, durations, sizes, strings and moments are read and written as Go does."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.logql import golang
from stack.logql.formatting import formatted
from stack.logql.gotime import Time, of_layout

DURATIONS = {
    "0": 0,
    "1s": 10**9,
    "1.5h": 5400 * 10**9,
    "-3ms": -3_000_000,
    "+2us": 2000,
    "1h2m3s": 3723 * 10**9,
    "2µs": 2000,
    ".5s": 500_000_000,
    "1m0.25s": 60_250_000_000,
    "100ns": 100,
}


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_read(text: str) -> None:
    assert golang.duration_ns(text) == DURATIONS[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid duration"),
        ("5", "missing unit"),
        ("1d", 'unknown unit "d"'),
        ("soon", "invalid duration"),
        ("1 s", 'unknown unit " s"'),
        ("-", "invalid duration"),
        ("9999999h", "invalid duration"),
    ],
)
def test_what_is_no_duration_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        golang.duration_ns(text)


@given(st.integers(-(2**62), 2**62))
def test_a_written_duration_reads_back(length_ns: int) -> None:
    assert golang.duration_ns(golang.duration_text(length_ns)) == length_ns


SIZES = {
    "42": 42,
    "1KB": 1000,
    "1 KiB": 1024,
    "1.5mb": 1_500_000,
    "2Gi": 2 * 1024**3,
    "1,024": 1024,
}


@pytest.mark.parametrize("text", SIZES)
def test_a_size_is_read(text: str) -> None:
    assert golang.size_bytes(text) == SIZES[text]


@pytest.mark.parametrize("text", ["", "big", "1 parsec", "-5B", "1e3B", "99999999EB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unhandled size|ParseFloat|too large"):
        golang.size_bytes(text)


@pytest.mark.parametrize("text", ["", " 1", "1_000", "0x10", "1e999", "\u0661", "--1"])
def test_what_go_does_not_read_as_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"strconv\.ParseFloat"):
        golang.float_of(text)


def test_what_go_reads_as_a_number_is_read() -> None:
    assert golang.float_of("1.") == 1
    assert golang.float_of("+.5e1") == 5
    assert golang.float_of("0x1p4") == 16
    assert math.isinf(golang.float_of("-Inf"))
    assert math.isnan(golang.float_of("nan"))


FLOATS = {
    1.0: "1",
    0.25: "0.25",
    123456.0: "123456",
    1e6: "1e+06",
    12345678.5: "1.23456785e+07",
    1e-5: "1e-05",
}


@pytest.mark.parametrize("value", FLOATS)
def test_a_number_prints_as_in_go(value: float) -> None:
    assert golang.float_text(value) == FLOATS[value]


@given(st.floats(allow_nan=False))
def test_a_printed_number_reads_back(value: float) -> None:
    assert golang.float_of(golang.float_text(value)) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_reads_back(text: str) -> None:
    assert golang.unquoted(golang.quoted(text)) == text


@pytest.mark.parametrize("literal", [r'"\q"', r'"\xZZ"', r'"\u12"', r'"\'"', r'"\ud800"'])
def test_an_escape_that_go_does_not_know_is_refused(literal: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        golang.unquoted(literal)


PRINTF = [
    (("%5d|%-5d|%05d", 42, 42, -42), "   42|42   |-0042"),
    (("%s %q %v %t", "a", 'b"', 1.5, True), 'a "b\\"" 1.5 true'),
    (("%.2f %8.3f %e", 1.239, 2.5, 1.0), "1.24    2.500 1.000000e+00"),
    (("%x %X %o %b %c", 255, 255, 8, 5, 65), "ff FF 10 101 A"),
    (("100%%",), "100%"),
    (("%d", "x"), "%!d(string=x)"),
    (("%s",), "%!s(MISSING)"),
    (("a", 1), "a%!(EXTRA int=1)"),
    (("%+d % d", 5, 5), "+5  5"),
    (("%.2s", "abc"), "ab"),
]


@pytest.mark.parametrize(("arguments", "wanted"), PRINTF, ids=[wanted for _, wanted in PRINTF])
def test_printf_writes_as_in_go(arguments: tuple[str], wanted: str) -> None:
    assert formatted(*arguments) == wanted


MOMENT = Time(1_755_888_311_012_345_678)  # 2025-08-22 18:45:11.012345678 UTC, a Friday
LAYOUTS = {
    "2006-01-02T15:04:05Z07:00": "2025-08-22T18:45:11Z",
    "Mon, 2 Jan 06 3:04:05.000 PM": "Fri, 22 Aug 25 6:45:11.012 PM",
    "Monday January _2 002 03pm": "Friday August 22 234 06pm",
    "15:04:05.999999999 -0700 MST": "18:45:11.012345678 +0000 UTC",
    "05,000": "11,012",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_moment_is_written_by_a_layout(layout: str) -> None:
    assert of_layout(layout, MOMENT) == LAYOUTS[layout]


def test_a_moment_prints_as_in_go() -> None:
    assert str(MOMENT) == "2025-08-22 18:45:11.012345678 +0000 UTC"
    assert str(Time(0)) == "1970-01-01 00:00:00 +0000 UTC"
