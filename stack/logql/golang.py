"""Text as Go reads and writes it: numbers, durations, sizes, quoted strings.

Loki's values are read by Go's `strconv` and `time` and by `github.com/dustin/go-humanize`; the
words of their errors end up in `__error_details__`. All functions raise ValueError with them.
"""

import json
import math
import re
from decimal import Decimal

from stack.logql.keeping import kept

NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_STEP = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([^\d.]*)", re.ASCII)
LARGEST = 2**63 - 1
SMALLEST = -(2**63)
"""Of an int."""
_MOST_DIGITS = 20
"""A number with more before the point is out of range; more behind it make no difference."""

_SIZES = {"": 1, "b": 1}
_SIZES |= {
    prefix + ending: base**power
    for power, prefix in enumerate("kmgtpe", start=1)
    for base, endings in ((1000, ("", "b")), (1024, ("i", "ib")))
    for ending in endings
}
_SIZE = re.compile(r"([\d.,]*)(.*)", re.DOTALL)

_FLOAT = re.compile(
    r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE
)
_INT = re.compile(
    r"([+-]?)(?:0(_?[0-7]+(?:_[0-7]+)*)"
    r"|(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]_?[0-7]+(?:_[0-7]+)*"
    r"|0|[1-9]\d*(?:_\d+)*))",
    re.ASCII,
)
_JSON_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}"
    r"|(?P<half>u[dD][89a-fA-F][\da-fA-F]{2})|.)",
    re.DOTALL,
)
_LONE = re.compile("[\ud800-\udfff]")
_HEX_FLOAT = re.compile(
    r"[+-]?0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)p[+-]?\d+", re.ASCII | re.IGNORECASE
)


def quoted(text: str) -> str:
    """A string literal that reads back as `text`, as Go's %q writes the common ones."""
    return json.dumps(text, ensure_ascii=False)


@kept(8192)
def duration_ns(text: str) -> int:
    """`time.ParseDuration`: `1h30m`, `1.5s`, `-3ms`, `0`.

    Another grammar than Prometheus' (`stack.durations`), which has days, weeks and years but
    neither signs, fractions nor anything below a millisecond.
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return 0
    total = at = 0
    while at < len(body):
        found = _STEP.match(body, at)
        if not found:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        number, unit = found.groups()
        if not unit:
            raise ValueError(f"time: missing unit in duration {quoted(text)}")
        if unit not in NANOSECONDS:
            raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
        whole, _, fraction = number.partition(".")
        whole, fraction = whole.lstrip("0"), fraction[:_MOST_DIGITS]
        if len(whole) > _MOST_DIGITS:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        total += int(whole or 0) * NANOSECONDS[unit]
        total += int(fraction or 0) * NANOSECONDS[unit] // 10 ** len(fraction)
        at = found.end()
    if not body or total > LARGEST:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return -total if text[0] == "-" else total


def duration_text(length_ns: int) -> str:
    """`time.Duration.String`: 5400000000000 is `1h30m0s`, 1500000 is `1.5ms`."""
    if length_ns < 0:
        return "-" + duration_text(-length_ns)
    if length_ns < 1_000_000_000:
        for unit in ("ms", "µs"):
            if length_ns >= NANOSECONDS[unit]:
                return _decimal(length_ns, NANOSECONDS[unit]) + unit
        return f"{length_ns}ns" if length_ns else "0s"
    minutes, rest_ns = divmod(length_ns, NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest_ns, NANOSECONDS["s"]) + "s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


@kept(8192)
def size_bytes(text: str) -> int:
    """`humanize.ParseBytes`: `5MB`, `1.5 KiB`, `42`; without a unit it is bytes."""
    found = _SIZE.fullmatch(text)
    digits, unit = found.groups() if found else ("", text)
    value = float_of(digits.replace(",", ""))
    unit = unit.strip().lower()
    if unit not in _SIZES:
        raise ValueError(f"unhandled size name: {unit}")
    value *= _SIZES[unit]
    if value >= 2**64:
        raise ValueError(f"too large: {text}")
    return int(value)


def float_of(text: str) -> float:
    """`strconv.ParseFloat`: stricter than Python, and `1e999` is out of range."""
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value) and "n" not in text.lower():
            raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: value out of range")
        return value
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            raise ValueError(
                f"strconv.ParseFloat: parsing {quoted(text)}: value out of range"
            ) from None
    raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax")


def to_int64(value: int) -> int:
    """What an int holds of a larger number: it wraps around."""
    return (value - SMALLEST) % 2**64 + SMALLEST


def int_of(text: str) -> int:
    """`strconv.ParseInt` with base 0. Raises ValueError, also for what is out of range."""
    found = _INT.fullmatch(text)
    if not found:
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    sign, octal, rest = found.groups()
    digits = "0o" + octal if octal else rest
    limit = LARGEST + (sign == "-")
    if len(digits) > 80 or int(digits, 0) > limit:
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return -int(digits, 0) if sign == "-" else int(digits, 0)


def character(code: int) -> str:
    """The character of a code; U+FFFD for what is none, such as half of a surrogate pair."""
    return chr(code) if 0 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd"


def with_replacements(document: str) -> str:
    """JSON with U+FFFD for every half of a surrogate pair, as `encoding/json` reads it."""
    text = printable(document)
    return _JSON_ESCAPE.sub(_whole_escape, text) if "\\u" in text else text


def _whole_escape(found: re.Match[str]) -> str:
    return "\\ufffd" if found["half"] else found.group()


def printable(text: str) -> str:
    """The text with U+FFFD for every byte that is not UTF-8, as Go's JSON encoder writes it."""
    return _LONE.sub("\ufffd", text)


def float_text(value: float) -> str:
    """As `fmt` prints a float64 with %v: `1`, `0.25`, `1.5e+06`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    magnitude = abs(value)
    if magnitude and not 1e-4 <= magnitude < 1e6:
        sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
        rest = "".join(map(str, digits[1:]))
        mantissa = f"{digits[0]}.{rest}" if rest else f"{digits[0]}"
        return f"{'-' * sign}{mantissa}e{Decimal(repr(value)).adjusted():+03d}"
    if value == int(value):
        return f"{int(value)}" if value or math.copysign(1, value) > 0 else "-0"
    return repr(value)


_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.?))""",
    re.DOTALL,
)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unquoted(literal: str) -> str:
    """The value of a string literal in double quotes (with escapes) or backticks (as it is)."""
    body = literal[1:-1]
    if literal[0] == "`" or "\\" not in body:
        return body
    # Bytes from \\x and octal escapes are kept even if they are not UTF-8.
    return (
        _ESCAPE.sub(_escape, body)
        .encode("utf-8", "surrogateescape")
        .decode("utf-8", "surrogateescape")
    )


def _escape(found: re.Match[str]) -> str:
    named, byte, short, long, octal, unknown = found.groups()
    if named:
        if named == "'":
            raise ValueError("invalid syntax")
        return _NAMED.get(named, named)
    if unknown is not None:
        raise ValueError("invalid char escape")
    if byte or octal:
        value = int(byte, 16) if byte else int(octal, 8)
        return bytes([value & 255]).decode("utf-8", "surrogateescape")
    value = int(short or long, 16)
    if value > 0x10FFFF or 0xD800 <= value < 0xE000:
        raise ValueError("invalid syntax")
    return chr(value)
