"""What template functions do where Python has no function that does exactly that."""

import base64
import html
import math
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import orjson

from stack.logql import golang, regex
from stack.logql.budget import Meter
from stack.logql.gotime import Time
from stack.logql.values import Document, TemplateError, Value, kind_of, shown, truth


def to_int(value: Value) -> int:
    """As sprig casts: what is not a number is 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return golang.to_int64(value)
    if isinstance(value, float):
        # What does not fit becomes the smallest number, as on amd64.
        fits = golang.SMALLEST <= value <= golang.LARGEST and value < 2.0**63
        return int(value) if fits else golang.SMALLEST
    if not isinstance(value, str):
        return 0
    try:
        return golang.int_of(_TRAILING_ZEROS.sub("", value))
    except ValueError:
        return 0


_TRAILING_ZEROS = re.compile(r"\.0*\Z")


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
    return golang.to_int64(quotient if (left < 0) == (right < 0) else -quotient)


def go_modulo(left: int, right: int) -> int:
    return left - right * go_divide(left, right) if right != -1 else 0


def float_divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def rounded(value: Value, places: int, round_on: float = 0.5, *_more: Value) -> float:
    scale = 10.0 ** max(places, -400) if places <= 308 else math.inf
    digit = to_float(value) * scale
    if not math.isfinite(digit):
        return float_divide(digit, scale) if not math.isinf(scale) else math.nan
    up = math.fmod(digit, 1) >= round_on
    return float_divide(float(math.ceil(digit) if up else math.floor(digit)), scale)


def whole(value: Value, *, up: bool) -> float:
    """`ceil` and `floor`."""
    number = to_float(value)
    if not math.isfinite(number):
        return number
    return float(math.ceil(number) if up else math.floor(number))


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


def repeated(meter: Meter, count: int, text: str) -> str:
    if count < 0:
        raise TemplateError("error calling repeat: strings: negative Repeat count")
    meter.check(count * len(text))
    return text * count


def aligned(meter: Meter, count: int, text: str, *, right: bool) -> str:
    if count < 0 or count == len(text):
        return text
    meter.check(count)
    if right:
        return text.rjust(count) if count > len(text) else text[len(text) - count :]
    return text.ljust(count)[:count]


def indented(meter: Meter, spaces: int, text: str) -> str:
    if spaces < 0:
        raise TemplateError("error calling indent: strings: negative Repeat count")
    meter.check(spaces * (text.count("\n") + 1) + len(text))
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def substituted(meter: Meter, pattern: str, text: str, replacement: str, *, literal: bool) -> str:
    return regex.replaced(pattern, text, replacement, literal=literal, check=meter.check)


def replaced(meter: Meter, text: str, old: str, new: str, count: int) -> str:
    places = text.count(old)
    meter.check(len(text) + (min(places, count) if count >= 0 else places) * len(new))
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


def unquoted_url(text: str) -> str:
    """`url.QueryUnescape`."""
    wrong = _BAD_ESCAPE.search(text)
    if wrong:
        raise TemplateError(
            f"error calling urldecode: invalid URL escape {golang.quoted(wrong.group())}"
        )
    return urllib.parse.unquote_plus(text, errors="surrogateescape")


_BAD_ESCAPE = re.compile(r"%(?![\da-fA-F]{2}).{0,2}", re.ASCII | re.DOTALL)


def quoted_url(text: str) -> str:
    return urllib.parse.quote_plus(text, errors="surrogateescape")


def escaped_html(*values: Value) -> str:
    text = html.escape(printed_all(*values), quote=True)
    return text.replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("\0", "\ufffd")


_JS = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026",
    "=": "\\u003D",
}  # fmt: skip


def escaped_js(*values: Value) -> str:
    return "".join(map(_js_letter, printed_all(*values)))


def _js_letter(letter: str) -> str:
    return _JS.get(letter) or (f"\\u{ord(letter):04X}" if letter < " " else letter)


def printed_all(*values: Value) -> str:
    """`fmt.Sprint`: a space between two values of which neither is a string."""
    parts: list[str] = []
    for at, value in enumerate(values):
        if at and not isinstance(value, str) and not isinstance(values[at - 1], str):
            parts.append(" ")
        parts.append(shown(value))
    return "".join(parts)


def printed_lines(*values: Value) -> str:
    return " ".join(map(shown, values)) + "\n"


def from_json(meter: Meter, text: str) -> Value:
    """What a text of JSON says; nil where it is none."""
    meter.add(len(text))  # the objects made of it need more room than the text
    try:
        document = orjson.loads(golang.with_replacements(text))
    except ValueError:
        return None
    found: Value = _as_go(document, 0)
    return found


_DEEPEST_JSON = 100


def _as_go(value: Any, level: int) -> Any:
    """Numbers are floats, objects are `Document`s."""
    if level > _DEEPEST_JSON:
        raise TemplateError(
            f"error calling fromJson: nested too deeply (limit: {_DEEPEST_JSON} levels)"
        )
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, dict):
        return Document({key: _as_go(one, level + 1) for key, one in value.items()})
    if isinstance(value, list):
        return [_as_go(one, level + 1) for one in value]
    return value


def title(text: str) -> str:
    letters = [
        letter.upper() if not at or not (text[at - 1].isalnum() or text[at - 1] in "_'") else letter
        for at, letter in enumerate(text)
    ]
    return "".join(letters)


def length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Mapping | list):
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
        if first is not None and other is not None:
            same_kind(first, other)
    return any(type(first) is type(other) and first == other for other in others)


def less(left: Value, right: Value) -> bool:
    same_kind(left, right)
    if isinstance(left, bool):
        raise TemplateError("invalid type for comparison")
    return bool(basic(left) < basic(right))


def seconds(text: str) -> float:
    return golang.duration_ns(text) / 1e9


def unix_to_time(text: str) -> Time:
    units = {5: 86_400 * 10**9, 10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
    if len(text) not in units or not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise TemplateError(f"error calling unixToTime: unable to parse time '{text}'")
    return Time(int(text) * units[len(text)])


def matches(pattern: str, text: str) -> int:
    return regex.count(pattern, text)
