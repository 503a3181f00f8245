"""From text to `ast`, by the grammar in `grammar.lark`.

A query takes about 0.2 ms, the first one of a process 10 ms more (`tables`). Loki's words for
mistakes are those of `pkg/logql/syntax` (version 3).
"""

from functools import cache
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from stack.logql import builder, tables
from stack.logql.ast import LogQuery, Matcher, MetricQuery, Query
from stack.logql.errors import LogQLError
from stack.logql.keeping import kept
from stack.logql.matching import accepts
from stack.logql.walk import depth, selectors

LONGEST_QUERY = 131072
"""In characters; Loki's limit."""

DEEPEST_QUERY = 500
"""Levels of parts within parts: what works on a query needs a call for each level, at most."""

SELECTS_ALL = (
    "queries require at least one regexp or equality matcher that does not have an "
    'empty-compatible value. For instance, app=~".*" does not meet this requirement, '
    'but app=~".+" will'
)

_WORDS = {
    "$END": "$end",
    "BYTES": "BYTES",
    "IDENTIFIER": "IDENTIFIER",
    "STRING": "STRING",
    "NUMBER": "NUMBER",
    "DURATION": "DURATION",
    "RANGE": "RANGE",
    "EQ": "=",
    "RE": "=~",
    "NRE": "!~",
    "NPA": "!>",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": ",",
    "PIPE_MATCH": "|~",
    "PIPE_EXACT": "|=",
    "PIPE_PATTERN": "|>",
    "LPAR": "(",
    "RPAR": ")",
    "VBAR": "|",
    "CMP_EQ": "==",
    "NEQ": "!=",
    "LT": "<",
    "LTE": "<=",
    "GT": ">",
    "GTE": ">=",
    "ADD": "+",
    "SUB": "-",
    "MUL": "*",
    "DIV": "/",
    "MOD": "%",
    "POW": "^",
}
"""What Loki calls the tokens, in the order in which it lists them; others by their own text."""

_ORDER = {kind: place for place, kind in enumerate(_WORDS)}
_FUNCTIONS = {"RANGE_OP", "VECTOR_OP", "CONVERSION", "VECTOR", "LABEL_REPLACE"}


@kept(64)  # rules ask the same queries again and again
def parse(text: str) -> Query:
    """The query that `text` says. Raises LogQLError, with line and column of a syntax error.

    Regular expressions, templates and patterns of stages are checked when the query is compiled.
    """
    if len(text) >= LONGEST_QUERY:
        raise LogQLError(f"input size too long ({len(text)} > {LONGEST_QUERY})")
    try:
        query: Query = _parser().parse(text)  # type: ignore[assignment]  # the transformer's
    except UnexpectedInput as error:
        raise _syntax_error(error, text) from None
    if len(text) > DEEPEST_QUERY < depth(query):  # every level has characters of its own
        raise LogQLError(f"the query is nested too deeply (limit: {DEEPEST_QUERY} levels)")
    for matchers in selectors(query):
        _check_matchers(matchers)
    return query


def parse_log(text: str) -> LogQuery:
    """As `parse`, for a query of entries. Raises LogQLError for a metric query."""
    query = parse(text)
    if not isinstance(query, LogQuery):
        raise LogQLError("only log selector is supported")
    return query


def parse_metric(text: str) -> MetricQuery:
    """As `parse`, for a query of numbers. Raises LogQLError for a log query."""
    query = parse(text)
    if isinstance(query, LogQuery):
        raise LogQLError("only sample expression supported")
    return query


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a bare selector, as `/series?match[]=` takes it. Raises LogQLError."""
    query = parse(text)
    if not isinstance(query, LogQuery) or query.stages:
        raise LogQLError("only label matchers are supported")
    return query.matchers


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return tables.parser(grammar, builder.Builder())


def _check_matchers(matchers: tuple[Matcher, ...]) -> None:
    if all(accepts(matcher)("") for matcher in matchers):
        raise LogQLError(SELECTS_ALL)


def _syntax_error(error: UnexpectedInput, text: str) -> LogQLError:
    if isinstance(error, UnexpectedCharacters):
        rest = text[error.pos_in_stream :]
        if rest[:1] in ('"', "`"):
            message = "literal not terminated"
        elif rest[:1] == "[":
            message = "missing closing ']' in duration"
        else:
            message = "syntax error: unexpected IDENTIFIER"
        return LogQLError(message, line=error.line, column=error.column)
    assert isinstance(error, UnexpectedToken)
    token: Token = error.token
    line, column = token.line or 1, token.column or 1
    if token.type == "$END":
        line, column = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
    message = f"syntax error: unexpected {_word(token.type, token)}"
    expected = sorted(
        error.accepts or error.expected, key=lambda kind: (_ORDER.get(kind, len(_ORDER)), kind)
    )
    if 0 < len(expected) <= 4:
        message += ", expecting " + " or ".join(_word(kind) for kind in expected)
    return LogQLError(message, line=line, column=column)


def _word(kind: str, text: str = "") -> str:
    """What Loki calls a kind of token."""
    if kind in _FUNCTIONS:
        return text.upper() or kind
    return _WORDS.get(kind, kind.lower())
