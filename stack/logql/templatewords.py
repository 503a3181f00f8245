"""A Go template as texts and actions, and each action as tokens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stack.logql import golang
from stack.logql.errors import LogQLError

_ACTION = re.compile(
    r"\{\{(?P<trim_left>-(?=\s))?(?P<body>(?:\s*+/\*.*?\*/)?+(?:\"(?:[^\"\\\n]|\\.)*+\"|`[^`]*+`"
    r"|'(?:[^'\\\n]|\\.)*+'|(?!\}\}|(?<=\s)-\}\})[^\"'`])*+)(?P<trim_right>(?<=\s)-)?\}\}",
    re.DOTALL,
)
"""Nothing that is taken is given back: an action that is not closed is found to be so in one go."""

_MARK = "{{"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<field>(?:\.[^\W\d]\w*)+)"
    r"|(?P<variable>\$\w*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)"
    r"|(?P<char>'(?:[^'\\\n]|\\.[0-9a-fA-F]*)+')"
    r"|(?P<number>[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d*)?"
    r"(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![\w.]))"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<dot>\.)"
    r"|(?P<sign>:=|[=|(),])"
)


class Token(NamedTuple):
    kind: str
    text: str
    spaced: bool
    """Whether there is a space before it."""

    @property
    def shown(self) -> str:
        return golang.quoted(self.text) if self.kind == "sign" else f"<{self.text}>"


@dataclass(frozen=True, kw_only=True)
class Action:
    tokens: Sequence[Token]
    line: int

    @property
    def word(self) -> str:
        """Its first word; "" when it begins with something else."""
        return self.tokens[0].text if self.tokens and self.tokens[0].kind == "word" else ""


def bad(what: str, line: int) -> LogQLError:
    """What is wrong with a template, in Go's form."""
    return LogQLError(f"template: line:{line}: {what}")


def actions(text: str) -> list[str | Action]:
    """Texts and actions in turn, trimmed and without comments. Raises LogQLError."""
    steps: list[str | Action] = []
    at = 0
    line = 1
    trim = False
    while (begin := text.find(_MARK, at)) >= 0:
        found = _ACTION.match(text, begin)
        if not found:
            raise bad("unclosed action", text.count("\n") + 1)
        between = text[at:begin]
        line += between.count("\n")
        between = between.lstrip() if trim else between
        steps.append(between.rstrip() if found["trim_left"] else between)
        trim = bool(found["trim_right"])
        at = found.end()
        body = found["body"].strip()
        if not _COMMENT.fullmatch(body):
            steps.append(Action(tokens=_tokens(body, line), line=line))
        line += found.group().count("\n")
    rest = text[at:]
    steps.append(rest.lstrip() if trim else rest)
    return steps


def _tokens(body: str, line: int) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    spaced = False
    while at < len(body):
        found = _TOKEN.match(body, at)
        if not found:
            raise bad(f"unexpected {golang.quoted(body[at : at + 20])} in action", line)
        kind = found.lastgroup or ""
        if kind == "space":
            spaced = True
        else:
            tokens.append(Token(kind, found.group(), spaced))
            spaced = False
        at = found.end()
    return tokens


def literal(token: Token, line: int) -> str | int | float:
    """The value of a string, character or number. Raises LogQLError."""
    try:
        if token.kind == "string":
            return golang.unquoted(token.text)
        if token.kind == "char":
            return _char(token.text)
        return _number(token.text)
    except ValueError as error:
        raise bad(str(error), line) from None


def _char(text: str) -> int:
    body = text[1:-1]
    made = body.replace("\\'", "'") if body == "\\'" else golang.unquoted(f'"{body}"')
    if len(made) != 1 or body == '\\"':
        raise ValueError(f"malformed character constant: {text}")
    code = ord(made)
    return code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code  # a byte, from \xff


def _number(text: str) -> int | float:
    try:
        return golang.int_of(text)
    except ValueError as error:
        if "out of range" in str(error):
            raise ValueError(f"integer overflow: {text}") from None
    try:
        return golang.float_of(text.replace("_", ""))
    except ValueError:
        raise ValueError(f'bad number syntax: "{text}"') from None
