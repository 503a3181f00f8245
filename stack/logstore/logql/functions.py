"""The functions that templates may call.

Loki's documentation, "LogQL template functions", lists them; those with small letters come from
`github.com/Masterminds/sprig`, whose conversions they follow.
"""

import base64
import math
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stack.logstore.logql import golang, gotime, regex
from stack.logstore.logql.errors import LogQLError
from stack.logstore.logql.formatting import formatted
from stack.logstore.logql.gotime import Time
from stack.logstore.logql.values import TemplateError, Value, kind_of, printed, truth

__all__ = [
    "FUNCTIONS",
    "NOT_SUPPORTED",
    "TemplateError",
    "Time",
    "Value",
    "kind_of",
    "printed",
    "truth",
]

NOT_SUPPORTED = {
    "call",
    "fromJson",
    "html",
    "index",
    "js",
    "slice",
    "toDate",
    "toDateInZone",
}
"""Functions of Loki that are refused here."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """`takes` names the kind of each argument; `more` that of any number of further ones."""

    does: Callable[..., Value]
    takes: Sequence[str] = ()
    more: str = ""

    def call(self, name: str, arguments: list[Value]) -> Value:
        """Raises TemplateError, for arguments of a wrong kind or number, too."""
        few = len(arguments) < len(self.takes)
        if few or (len(arguments) > len(self.takes) and not self.more):
            wanted = f"at least {len(self.takes)}" if self.more else str(len(self.takes))
            raise TemplateError(
                f"wrong number of args for {name}: want {wanted} got {len(arguments)}"
            )
        kinds = [*self.takes, *[self.more] * (len(arguments) - len(self.takes))]
        given = [_fitted(value, kind) for value, kind in zip(arguments, kinds, strict=True)]
        try:
            return self.does(*given)
        except (ValueError, OverflowError, LogQLError) as error:
            words = error.message if isinstance(error, LogQLError) else str(error)
            raise TemplateError(f"error calling {name}: {words}") from None


def _fitted(value: Value, kind: str) -> Value:
    if kind == "any":
        return value
    if kind_of(value) == kind or (kind == "float64" and type(value) is int):
        return float(value) if kind == "float64" else value  # type: ignore[arg-type]
    if kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    raise TemplateError(f"wrong type for value; expected {kind}; got {kind_of(value)}")


def _to_int(value: Value) -> int:
    """As sprig casts: what is no number is 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(str(value), 0)
    except ValueError:
        return 0


def _to_float(value: Value) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    try:
        return golang.float_of(str(value))
    except ValueError:
        return 0.0


def _go_divide(left: int, right: int) -> int:
    if not right:
        raise TemplateError("runtime error: integer divide by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _go_modulo(left: int, right: int) -> int:
    return left - right * _go_divide(left, right)


def _float_divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _rounded(value: Value, places: int, *_round_on: Value) -> float:
    scale = 10.0**places
    digit = _to_float(value) * scale
    floor = math.floor(digit)
    return (floor + 1 if digit - floor >= 0.5 else floor) / scale


def _truncated(count: int, text: str) -> str:
    if count < 0 and len(text) + count > 0:
        return text[len(text) + count :]
    return text[:count] if 0 <= count < len(text) else text


def _substring(start: int, end: int, text: str) -> str:
    if start < 0:
        return text[: max(end, 0)]
    if end < 0 or end > len(text):
        return text[start:]
    return text[start:end]


def _aligned(count: int, text: str, *, right: bool) -> str:
    if count < 0 or count == len(text):
        return text
    if right:
        return text.rjust(count) if count > len(text) else text[len(text) - count :]
    return text.ljust(count)[:count]


def _indented(spaces: int, text: str) -> str:
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def _substituted(pattern: str, text: str, replacement: str, *, literal: bool) -> str:
    return regex.replaced(pattern, text, replacement, literal=literal)


def _replaced(text: str, old: str, new: str, count: int) -> str:
    return text.replace(old, new, count) if old or count >= 0 else new + new.join(text) + new


def _default(preset: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else preset


def _decoded(text: str) -> str:
    rest = len(text) % 4
    text += "=" * (4 - rest) if rest in (2, 3) else ""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        return "illegal base64 data"


def _title(text: str) -> str:
    letters = [
        letter.upper() if not at or not (text[at - 1].isalnum() or text[at - 1] in "_'") else letter
        for at, letter in enumerate(text)
    ]
    return "".join(letters)


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Mapping):
        return len(value)
    raise TemplateError(f"len of type {kind_of(value)}")


def _basic(value: Value) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise TemplateError("invalid type for comparison")


def _same_kind(left: Value, right: Value) -> None:
    kinds = {kind_of(_basic(left)), kind_of(_basic(right))}
    if len(kinds) > 1:
        raise TemplateError("incompatible types for comparison")


def _equal(first: Value, *others: Value) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    for other in others:
        _same_kind(first, other)
    return any(first == other for other in others)


def _less(left: Value, right: Value) -> bool:
    _same_kind(left, right)
    if isinstance(left, bool):
        raise TemplateError("invalid type for comparison")
    return bool(_basic(left) < _basic(right))


def _seconds(text: str) -> float:
    return golang.duration_ns(text) / 1e9


def _unix_to_time(text: str) -> Time:
    units = {5: 86_400 * 10**9, 10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
    if len(text) not in units or not text.isdecimal():
        raise TemplateError(f"unable to parse time '{text}'")
    return Time(int(text) * units[len(text)])


def _matches(pattern: str, text: str) -> int:
    return regex.count(pattern, text)


def _texts(does: Callable[..., Value], count: int) -> Function:
    return Function(does=does, takes=("string",) * count)


def _ints(does: Callable[[int, int], int]) -> Function:
    def folded(first: Value, *more: Value) -> int:
        value = _to_int(first)
        for other in more:
            value = does(value, _to_int(other))
        return value

    return Function(does=folded, takes=("any",), more="any")


def _floats(does: Callable[[float, float], float]) -> Function:
    def folded(first: Value, *more: Value) -> float:
        value = _to_float(first)
        for other in more:
            value = does(value, _to_float(other))
        return value

    return Function(does=folded, takes=("any",), more="any")


FUNCTIONS: Mapping[str, Function] = {
    # Go's own.
    "and": Function(does=lambda *values: values[-1], takes=("any",), more="any"),
    "or": Function(does=lambda *values: values[-1], takes=("any",), more="any"),
    "not": Function(does=lambda value: not truth(value), takes=("any",)),
    "eq": Function(does=_equal, takes=("any",), more="any"),
    "ne": Function(does=lambda left, right: not _equal(left, right), takes=("any", "any")),
    "lt": Function(does=_less, takes=("any", "any")),
    "le": Function(
        does=lambda left, right: _less(left, right) or _equal(left, right), takes=("any", "any")
    ),
    "gt": Function(
        does=lambda left, right: not (_less(left, right) or _equal(left, right)),
        takes=("any", "any"),
    ),
    "ge": Function(does=lambda left, right: not _less(left, right), takes=("any", "any")),
    "len": Function(does=_length, takes=("any",)),
    "print": Function(does=lambda *values: "".join(map(printed, values)), more="any"),
    "println": Function(does=lambda *values: " ".join(map(printed, values)) + "\n", more="any"),
    "printf": Function(does=formatted, takes=("string",), more="any"),
    "urlquery": _texts(urllib.parse.quote_plus, 1),
    # Loki's own.
    "ToLower": _texts(str.lower, 1),
    "ToUpper": _texts(str.upper, 1),
    "Replace": Function(does=_replaced, takes=("string", "string", "string", "int")),
    "Trim": _texts(lambda text, cut: text.strip(cut) if cut else text, 2),
    "TrimLeft": _texts(lambda text, cut: text.lstrip(cut) if cut else text, 2),
    "TrimRight": _texts(lambda text, cut: text.rstrip(cut) if cut else text, 2),
    "TrimPrefix": _texts(str.removeprefix, 2),
    "TrimSuffix": _texts(str.removesuffix, 2),
    "TrimSpace": _texts(str.strip, 1),
    "regexReplaceAll": _texts(
        lambda pattern, text, new: _substituted(pattern, text, new, literal=False), 3
    ),
    "regexReplaceAllLiteral": _texts(
        lambda pattern, text, new: _substituted(pattern, text, new, literal=True), 3
    ),
    "count": _texts(_matches, 2),
    "urldecode": _texts(urllib.parse.unquote_plus, 1),
    "urlencode": _texts(urllib.parse.quote_plus, 1),
    "bytes": _texts(lambda text: float(golang.size_bytes(text)), 1),
    "duration": _texts(_seconds, 1),
    "duration_seconds": _texts(_seconds, 1),
    "unixEpochMillis": Function(does=lambda time: str(time.ns // 10**6), takes=("time.Time",)),
    "unixEpochNanos": Function(does=lambda time: str(time.ns), takes=("time.Time",)),
    "unixToTime": _texts(_unix_to_time, 1),
    "alignLeft": Function(
        does=lambda count, text: _aligned(count, text, right=False), takes=("int", "string")
    ),
    "alignRight": Function(
        does=lambda count, text: _aligned(count, text, right=True), takes=("int", "string")
    ),
    "b64dec": _texts(_decoded, 1),
    # From sprig.
    "b64enc": _texts(
        lambda text: base64.b64encode(text.encode("utf-8", "surrogateescape")).decode(), 1
    ),
    "lower": _texts(str.lower, 1),
    "upper": _texts(str.upper, 1),
    "title": _texts(_title, 1),
    "trunc": Function(does=_truncated, takes=("int", "string")),
    "substr": Function(does=_substring, takes=("int", "int", "string")),
    "contains": _texts(lambda part, text: part in text, 2),
    "hasPrefix": _texts(lambda part, text: text.startswith(part), 2),
    "hasSuffix": _texts(lambda part, text: text.endswith(part), 2),
    "indent": Function(does=_indented, takes=("int", "string")),
    "nindent": Function(
        does=lambda spaces, text: "\n" + _indented(spaces, text), takes=("int", "string")
    ),
    "replace": _texts(lambda old, new, text: _replaced(text, old, new, -1), 3),
    "repeat": Function(does=lambda count, text: text * count, takes=("int", "string")),
    "trim": _texts(str.strip, 1),
    "trimAll": _texts(lambda cut, text: text.strip(cut) if cut else text, 2),
    "trimPrefix": _texts(lambda part, text: text.removeprefix(part), 2),
    "trimSuffix": _texts(lambda part, text: text.removesuffix(part), 2),
    "int": Function(does=_to_int, takes=("any",)),
    "float64": Function(does=_to_float, takes=("any",)),
    "add": _ints(lambda left, right: left + right),
    "sub": _ints(lambda left, right: left - right),
    "mul": _ints(lambda left, right: left * right),
    "div": _ints(_go_divide),
    "mod": _ints(_go_modulo),
    "max": _ints(max),
    "min": _ints(min),
    "addf": _floats(lambda left, right: left + right),
    "subf": _floats(lambda left, right: left - right),
    "mulf": _floats(lambda left, right: left * right),
    "divf": _floats(_float_divide),
    "maxf": _floats(max),
    "minf": _floats(min),
    "ceil": Function(does=lambda value: float(math.ceil(_to_float(value))), takes=("any",)),
    "floor": Function(does=lambda value: float(math.floor(_to_float(value))), takes=("any",)),
    "round": Function(does=_rounded, takes=("any", "int"), more="any"),
    "default": Function(does=_default, takes=("any",), more="any"),
    "now": Function(does=Time.now),
    "date": Function(does=gotime.of_layout, takes=("string", "any")),
    "unixEpoch": Function(does=lambda time: str(time.ns // 10**9), takes=("time.Time",)),
}
