"""Text as Go reads and writes it: numbers, durations, sizes, quoted strings.

Loki's values are read by Go's `strconv` and `time` and by `github.com/dustin/go-humanize`; the
words of their errors end up in `__error_details__`. All functions raise ValueError with them.
"""

import json
import math
import re
from functools import lru_cache

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
_LONGEST_NS = 2**63 - 1

_SIZES = {"": 1, "b": 1}
_SIZES |= {
    prefix + ending: base**power
    for power, prefix in enumerate("kmgtpe", start=1)
    for base, endings in ((1000, ("", "b")), (1024, ("i", "ib")))
    for ending in endings
}
_SIZE = re.compile(r"([\d.,]*)(.*)", re.DOTALL)

_FLOAT = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE
)
_HEX_FLOAT = re.compile(
    r"[+-]?0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)p[+-]?\d+", re.ASCII | re.IGNORECASE
)


def quoted(text: str) -> str:
    """A string literal that reads back as `text`, as Go's %q writes the common ones."""
    return json.dumps(text, ensure_ascii=False)


@lru_cache(maxsize=8192)
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
        total += int(whole or 0) * NANOSECONDS[unit]
        total += int(fraction or 0) * NANOSECONDS[unit] // 10 ** len(fraction)
        at = found.end()
    if not body or total > _LONGEST_NS:
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


@lru_cache(maxsize=8192)
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
        return float.fromhex(text)
    raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax")


def float_text(value: float) -> str:
    """As `fmt` prints a float64 with %v: `1`, `0.25`, `1e+21`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    magnitude = abs(value)
    if magnitude and not 1e-4 <= magnitude < 1e21:
        mantissa, _, exponent = f"{value!r}".partition("e")
        if not exponent:
            mantissa, _, exponent = f"{value:.16e}".partition("e")
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"
    if value == int(value):
        return f"{int(value)}" if value or math.copysign(1, value) > 0 else "-0"
    return repr(value) if "e" not in repr(value) else f"{value:.20f}".rstrip("0")


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
