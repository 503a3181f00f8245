"""What an alert rule compares with what: each condition of its expression, in the text's order."""

from collections.abc import Iterator
from dataclasses import dataclass

from stack.check.configuration import LOGQL, PROMQL
from stack.errors import BadInput
from stack.logql import LogQLError, ast, parse
from stack.logql.text import text_of
from stack.speed import constants, tree

TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
"""Comparison → the same one, read from its right side."""

GONE = "gone"
_OPPOSITES = ((">", "<="), (">=", "<"), ("==", "!="), ("", GONE))
_OPPOSITE = {**dict(_OPPOSITES), **{two: one for one, two in _OPPOSITES}}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition of a rule."""

    measured: str
    """What is measured, a query of its own."""
    comparison: str = ""
    """What it must be, seen from there: `>`, `<=` …; without a comparison empty, it must have a
    value at all, or `gone`, it must have none."""
    against: float | str = ""
    """The other side, a number or a query; empty where nothing is compared."""
    joined: str = ""
    """`and` or `or`, with the condition before it; empty for the first."""
    guard: bool = False
    """It only narrows what another condition finds (right of `and` and `unless`)."""

    @property
    def threshold(self) -> float | None:
        """What it is compared with, when that is a number."""
        return self.against if isinstance(self.against, float) else None


def conditions(expression: str, language: str = PROMQL) -> tuple[Condition, ...]:
    """All conditions of a rule; what is right of `unless` as its opposite, joined by `and`.

    Labels by which sides are matched are left out. None of an expression that cannot be read.
    """
    try:
        if language == LOGQL:
            return tuple(_conditions(_of_logql(parse(expression))))
        return tuple(_conditions(_of_promql(tree.read(expression))))
    except (BadInput, LogQLError):
        return ()


@dataclass(frozen=True, kw_only=True)
class _Term:
    """What the trees of both languages have in common."""

    text: str
    operator: str = ""
    """Of a binary operation that filters or joins."""
    parts: tuple["_Term", ...] = ()
    number: float | None = None


def _of_promql(node: tree.Node) -> _Term:
    inner, number = constants.strip(node), constants.value(node)
    if inner.kind != "binary" or inner.is_bool:
        return _Term(text=node.text, number=number)
    parts = tuple(map(_of_promql, inner.parts))
    return _Term(text=node.text, operator=inner.name, parts=parts, number=number)


def _of_logql(query: ast.Query) -> _Term:
    if isinstance(query, ast.BinaryOperation) and not query.bool_:
        parts = (_of_logql(query.left), _of_logql(query.right))
        return _Term(text=text_of(query), operator=query.op, parts=parts)
    number = query.value if isinstance(query, ast.Literal) else None
    return _Term(text=text_of(query), number=number)


def _conditions(
    term: _Term, joined: str = "", *, guard: bool = False, opposite: bool = False
) -> Iterator[Condition]:
    if term.operator in ("and", "or", "unless"):
        left, right = term.parts
        word = "or" if (term.operator == "or") != opposite else "and"
        narrows = term.operator != "or"
        yield from _conditions(left, joined, guard=guard, opposite=opposite)
        yield from _conditions(
            right, word, guard=guard or narrows,
            opposite=opposite != (term.operator == "unless"),
        )  # fmt: skip
        return
    comparison, measured, other = "", term, None
    if term.operator in TURNED:
        measured, other = term.parts
        comparison = term.operator
        if measured.number is not None:
            measured, other = other, measured
            comparison = TURNED[comparison]
    if other is not None and measured.operator in TURNED:
        # What passes the first comparison is compared once more: `10 < x < 20`.
        found = [*_conditions(measured, joined, guard=guard, opposite=opposite)]
        yield from found
        measured, joined = _Term(text=found[-1].measured), "or" if opposite else "and"
    yield Condition(
        measured=measured.text,
        comparison=_OPPOSITE[comparison] if opposite else comparison,
        against="" if other is None else other.text if other.number is None else other.number,
        joined=joined,
        guard=guard,
    )
