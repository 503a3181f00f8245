"""What SQL can say about a label filter after `| json`, and where it cannot be certain."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stack.logql.ast import (
    And,
    CompareOp,
    DurationFilter,
    Json,
    LabelFilter,
    LineFilter,
    MatchOp,
    NumberFilter,
    Or,
    Stage,
    StringFilter,
)
from stack.programs.logstore.database import literal
from stack.programs.logstore.streams import Known

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_ODD_NUMBER = r"-0|-?[0-9]{19,}|-?[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?|-?[0-9]+[eE][+-]?[0-9]+"
"""Numbers that the database writes differently from the line."""

_UNITS_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "m": 6e10, "h": 3.6e12}
"""Tried in this order: the most common first."""
_NEAR = 1e-9
"""Relative: nearer to what it is compared with, the engine must compare the number."""


class Verdict(NamedTuple):
    """For a row, in SQL: whether the filter's result is certain, and the result if it is."""

    sure: str
    passes: str


@dataclass(kw_only=True)
class Fields:
    """The columns and parameters that conditions need as they are made."""

    streams: Sequence[Known]
    fields: dict[str, str] = field(default_factory=dict)
    """JSON field -> its column."""
    values: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        """The column of a field; None if a stream has a label of that name, or the name is not
        that of a field that can be identified."""
        if not _FIELD.match(name) or name.endswith("_extracted"):
            return None
        if any(name in stream.labels for stream in self.streams):
            return None
        return self.fields.setdefault(name, f"field{len(self.fields)}")

    def columns(self) -> dict[str, str]:
        return {
            column: f"CASE WHEN plain THEN json_extract_string(line, {literal('$.' + name)}) END"
            for name, column in self.fields.items()
        }

    def value(self, value: Any) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


_UNKNOWN = Verdict("false", "true")


def json_filters(stages: Sequence[Stage]) -> list[LabelFilter]:
    """The label filters directly after a leading `| json`; none if the query has no such form."""
    rest = list(stages)
    while rest and isinstance(rest[0], LineFilter):
        rest.pop(0)
    if not rest or rest.pop(0) != Json():
        return []
    found: list[LabelFilter] = []
    for one in rest:
        if isinstance(one, LabelFilter):
            found.append(one)
        elif not isinstance(one, LineFilter):
            break
    return found


def is_text(one: LabelFilter) -> bool:
    if isinstance(one, And | Or):
        return is_text(one.left) and is_text(one.right)
    return isinstance(one, StringFilter)


def verdict(one: LabelFilter, made: Fields) -> Verdict:
    match one:
        case And():
            left, right = verdict(one.left, made), verdict(one.right, made)
            return Verdict(f"({left.sure} AND {right.sure})", f"({left.passes} AND {right.passes})")
        case Or():
            left, right = verdict(one.left, made), verdict(one.right, made)
            return Verdict(f"({left.sure} AND {right.sure})", f"({left.passes} OR {right.passes})")
        case StringFilter():
            return _string_verdict(one, made)
        case NumberFilter():
            return _number_verdict(one.name, one.op, one.value, {"": 1.0}, made)
        case DurationFilter():
            return _number_verdict(one.name, one.op, float(one.value_ns), _UNITS_NS, made)
        case _:
            return _UNKNOWN


def _string_verdict(one: StringFilter, made: Fields) -> Verdict:
    column = made.column(one.matcher.name)
    if column is None:
        return _UNKNOWN
    text, value = f"coalesce({column}, '')", made.value(one.matcher.value)
    passes = {
        MatchOp.EQ: f"{text} = {value}",
        MatchOp.NE: f"{text} <> {value}",
        MatchOp.RE: f"regexp_full_match({text}, {value})",
        MatchOp.NRE: f"NOT regexp_full_match({text}, {value})",
    }[one.matcher.op]
    return Verdict(certain(column), passes)


def certain(column: str) -> str:
    """SQL: whether the column's text is certainly the label's."""
    return f"({column} IS NULL OR NOT regexp_full_match({column}, {literal(_ODD_NUMBER)}))"


def _number_verdict(
    name: str, op: CompareOp, wanted: float, units: Mapping[str, float], made: Fields
) -> Verdict:
    """A row without the field does not pass; a number that is not a simple one, or near what it is
    compared with, is uncertain here."""
    column = made.column(name)
    if column is None or not math.isfinite(wanted):
        return _UNKNOWN
    branches = " ".join(
        f"WHEN regexp_full_match({column}, {literal(f'[0-9]{{1,15}}([.][0-9]{{1,9}})?{unit}')}) "
        f"THEN CAST({f'left({column}, -{len(unit)})' if unit else column} AS DOUBLE) * {factor!r}"
        for unit, factor in units.items()
    )
    number = f"(CASE {branches} END)"
    margin = max(abs(wanted) * _NEAR, 1e-300)
    sure = f"({column} IS NULL OR coalesce(abs({number} - {wanted!r}) > {margin!r}, false))"
    sign = "<>" if op is CompareOp.NE else "=" if op is CompareOp.EQ else op.value
    return Verdict(sure, f"({column} IS NOT NULL AND coalesce({number} {sign} {wanted!r}, true))")
