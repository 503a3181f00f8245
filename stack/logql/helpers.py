"""What template functions do where Python has no function that does exactly that."""

import base64
import math
from collections.abc import Mapping
from typing import Any

from stack.logql import golang, regex
from stack.logql.gotime import Time
from stack.logql.values import TemplateError, Value, kind_of, truth


def to_int(value: Value) -> int:
    """As sprig casts: what is not a number is 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(str(value), 0)
    except ValueError:
        return 0


def to_float(value: Value) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    try:
        return golang.float_of(str(value))
    except ValueError:
        return 0.0


def go_divide(left: int, right: int) -> int:
    if not right:
        raise TemplateError("runtime error: integer divide by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def go_modulo(left: int, right: int) -> int:
    return left - right * go_divide(left, right)


def float_divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def rounded(value: Value, places: int, *_round_on: Value) -> float:
    scale = 10.0**places
    digit = to_float(value) * scale
    floor = math.floor(digit)
    return (floor + 1 if digit - floor >= 0.5 else floor) / scale


def truncated(count: int, text: str) -> str:
    if count < 0 and len(text) + count > 0:
        return text[len(text) + count :]
    return text[:count] if 0 <= count < len(text) else text


def substring(start: int, end: int, text: str) -> str:
    if start < 0:
        return text[: max(end, 0)]
    if end < 0 or end > len(text):
        return text[start:]
    return text[start:end]


def aligned(count: int, text: str, *, right: bool) -> str:
    if count < 0 or count == len(text):
        return text
    if right:
        return text.rjust(count) if count > len(text) else text[len(text) - count :]
    return text.ljust(count)[:count]


def indented(spaces: int, text: str) -> str:
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def substituted(pattern: str, text: str, replacement: str, *, literal: bool) -> str:
    return regex.replaced(pattern, text, replacement, literal=literal)


def replaced(text: str, old: str, new: str, count: int) -> str:
    return text.replace(old, new, count) if old or count >= 0 else new + new.join(text) + new


def default(preset: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else preset


def decoded(text: str) -> str:
    rest = len(text) % 4
    text += "=" * (4 - rest) if rest in (2, 3) else ""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        return "illegal base64 data"


def title(text: str) -> str:
    letters = [
        letter.upper() if not at or not (text[at - 1].isalnum() or text[at - 1] in "_'") else letter
        for at, letter in enumerate(text)
    ]
    return "".join(letters)


def length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Mapping):
        return len(value)
    raise TemplateError(f"len of type {kind_of(value)}")


def basic(value: Value) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise TemplateError("invalid type for comparison")


def same_kind(left: Value, right: Value) -> None:
    kinds = {kind_of(basic(left)), kind_of(basic(right))}
    if len(kinds) > 1:
        raise TemplateError("incompatible types for comparison")


def equal(first: Value, *others: Value) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    for other in others:
        same_kind(first, other)
    return any(first == other for other in others)


def less(left: Value, right: Value) -> bool:
    same_kind(left, right)
    if isinstance(left, bool):
        raise TemplateError("invalid type for comparison")
    return bool(basic(left) < basic(right))


def seconds(text: str) -> float:
    return golang.duration_ns(text) / 1e9


def unix_to_time(text: str) -> Time:
    units = {5: 86_400 * 10**9, 10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
    if len(text) not in units or not text.isdecimal():
        raise TemplateError(f"unable to parse time '{text}'")
    return Time(int(text) * units[len(text)])


def matches(pattern: str, text: str) -> int:
    return regex.count(pattern, text)
