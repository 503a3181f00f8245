"""What a PromQL expression reads, and which labels its result has, by the syntax tree."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import promql_parser as parser
import re2  # type: ignore[import-untyped]  # google-re2 has no types

from stack.errors import BadInput
from stack.speed import tree

Labels = frozenset[str] | None
"""Names of labels; None where they are not known."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One label matcher of a selector."""

    name: str
    operator: str
    value: str

    def holds(self, value: str) -> bool:
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        try:
            same = bool(re2.compile(f"^(?s:{self.value})$").match(value))
        except re2.error:
            return True
        return same == (self.operator == "=~")

    def example(self) -> str | None:
        """A value that it lets pass, where one is easily found."""
        if self.operator == "=":
            return self.value
        if self.operator == "=~":
            first = self.value.split("|")[0].replace(".*", "").replace(".+", "0")
            for value in (first, first.replace(".", "0")):
                with contextlib.suppress(re2.error):
                    if value and self.holds(value) and value.isprintable():
                        return value
        return None


@dataclass(frozen=True, kw_only=True)
class Selector:
    """One selector of series."""

    metric: str
    conditions: tuple[Condition, ...]
    wanted: frozenset[str] = frozenset()
    """Labels that the operations around it group or join by."""

    def holds(self, name: str, value: str) -> bool:
        return all(one.holds(value) for one in self.conditions if one.name == name)


@dataclass(kw_only=True)
class Reading:
    """Everything that an expression reads."""

    selectors: list[Selector] = field(default_factory=list)
    missing: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    """A label that is asked for where it cannot be, by what it is asked, and what there is."""
    labels: Labels = None
    """Labels of the result."""


Source = Callable[[Selector], Labels]
"""The labels of the series of a selector."""


def read(expression: str, source: Source) -> Reading:
    """Raises BadInput for text that is not PromQL."""
    tree.read(expression)  # teaches the parser, and raises
    reading = Reading()
    try:
        reading.labels = _Reader(reading, source).labels(_parsed(expression), frozenset())
    except ValueError as error:
        raise BadInput(str(error)) from None
    return reading


_parsed = lru_cache(maxsize=4096)(parser.parse)


@dataclass
class _Reader:
    reading: Reading
    source: Source

    def labels(self, expr: parser.Expr, wanted: frozenset[str]) -> Labels:
        match expr:
            case parser.VectorSelector():
                return self._selector(expr, wanted)
            case parser.MatrixSelector():
                return self._selector(expr.vector_selector, wanted)
            case parser.SubqueryExpr() | parser.ParenExpr() | parser.UnaryExpr():
                return self.labels(expr.expr, wanted)
            case parser.AggregateExpr():
                return self._aggregate(expr, wanted)
            case parser.BinaryExpr():
                return self._binary(expr, wanted)
            case parser.Call():
                return self._call(expr, wanted)
        return frozenset()

    def _selector(self, expr: "parser.VectorSelector", wanted: frozenset[str]) -> Labels:
        conditions = tuple(
            Condition(name=one.name, operator=_operator(one.op), value=one.value)
            for one in expr.matchers.matchers
        )
        named = [one.value for one in conditions
                 if one.name == "__name__" and one.operator == "="]  # fmt: skip
        found = Selector(
            metric=expr.name or (named[0] if named else ""),
            conditions=tuple(one for one in conditions if one.name != "__name__"),
            wanted=wanted,
        )
        self.reading.selectors.append(found)
        return self.source(found)

    def _aggregate(self, expr: "parser.AggregateExpr", wanted: frozenset[str]) -> Labels:
        if expr.param is not None:
            self.labels(expr.param, frozenset())
        modifier, name = expr.modifier, str(expr.op)
        by = modifier is not None and str(modifier.type).endswith("By")
        named = frozenset(modifier.labels) if modifier is not None else frozenset()
        keeps = name in ("topk", "bottomk", "limitk", "limit_ratio")
        inner = self.labels(expr.expr, named if by else frozenset())
        if by:
            self._asked(named, inner, f"{name} by")
        if keeps:
            return inner
        added: frozenset[str] = frozenset()
        if name == "count_values" and isinstance(expr.param, parser.StringLiteral):
            added = frozenset([expr.param.val])
        if by:
            return named | added
        if modifier is None:
            return added
        return None if inner is None else (inner - named) | added

    def _binary(self, expr: "parser.BinaryExpr", wanted: frozenset[str]) -> Labels:
        modifier = expr.modifier
        matching = modifier.matching if modifier is not None else None
        on = matching is not None and str(matching.type).endswith("Include")
        named = frozenset(matching.labels) if matching is not None else frozenset()
        sides = [self.labels(one, wanted | (named if on else frozenset()))
                 for one in (expr.lhs, expr.rhs)]  # fmt: skip
        if on:
            for side in sides:
                self._asked(named, side, f"{expr.op} on")
        scalars = [_is_scalar(one) for one in (expr.lhs, expr.rhs)]
        if True in scalars:
            return sides[scalars.index(False)] if False in scalars else frozenset()
        name = str(expr.op)
        if name == "or":
            return None if None in sides else (sides[0] or frozenset()) | (sides[1] or frozenset())
        if name in ("and", "unless") or matching is None:
            return sides[0]
        if modifier is None:
            return None
        card = str(modifier.card)
        if many := {"ManyToOne": sides[0], "OneToMany": sides[1]}.get(card.rpartition(".")[2]):
            return many | set(modifier.group_labels or ())
        return named if on and "OneToOne" in card else None

    def _call(self, expr: "parser.Call", wanted: frozenset[str]) -> Labels:
        name, args = expr.func.name, list(expr.args)
        found = [self.labels(one, wanted) for one in args]
        if name in ("time", "vector", "scalar", "pi"):
            return frozenset()
        if name in ("absent", "absent_over_time"):
            last = self.reading.selectors[-1] if self.reading.selectors else None
            return frozenset(one.name for one in last.conditions if one.operator == "=") \
                if last else frozenset()  # fmt: skip
        vectors = [one for one, arg in zip(found, args, strict=True)
                   if not (_is_scalar(arg) or isinstance(arg, parser.StringLiteral))]  # fmt: skip
        inner = vectors[0] if vectors else frozenset()
        if inner is None:
            return None
        if name in ("label_replace", "label_join"):
            target = args[1]
            return inner | {target.val} if isinstance(target, parser.StringLiteral) else None
        return inner - {"le"} if name.startswith("histogram_") else inner

    def _asked(self, names: frozenset[str], there: Labels, by: str) -> None:
        if there is not None:
            for name in sorted(names - there):
                self.reading.missing.append((name, by, there))


def _operator(op: object) -> str:
    name = str(op).rpartition(".")[2]
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}.get(name, name)


def _is_scalar(expr: parser.Expr) -> bool:
    match expr:
        case parser.NumberLiteral():
            return True
        case parser.ParenExpr() | parser.UnaryExpr():
            return _is_scalar(expr.expr)
        case parser.BinaryExpr():
            return _is_scalar(expr.lhs) and _is_scalar(expr.rhs)
        case parser.Call():
            return expr.func.name in ("time", "scalar", "pi")
    return False


def selectors(expression: str) -> Iterator[Selector]:
    """The selectors alone; nothing for text that is not PromQL."""
    with contextlib.suppress(BadInput):
        yield from read(expression, lambda selector: None).selectors
