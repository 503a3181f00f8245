"""What can be changed in a value of a file, whatever it is for."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from stack.durations import milliseconds
from stack.errors import BadInput
from stack.mutation.expressions import durations, numbers
from stack.mutation.mutant import GONE, Keys

_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)

Found = tuple[Keys, object, str, str]
"""Where, the new value, the kind, and the change in words."""


def changes(value: Any, keys: Keys, *, keep: Collection[str] = ()) -> Iterator[Found]:
    """Every change to a value below `keys` and to all in it; what is called as in `keep` is left
    as it is."""
    name = next((str(key) for key in reversed(keys) if isinstance(key, str)), "")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in keep:
                continue
            yield (*keys, key), GONE, "field", f"without `{key}`"
            yield from changes(inner, (*keys, key), keep=keep)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            said = f" `{inner}`" if isinstance(inner, str) else ""
            yield (*keys, at), GONE, "field", f"without {nth(at)} of `{name}`{said}"
            yield from changes(inner, (*keys, at), keep=keep)
    else:
        for new, what in _scalars(value):
            yield keys, new, "field", f"with `{name}` {what}"


def nth(at: int) -> str:
    """In words, of a place that is counted from 0."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    number = at + 1
    return f"the {number}{'th' if 10 <= number % 100 <= 20 else ends.get(number % 10, 'th')}"


def _scalars(value: object) -> Iterator[tuple[object, str]]:
    if isinstance(value, bool):
        yield not value, f"turned into `{str(not value).lower()}`"
    elif isinstance(value, int | float):
        for new, how in numbers(str(value), far=True):
            yield type(value)(float(new)), f"{how} to `{new}`"
    elif isinstance(value, str) and _is_duration(value):
        for new, how in durations(value):
            yield new, f"{how} to `{new}`"
    elif isinstance(value, str):
        yield from texts(value)


def _is_duration(text: str) -> bool:
    try:
        return bool(re.match(r"[0-9]", text)) and milliseconds(text) >= 0
    except BadInput:
        return False


def texts(written: str) -> Iterator[tuple[str, str]]:
    """Other texts in the place of one, which may have templates in it."""
    yield f"{written}x", f"ending in another letter, `{_short(written)}x`"
    for match in _ACTION.finditer(written):
        yield (written[: match.start()] + written[match.end() :],
               f"without `{match.group()}`")  # fmt: skip
        *most, last = re.split(r"\s*\|\s*(?=\w+[^|]*$)", match.group()[2:-2].strip())
        if most and not re.match(r"(define|end|else|if|range|with|template)\b", most[0]):
            left = f"{{{{ {most[0]} }}}}"
            yield (written[: match.start()] + left + written[match.end() :],
                   f"without `| {last}`")  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"…{text[-20:]}"


def ordered(entries: Sequence[Any]) -> Iterator[tuple[int, list[Any]]]:
    """A list with one entry and the next in each other's places."""
    for at in range(len(entries) - 1):
        new = list(entries)
        new[at], new[at + 1] = new[at + 1], new[at]
        yield at, new
