"""Where the durations and numbers of a query are in its text.

A lexer, not a parser: it knows strings, comments, braces, brackets and the word `offset`. The text
must already be known to be valid.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<duration>(?:[0-9]+(?:ms|[ywdhms]))+)
      | (?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_:]*|:[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


class Role(Enum):
    """What a duration or number does in the query."""

    RANGE = "range"  # [5m], and the first part of [1h:1m]
    STEP = "step"  # the second part of [1h:1m]
    OFFSET = "offset"
    AT = "at"  # the instant after @
    NUMBER = "number"  # an operand or argument


@dataclass(frozen=True, kw_only=True)
class Token:
    """A duration or number: its role, its text, and the index of its first character."""

    role: Role
    text: str
    start: int


def scan(query: str) -> Iterator[Token]:
    """The durations and numbers of a query, in the order of the text."""
    bracket = colon = False
    braces = 0
    before = ""  # the last token that was neither blank nor a sign
    for found in _TOKEN.finditer(query):
        kind, text = found.lastgroup, found.group()
        if kind == "blank" or text in {"+", "-"}:
            continue
        if kind == "mark":
            braces += (text == "{") - (text == "}")
            bracket = text == "[" or (bracket and text != "]")
            colon = bracket and (colon or text == ":")
        elif braces == 0 and _numeric(kind, text):
            yield Token(role=_role(bracket, colon, before), text=text, start=found.start())
        before = text.lower()


def _numeric(kind: str | None, text: str) -> bool:
    return kind in {"duration", "number"} or (kind == "word" and text.lower() in {"inf", "nan"})


def _role(bracket: bool, colon: bool, before: str) -> Role:
    if bracket:
        return Role.STEP if colon else Role.RANGE
    return {"offset": Role.OFFSET, "@": Role.AT}.get(before, Role.NUMBER)


def replaced(query: str, texts: Iterable[tuple[Token, str]]) -> str:
    """The query with the text of each given token replaced, and everything else as written."""
    end, parts = 0, []
    for token, text in texts:
        parts += [query[end : token.start], text]
        end = token.start + len(token.text)
    return "".join([*parts, query[end:]])
