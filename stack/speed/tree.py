"""A PromQL expression as a plain tree, its numbers counted in the order of the text.

The parser (promql-parser) gives no positions and prints no milliseconds, so it is used only to
understand the expression, and the text is changed token by token: the n-th number literal of the
tree is the n-th number of the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Literal

import promql_parser as parser

from stack.errors import BadInput

Kind = Literal[
    "number", "string", "selector", "subquery", "call", "aggregate", "binary", "sign", "paren"
]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation of an expression, with its operands in the order of the text."""

    kind: Kind
    text: str
    """As the parser prints it, for messages."""
    name: str = ""
    """Function, aggregation or operator."""
    parts: tuple["Node", ...] = ()
    value: float = 0.0
    """Of a number literal."""
    number: int = -1
    """Of a number literal: how many come before it in the text."""
    is_bool: bool = False
    """A comparison that gives 0 or 1 instead of filtering."""
    span_s: float = 0.0
    """Of a selector or subquery: range + offset, in seconds (a negative offset counts as none)."""
    range_s: float = 0.0
    metric: str = ""
    """Of a selector: what it names before its braces."""
    matchers: tuple[tuple[str, str, str], ...] = ()
    """Of a selector: label, operator (`=`, `!=`, `=~`, `!~`) and value of each."""
    fixed: bool = False
    """A selector or subquery pinned to a wall-clock instant by `@ 1609746000`."""

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@lru_cache(maxsize=4096)
def read(expr: str) -> Node:
    """The tree of a PromQL expression; raises BadInput with the parser's message."""
    _teach()
    try:
        parsed = parser.parse(expr)
    except ValueError as error:
        raise BadInput(f"`{expr.strip()}` is not PromQL: {error}.") from error
    return _Reader().node(parsed)


@cache
def _teach() -> None:
    """Teach the parser the functions of Prometheus 2.53 that it does not know."""
    matrix, scalar = parser.ValueType.Matrix, parser.ValueType.Scalar
    smoothing = parser.Function(
        "holt_winters", [matrix, scalar, scalar], parser.ValueType.Vector, 0, False
    )
    try:
        parser.register_extra_functions([smoothing])
    except ValueError:  # a later release of the parser knows it, or it was registered before
        return


class _Reader:
    def __init__(self) -> None:
        self._numbers = 0

    def node(self, expr: parser.Expr) -> Node:
        text = str(expr).replace("{}", "")
        match expr:
            case parser.NumberLiteral():
                self._numbers += 1
                return Node(kind="number", text=text, value=expr.val, number=self._numbers - 1)
            case parser.StringLiteral():
                return Node(kind="string", text=text)
            case parser.VectorSelector():
                return _selector(text, expr, None)
            case parser.MatrixSelector():
                return _selector(text, expr.vector_selector, expr.range)
            case parser.SubqueryExpr():
                return _selector(text, expr, expr.range, self.node(expr.expr))
            case parser.Call():
                return Node(
                    kind="call", text=text, name=expr.func.name, parts=self._all(*expr.args)
                )
            case parser.AggregateExpr():
                parts = self._all(*([] if expr.param is None else [expr.param]), expr.expr)
                return Node(kind="aggregate", text=text, name=str(expr.op), parts=parts)
            case parser.BinaryExpr():
                is_bool = expr.modifier is not None and expr.modifier.return_bool
                parts = self._all(expr.lhs, expr.rhs)
                name = str(expr.op)
                return Node(kind="binary", text=text, name=name, parts=parts, is_bool=is_bool)
            case parser.UnaryExpr():
                return Node(kind="sign", text=text, parts=self._all(expr.expr))
            case parser.ParenExpr():
                return Node(kind="paren", text=text, parts=self._all(expr.expr))
        raise BadInput(f"`{text}` is a kind of PromQL that this lab does not know.")

    def _all(self, *exprs: parser.Expr) -> tuple[Node, ...]:
        return tuple(self.node(expr) for expr in exprs)


def _selector(
    text: str,
    expr: "parser.VectorSelector | parser.SubqueryExpr",
    window: timedelta | None,
    *parts: Node,
) -> Node:
    range_s = window.total_seconds() if window else 0.0
    offset_s = expr.offset.total_seconds() if expr.offset else 0.0
    return Node(
        kind="subquery" if parts else "selector",
        text=text,
        parts=parts,
        metric=(expr.name or "") if isinstance(expr, parser.VectorSelector) else "",
        matchers=_matchers(expr) if isinstance(expr, parser.VectorSelector) else (),
        range_s=range_s,
        span_s=range_s + max(offset_s, 0.0),
        fixed=expr.at is not None and expr.at.type == parser.AtModifierType.At,
    )


def _matchers(expr: parser.VectorSelector) -> tuple[tuple[str, str, str], ...]:
    operators = (
        (parser.MatchOp.Equal, "="),
        (parser.MatchOp.NotEqual, "!="),
        (parser.MatchOp.Re, "=~"),
        (parser.MatchOp.NotRe, "!~"),
    )
    return tuple(
        (one.name, next(sign for op, sign in operators if op == one.op), one.value)
        for one in expr.matchers.matchers
    )
