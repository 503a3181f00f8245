"""The functions that templates may call.

Loki's documentation, "LogQL template functions", lists them; those with small letters come from
`github.com/Masterminds/sprig`, whose conversions they follow.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from stack.logql import golang, gotime, helpers
from stack.logql.budget import Meter
from stack.logql.errors import Kind, LogQLError
from stack.logql.formatting import formatted
from stack.logql.gotime import Time
from stack.logql.values import TemplateError, Value, item, kind_of, part, shown, truth

NOT_SUPPORTED = {"call"}
"""Functions that Loki has but this engine refuses: no value of a template is a function."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """`takes` names the kind of each argument, `more` the kind of any further ones; one that is
    `metered` gets the meter first, to ask before it makes text of any length."""

    does: Callable[..., Value]
    takes: Sequence[str] = ()
    more: str = ""
    metered: bool = False

    def call(self, name: str, arguments: list[Value], meter: Meter) -> Value:
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
            return self.does(meter, *given) if self.metered else self.does(*given)
        except (ValueError, OverflowError) as error:
            raise TemplateError(f"error calling {name}: {error}") from None
        except LogQLError as error:
            if error.kind is not Kind.PARSE:
                raise
            raise TemplateError(f"error calling {name}: {error.message}") from None


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
            value = golang.to_int64(does(value, helpers.to_int(other)))
        return value

    return Function(does=folded, takes=("any",), more="any")


def _floats(does: Callable[[float, float], float]) -> Function:
    def folded(first: Value, *more: Value) -> float:
        value = helpers.to_float(first)
        for other in more:
            value = does(value, helpers.to_float(other))
        return value

    return Function(does=folded, takes=("any",), more="any")


def _padded(does: Callable[[Meter, int, str], str]) -> Function:
    return Function(does=does, takes=("int", "string"), metered=True)


def _printing(does: Callable[..., str]) -> Function:
    """One that prints values of any kind, each of which has room."""

    def checked(meter: Meter, *values: Value) -> str:
        meter.check(sum(len(value) for value in values if isinstance(value, str)))
        for value in values:
            if isinstance(value, Mapping | list):
                meter.add(len(shown(value)))
        return does(*values)

    return Function(does=checked, more="any", metered=True)


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
    "index": Function(does=lambda of, *keys: item(of, keys), takes=("any",), more="any"),
    "slice": Function(does=lambda of, *bounds: part(of, bounds), takes=("any",), more="any"),
    "print": _printing(helpers.printed_all),
    "println": _printing(helpers.printed_lines),
    "printf": Function(
        does=lambda meter, layout, *values: formatted(layout, *values, check=meter.check),
        takes=("string",),
        more="any",
        metered=True,
    ),
    "html": _printing(helpers.escaped_html),
    "js": _printing(helpers.escaped_js),
    "urlquery": _printing(lambda *values: helpers.quoted_url(helpers.printed_all(*values))),
    # Loki's own.
    "ToLower": _texts(str.lower, 1),
    "ToUpper": _texts(str.upper, 1),
    "Replace": Function(
        does=helpers.replaced, takes=("string", "string", "string", "int"), metered=True
    ),
    "Trim": _texts(lambda text, cut: text.strip(cut) if cut else text, 2),
    "TrimLeft": _texts(lambda text, cut: text.lstrip(cut) if cut else text, 2),
    "TrimRight": _texts(lambda text, cut: text.rstrip(cut) if cut else text, 2),
    "TrimPrefix": _texts(str.removeprefix, 2),
    "TrimSuffix": _texts(str.removesuffix, 2),
    "TrimSpace": _texts(str.strip, 1),
    "regexReplaceAll": Function(
        does=partial(helpers.substituted, literal=False), takes=("string",) * 3, metered=True
    ),
    "regexReplaceAllLiteral": Function(
        does=partial(helpers.substituted, literal=True), takes=("string",) * 3, metered=True
    ),
    "count": _texts(helpers.matches, 2),
    "urldecode": _texts(helpers.unquoted_url, 1),
    "urlencode": _texts(helpers.quoted_url, 1),
    "bytes": _texts(lambda text: float(golang.size_bytes(text)), 1),
    "duration": _texts(helpers.seconds, 1),
    "duration_seconds": _texts(helpers.seconds, 1),
    "unixEpochMillis": Function(does=lambda time: str(time.ns // 10**6), takes=("time.Time",)),
    "unixEpochNanos": Function(
        does=lambda time: str(golang.to_int64(time.ns)), takes=("time.Time",)
    ),
    "unixToTime": _texts(helpers.unix_to_time, 1),
    "alignLeft": _padded(partial(helpers.aligned, right=False)),
    "alignRight": _padded(partial(helpers.aligned, right=True)),
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
    "indent": _padded(helpers.indented),
    "nindent": _padded(lambda meter, spaces, text: "\n" + helpers.indented(meter, spaces, text)),
    "replace": Function(
        does=lambda meter, old, new, text: helpers.replaced(meter, text, old, new, -1),
        takes=("string",) * 3,
        metered=True,
    ),
    "repeat": _padded(helpers.repeated),
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
    "ceil": Function(does=partial(helpers.whole, up=True), takes=("any",)),
    "floor": Function(does=partial(helpers.whole, up=False), takes=("any",)),
    "round": Function(does=helpers.rounded, takes=("any", "int"), more="float64"),
    "fromJson": Function(does=helpers.from_json, takes=("string",), metered=True),
    "toDate": _texts(gotime.from_layout, 2),
    "toDateInZone": _texts(lambda layout, zone, text: gotime.from_layout(layout, text, zone), 3),
    "default": Function(does=helpers.default, takes=("any",), more="any"),
    "now": Function(does=Time.now),
    "date": Function(does=gotime.of_layout, takes=("string", "any")),
    "unixEpoch": Function(does=lambda time: str(time.ns // 10**9), takes=("time.Time",)),
}
