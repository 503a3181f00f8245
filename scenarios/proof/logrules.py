"""What rules on logs read, from their LogQL."""

from stack.errors import BadInput
from stack.logql import LogQLError, parse
from stack.logql.ast import LogQuery
from stack.logql.text import text_of
from stack.logql.walk import selectors


def streams(expression: str) -> list[str]:
    """The selectors that a rule reads, whatever the level: a healthy service writes no errors, but
    must be known to write."""
    try:
        found = list(selectors(parse(expression)))
    except LogQLError as error:
        raise BadInput(f"`{expression.strip()}`: {error}") from None
    every = [tuple(one for one in matchers if one.name != "level") for matchers in found]
    return list(dict.fromkeys(text_of(LogQuery(matchers=matchers)) for matchers in every))
