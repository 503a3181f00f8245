"""The functions that templates may call.

Loki's documentation, "LogQL template functions", lists them; those with small letters come from
`github.com/Masterminds/sprig`, whose conversions they follow.
"""

import base64
import math
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.logql import golang, gotime, helpers
from stack.logql.errors import LogQLError
from stack.logql.formatting import formatted
from stack.logql.gotime import Time
from stack.logql.values import TemplateError, Value, kind_of, printed, truth

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
"""Functions that Loki has but this engine refuses."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """`takes` names the kind of each argument, `more` the kind of any further ones."""

    does: Callable[..., Value]
    takes: Sequence[str] = ()
    more: str = ""

    def call(self, name: str, arguments: list[Value]) -> Value:
        """Raises TemplateError, also for arguments of a wrong kind or number."""
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


def _texts(does: Callable[..., Value], count: int) -> Function:
    return Function(does=does, takes=("string",) * count)


def _ints(does: Callable[[int, int], int]) -> Function:
    def folded(first: Value, *more: Value) -> int:
        value = helpers.to_int(first)
        for other in more:
            value = does(value, helpers.to_int(other))
        return value

    return Function(does=folded, takes=("any",), more="any")


def _floats(does: Callable[[float, float], float]) -> Function:
    def folded(first: Value, *more: Value) -> float:
        value = helpers.to_float(first)
        for other in more:
            value = does(value, helpers.to_float(other))
        return value

    return Function(does=folded, takes=("any",), more="any")


FUNCTIONS: Mapping[str, Function] = {
    # Go's own.
    "and": Function(does=lambda *values: values[-1], takes=("any",), more="any"),
    "or": Function(does=lambda *values: values[-1], takes=("any",), more="any"),
    "not": Function(does=lambda value: not truth(value), takes=("any",)),
    "eq": Function(does=helpers.equal, takes=("any",), more="any"),
    "ne": Function(does=lambda left, right: not helpers.equal(left, right), takes=("any", "any")),
    "lt": Function(does=helpers.less, takes=("any", "any")),
    "le": Function(
        does=lambda left, right: helpers.less(left, right) or helpers.equal(left, right),
        takes=("any", "any"),
    ),
    "gt": Function(
        does=lambda left, right: not (helpers.less(left, right) or helpers.equal(left, right)),
        takes=("any", "any"),
    ),
    "ge": Function(does=lambda left, right: not helpers.less(left, right), takes=("any", "any")),
    "len": Function(does=helpers.length, takes=("any",)),
    "print": Function(does=lambda *values: "".join(map(printed, values)), more="any"),
    "println": Function(does=lambda *values: " ".join(map(printed, values)) + "\n", more="any"),
    "printf": Function(does=formatted, takes=("string",), more="any"),
    "urlquery": _texts(urllib.parse.quote_plus, 1),
    # Loki's own.
    "ToLower": _texts(str.lower, 1),
    "ToUpper": _texts(str.upper, 1),
    "Replace": Function(does=helpers.replaced, takes=("string", "string", "string", "int")),
    "Trim": _texts(lambda text, cut: text.strip(cut) if cut else text, 2),
    "TrimLeft": _texts(lambda text, cut: text.lstrip(cut) if cut else text, 2),
    "TrimRight": _texts(lambda text, cut: text.rstrip(cut) if cut else text, 2),
    "TrimPrefix": _texts(str.removeprefix, 2),
    "TrimSuffix": _texts(str.removesuffix, 2),
    "TrimSpace": _texts(str.strip, 1),
    "regexReplaceAll": _texts(
        lambda pattern, text, new: helpers.substituted(pattern, text, new, literal=False), 3
    ),
    "regexReplaceAllLiteral": _texts(
        lambda pattern, text, new: helpers.substituted(pattern, text, new, literal=True), 3
    ),
    "count": _texts(helpers.matches, 2),
    "urldecode": _texts(urllib.parse.unquote_plus, 1),
    "urlencode": _texts(urllib.parse.quote_plus, 1),
    "bytes": _texts(lambda text: float(golang.size_bytes(text)), 1),
    "duration": _texts(helpers.seconds, 1),
    "duration_seconds": _texts(helpers.seconds, 1),
    "unixEpochMillis": Function(does=lambda time: str(time.ns // 10**6), takes=("time.Time",)),
    "unixEpochNanos": Function(does=lambda time: str(time.ns), takes=("time.Time",)),
    "unixToTime": _texts(helpers.unix_to_time, 1),
    "alignLeft": Function(
        does=lambda count, text: helpers.aligned(count, text, right=False), takes=("int", "string")
    ),
    "alignRight": Function(
        does=lambda count, text: helpers.aligned(count, text, right=True), takes=("int", "string")
    ),
    "b64dec": _texts(helpers.decoded, 1),
    # From sprig.
    "b64enc": _texts(
        lambda text: base64.b64encode(text.encode("utf-8", "surrogateescape")).decode(), 1
    ),
    "lower": _texts(str.lower, 1),
    "upper": _texts(str.upper, 1),
    "title": _texts(helpers.title, 1),
    "trunc": Function(does=helpers.truncated, takes=("int", "string")),
    "substr": Function(does=helpers.substring, takes=("int", "int", "string")),
    "contains": _texts(lambda part, text: part in text, 2),
    "hasPrefix": _texts(lambda part, text: text.startswith(part), 2),
    "hasSuffix": _texts(lambda part, text: text.endswith(part), 2),
    "indent": Function(does=helpers.indented, takes=("int", "string")),
    "nindent": Function(
        does=lambda spaces, text: "\n" + helpers.indented(spaces, text), takes=("int", "string")
    ),
    "replace": _texts(lambda old, new, text: helpers.replaced(text, old, new, -1), 3),
    "repeat": Function(does=lambda count, text: text * count, takes=("int", "string")),
    "trim": _texts(str.strip, 1),
    "trimAll": _texts(lambda cut, text: text.strip(cut) if cut else text, 2),
    "trimPrefix": _texts(lambda part, text: text.removeprefix(part), 2),
    "trimSuffix": _texts(lambda part, text: text.removesuffix(part), 2),
    "int": Function(does=helpers.to_int, takes=("any",)),
    "float64": Function(does=helpers.to_float, takes=("any",)),
    "add": _ints(lambda left, right: left + right),
    "sub": _ints(lambda left, right: left - right),
    "mul": _ints(lambda left, right: left * right),
    "div": _ints(helpers.go_divide),
    "mod": _ints(helpers.go_modulo),
    "max": _ints(max),
    "min": _ints(min),
    "addf": _floats(lambda left, right: left + right),
    "subf": _floats(lambda left, right: left - right),
    "mulf": _floats(lambda left, right: left * right),
    "divf": _floats(helpers.float_divide),
    "maxf": _floats(max),
    "minf": _floats(min),
    "ceil": Function(does=lambda value: float(math.ceil(helpers.to_float(value))), takes=("any",)),
    "floor": Function(
        does=lambda value: float(math.floor(helpers.to_float(value))), takes=("any",)
    ),
    "round": Function(does=helpers.rounded, takes=("any", "int"), more="any"),
    "default": Function(does=helpers.default, takes=("any",), more="any"),
    "now": Function(does=Time.now),
    "date": Function(does=gotime.of_layout, takes=("string", "any")),
    "unixEpoch": Function(does=lambda time: str(time.ns // 10**9), takes=("time.Time",)),
}
