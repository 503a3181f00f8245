"""The values of single tokens of a query."""

from lark import Token

from stack import durations
from stack.errors import BadInput
from stack.logql import golang
from stack.logql.ast import CompareOp
from stack.logql.errors import LogQLError


def string_of(token: Token) -> str:
    try:
        text = golang.unquoted(str(token))
        text.encode()
    except UnicodeError:
        raise LogQLError(
            "invalid UTF-8 rune", line=token.line or 0, column=token.column or 0
        ) from None
    except ValueError as error:
        raise LogQLError(str(error), line=token.line or 0, column=token.column or 0) from None
    return text


def range_ns_of(token: Token) -> int:
    """`[5m]`: Prometheus' grammar."""
    text = str(token)[1:-1]
    try:
        return durations.milliseconds(text) * 1_000_000
    except BadInput:
        words = f'not a valid duration string: "{text}"' if text else "empty duration string"
        raise LogQLError(words, line=token.line or 0, column=token.column or 0) from None


def duration_ns_of(token: Token) -> int:
    """`> 1.5s`: Prometheus' grammar or Go's."""
    try:
        return durations.milliseconds(str(token)) * 1_000_000
    except BadInput:
        return golang.duration_ns(str(token))


def number_of(token: Token) -> float:
    try:
        return golang.float_of(str(token))
    except ValueError as error:
        raise LogQLError(f"unable to parse literal as a float: {error}") from None


def compare_of(token: Token) -> CompareOp:
    return CompareOp("==" if token == "=" else str(token))
