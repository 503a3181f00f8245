"""Go's `fmt.Sprintf`, for the values that templates have."""

import re

from stack.logql import golang
from stack.logql.values import Value, kind_of, printed

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<places>\d*))?(?P<verb>.)?", re.DOTALL
)


def formatted(layout: str, *values: Value) -> str:
    """Mistakes are shown in the text, as in Go: `%!d(string=x)`, `%!s(MISSING)`."""
    rest = list(values)

    def one(found: re.Match[str]) -> str:
        verb = found["verb"]
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        return _written(found, rest.pop(0))

    text = _VERB.sub(one, layout)
    if rest:
        extra = ", ".join(f"{kind_of(value)}={printed(value)}" for value in rest)
        text += f"%!(EXTRA {extra})"
    return text


def _written(found: re.Match[str], value: Value) -> str:
    flags, verb = found["flags"], found["verb"]
    places = None if found["places"] is None else int(found["places"] or 0)
    text = _body(verb, value, places, flags)
    if text is None:
        return f"%!{verb}({kind_of(value)}={printed(value)})"
    width = int(found["width"] or 0)
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and isinstance(value, int | float) and not isinstance(value, bool):
        sign = text[:1] if text[:1] in ("+", "-") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _body(verb: str, value: Value, places: int | None, flags: str) -> str | None:
    """The value without padding; None if the verb does not fit its kind."""
    if verb == "v":
        return _signed(printed(value), value, flags)
    if isinstance(value, bool):
        return printed(value) if verb == "t" else None
    if isinstance(value, str):
        return _of_text(verb, value, places)
    if isinstance(value, int):
        return _of_int(verb, value, flags)
    if isinstance(value, float):
        return _of_float(verb, value, places, flags)
    return printed(value) if verb == "s" else None


def _of_text(verb: str, value: str, places: int | None) -> str | None:
    cut = value if places is None else value[:places]
    if verb == "s":
        return cut
    if verb == "q":
        return golang.quoted(cut)
    if verb in ("x", "X"):
        digits = cut.encode("utf-8", "surrogateescape").hex()
        return digits if verb == "x" else digits.upper()
    return None


def _of_int(verb: str, value: int, flags: str) -> str | None:
    if verb == "c":
        return chr(value)
    if verb == "q":
        return f"'{chr(value)}'"
    bases = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
    return _signed(format(value, bases[verb]), value, flags) if verb in bases else None


def _of_float(verb: str, value: float, places: int | None, flags: str) -> str | None:
    if verb not in "eEfFgG":
        return None
    if verb in "gG" and places is None:
        text = golang.float_text(value)
    else:
        text = format(value, f".{6 if places is None else places}{verb}")
    return _signed(text, value, flags)


def _signed(text: str, value: Value, flags: str) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or text[:1] in ("-", "+"):
        return text
    return ("+" if "+" in flags else " " if " " in flags else "") + text
