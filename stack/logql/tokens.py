"""The values of single tokens of a query: every literal is converted here, while parsing.

Whatever cannot be converted, or is out of range, is a LogQLError with the token's place.
"""

from collections.abc import Callable
from typing import TypeVar

from lark import Token

from stack import durations
from stack.errors import BadInput
from stack.logql import golang
from stack.logql.ast import CompareOp
from stack.logql.errors import LogQLError

T = TypeVar("T")

MOST_DIGITS = 40
"""Digits in a row: more than any number in range has, fewer than Python refuses to convert."""


def refused(token: Token, words: str) -> LogQLError:
    """The error to raise for a token."""
    return LogQLError(words, line=token.line or 0, column=token.column or 0)


def string_of(token: Token) -> str:
    try:
        text = golang.unquoted(str(token))
        text.encode()
    except UnicodeError:
        raise refused(token, "invalid UTF-8 rune") from None
    except ValueError as error:
        raise refused(token, str(error)) from None
    return text


def range_ns_of(token: Token) -> int:
    """`[5m]`: Prometheus' grammar; a range of nothing is refused, as Prometheus does."""
    text = str(token)[1:-1]
    length_ns = _prometheus_ns(text)
    if length_ns is None:
        raise refused(
            token, f'not a valid duration string: "{text}"' if text else "empty duration string"
        )
    if not length_ns:
        raise refused(token, "duration must be greater than 0")
    return length_ns


def duration_ns_of(token: Token) -> int:
    """`> 1.5s`, `offset 5m`: Prometheus' grammar or Go's."""
    length_ns = _prometheus_ns(str(token))
    if length_ns is not None:
        return length_ns
    if set("ywd") & set(token):
        raise refused(token, f'duration out of range: "{token}"')
    return _converted(token, golang.duration_ns)


def _prometheus_ns(text: str) -> int | None:
    """None for what is not a duration, or longer than can be counted."""
    try:
        return durations.milliseconds(text) * 1_000_000
    except BadInput:
        return None


def size_of(token: Token) -> int:
    """`> 20MB`."""
    return _converted(token, golang.size_bytes)


def number_of(token: Token) -> float:
    try:
        return golang.float_of(str(token))
    except ValueError as error:
        raise refused(token, f"unable to parse literal as a float: {error}") from None


def count_of(token: Token) -> int:
    """A whole number, such as the first parameter of `topk`; it is known to be one."""
    digits = str(token).lstrip("0") or "0"
    if len(digits) > MOST_DIGITS or int(digits) > golang.LARGEST:
        raise refused(
            token, f"strconv.Atoi: parsing {golang.quoted(str(token))}: value out of range"
        )
    return int(digits)


def compare_of(token: Token) -> CompareOp:
    return CompareOp("==" if token == "=" else str(token))


def _converted(token: Token, convert: Callable[[str], T]) -> T:
    try:
        return convert(str(token))
    except ValueError as error:
        raise refused(token, str(error)) from None
