"""Go's `fmt.Sprintf`, for the values that templates have."""

import math
import re
from collections.abc import Callable

from stack.logql import golang
from stack.logql.values import Value, kind_of, shown

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\d+|\*)?(?:\.(?P<places>\d+|\*)?(?P<point>))?(?P<verb>.)?",
    re.DOTALL | re.ASCII,
)
_WIDEST = 7
"""Digits of a width; one with more is beyond every limit."""


def formatted(
    layout: str, *values: Value, check: Callable[[int], None] = lambda characters: None
) -> str:
    """Mistakes are shown in the text, as in Go: `%!d(string=x)`, `%!s(MISSING)`.

    `check` is told how long the text becomes before it is made, and may raise.
    """
    rest = list(reversed(values))
    parts: list[str] = []
    at = size = 0
    for found in _VERB.finditer(layout):
        parts.append(layout[at : found.start()])
        at = found.end()
        text = _one(found, rest, size, check)
        size += len(text)
        check(size)
        parts.append(text)
    parts.append(layout[at:])
    if rest:
        extra = ", ".join(
            [
                "<nil>" if value is None else f"{kind_of(value)}={shown(value)}"
                for value in reversed(rest)
            ]
        )
        parts.append(f"%!(EXTRA {extra})")
    return "".join(parts)


def _one(found: re.Match[str], rest: list[Value], size: int, check: Callable[[int], None]) -> str:
    """What one verb becomes; takes its values from the end of `rest`."""
    width, places, before, flags = None, None, "", found["flags"]
    if found["width"]:
        width, before = _number(found["width"], rest, "%!(BADWIDTH)")
        if width is not None and width < 0:
            width, flags = -width, flags + "-"
    if found["point"] is not None:
        places, wrong = _number(found["places"] or "0", rest, "%!(BADPREC)")
        before += wrong
        places = None if places is not None and places < 0 else places
    check(size + (width or 0) + (places or 0))
    verb = found["verb"]
    if verb is None:
        return before + "%!(NOVERB)"
    if verb == "%":
        return before + "%"
    if not rest:
        return f"{before}%!{verb}(MISSING)"
    return before + _written(verb, flags, width or 0, places, rest.pop())


def _number(text: str, rest: list[Value], wrong: str) -> tuple[int | None, str]:
    """A width or a precision, and what is written where there should be one and is not."""
    if text != "*":
        return (int(text) if len(text) <= _WIDEST else 10**_WIDEST), ""
    value = rest.pop() if rest else None
    return (value, "") if type(value) is int else (None, wrong)


def _written(verb: str, flags: str, width: int, places: int | None, value: Value) -> str:
    text = _body(verb, value, places, flags)
    if text is None:
        return f"%!{verb}({'<nil>' if value is None else f'{kind_of(value)}={shown(value)}'})"
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags:
        sign = text[:1] if text[:1] in ("+", "-") and _is_number(value) else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _body(verb: str, value: Value, places: int | None, flags: str) -> str | None:
    """The value without padding; None if the verb does not fit its kind."""
    if verb == "v":
        return _signed(shown(value), value, flags)
    if verb == "T":
        return kind_of(value)
    if isinstance(value, bool):
        return shown(value) if verb == "t" else None
    if isinstance(value, str):
        return _of_text(verb, value, places)
    if isinstance(value, int):
        return _of_int(verb, value, flags)
    if isinstance(value, float):
        return _of_float(verb, value, places, flags)
    return shown(value) if verb == "s" and value is not None else None


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
        return golang.character(value)
    if verb == "q":
        return f"'{golang.character(value)}'"
    if verb == "U":
        return f"U+{value:04X}"
    bases = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
    if verb not in bases:
        return None
    digits = format(abs(value), bases[verb])
    if "#" in flags:
        digits = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") + digits
    return _signed("-" * (value < 0) + digits, value, flags)


def _of_float(verb: str, value: float, places: int | None, flags: str) -> str | None:
    if verb not in "eEfFgG":
        return None
    if (verb in "gG" and places is None) or not math.isfinite(value):
        text = golang.float_text(value)
    else:
        text = format(value, f".{6 if places is None else places}{verb}")
    return _signed(text, value, flags)


def _signed(text: str, value: Value, flags: str) -> str:
    if not _is_number(value) or text[:1] in ("-", "+"):
        return text
    return ("+" if "+" in flags else " " if " " in flags else "") + text
