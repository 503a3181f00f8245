"""JSON read leniently and as text: what a log line yields as far as it is JSON.

Loki reads lines with `github.com/grafana/jsonparser`, which looks no further than it must: what
comes before a mistake counts, numbers are kept as written, and whatever follows the last brace is
ignored. `orjson` does none of that; it is used for lines where that makes no difference.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["string", "number", "boolean", "null", "object", "array"]


class JsonError(ValueError):
    """Where the text stops being JSON; the words are jsonparser's."""


class Member(NamedTuple):
    key: str
    kind: Kind
    raw: str
    """The value as it is in the text, a string without its quotes."""


_SPACE = re.compile(r"[ \n\r\t]*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TOKEN = re.compile(r"[^ \n\r\t,}\]]*")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[{}\[\]]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")

DEEPEST = 100
"""Objects within objects that are read."""


def unescaped(raw: str) -> str | None:
    """A string's value; None where an escape is invalid."""
    if "\\" not in raw:
        return raw
    try:
        value = json.loads(f'"{raw}"', strict=False)
    except ValueError:
        return None
    return None if _SURROGATE.search(value) else str(value)


def label_value(raw: str) -> str:
    """A string's value as a label; characters that are not text become spaces."""
    value = unescaped(raw)
    return "" if value is None else value.replace("\ufffd", " ")


def members(text: str, at: int = 0) -> Iterator[Member]:
    """The members of the object at `at`, in order, until the first mistake: then JsonError."""
    at = _token(text, at, "Value looks like object, but can't find closing '}' symbol")
    if text[at] != "{":
        raise JsonError("Value looks like object, but can't find closing '}' symbol")
    at = _token(text, at + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise JsonError("Value looks like object, but can't find closing '}' symbol")
        found = _STRING.match(text, at)
        if not found:
            raise JsonError("Malformed JSON error")
        key = unescaped(found.group(1))
        if key is None:
            raise JsonError("Encountered an invalid escape sequence in a string")
        at = _token(text, found.end())
        if text[at] != ":":
            raise JsonError("Malformed JSON error")
        kind, raw, at = value_at(text, _token(text, at + 1))
        yield Member(key, kind, raw)
        at = _token(text, at, "Value is array, but can't find closing ']' symbol")
        if text[at] == "}":
            return
        if text[at] != ",":
            raise JsonError("Value looks like object, but can't find closing '}' symbol")
        at = _token(text, at + 1, "Value is array, but can't find closing ']' symbol")


def items(text: str) -> Iterator[tuple[Kind, str]]:
    """The items of an array that starts the text, as far as it is well-formed."""
    try:
        at = _token(text, 1)
        while text[at] != "]":
            kind, raw, at = value_at(text, at)
            yield kind, raw
            at = _token(text, at)
            if text[at] == ",":
                at = _token(text, at + 1)
    except JsonError:
        return


def value_at(text: str, at: int) -> tuple[Kind, str, int]:
    """Kind, raw text and end of the value that starts at `at`. Raises JsonError."""
    first = text[at]
    if first == '"':
        found = _STRING.match(text, at)
        if not found:
            raise JsonError("Value is string, but can't find closing '\"' symbol")
        return "string", found.group(1), found.end()
    if first == "{" or first == "[":
        return _block(text, at)
    token = _TOKEN.match(text, at)
    word = token.group() if token else ""
    if word in ("true", "false"):
        return "boolean", word, at + len(word)
    if word == "null":
        return "null", word, at + len(word)
    if first in "-0123456789":
        return "number", word, at + len(word)
    raise JsonError("Unknown value type")


def _block(text: str, at: int) -> tuple[Kind, str, int]:
    opening = text[at]
    closing = "}" if opening == "{" else "]"
    level = 0
    for found in _BRACKETS.finditer(text, at):
        mark = found.group()
        if mark == opening:
            level += 1
        elif mark == closing:
            level -= 1
            if not level:
                return "object" if opening == "{" else "array", text[at : found.end()], found.end()
    looks = "looks like object" if opening == "{" else "is array"
    raise JsonError(f"Value {looks}, but can't find closing '{closing}' symbol")


def _token(text: str, at: int, otherwise: str = "Malformed JSON error") -> int:
    """Where the next token starts. Raises JsonError if the text ends before."""
    found = _SPACE.match(text, at)
    at = found.end() if found else at
    if at >= len(text):
        raise JsonError(otherwise)
    return at
