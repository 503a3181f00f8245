"""What SQL can answer instead of the engine: filters on JSON fields, and counts.

Rows that a segment marks as plain JSON (`stack.logstore.segment`) read the same to everybody. For
them SQL says what the engine would; all others, and whatever is in memory, are the engine's. In
doubt a row is the engine's, too, and so is every query that is not one of these shapes:

    {…} line filters… | json | label filters… | anything      rows that cannot pass are not read
    sum by (…) (count_over_time({…} line filters… | json | label filters… [5m]))    counted in SQL

and `rate`, `bytes_over_time`, `bytes_rate`, without `| json`, or without the sum.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from stack.logstore.database import TooLarge, literal
from stack.logstore.logql.ast import (
    And,
    CompareOp,
    DurationFilter,
    Grouping,
    Json,
    LabelFilter,
    LineFilter,
    LogQuery,
    MatchOp,
    MetricQuery,
    NumberFilter,
    Or,
    RangeAggregation,
    Stage,
    StringFilter,
    VectorAggregation,
)
from stack.logstore.logql.budget import Account, Budget
from stack.logstore.logql.entry import LabelKey
from stack.logstore.logql.frames import Frame
from stack.logstore.logql.metrics import Evaluation
from stack.logstore.logql.pipeline import leading_filters
from stack.logstore.reader import (
    Condition,
    View,
    filter_sql,
    matching,
    overlapping,
    remaining_s,
    scan,
)
from stack.logstore.streams import Known

_COUNTED = {
    "count_over_time": ("count_over_time", "count(*)"),
    "rate": ("count_over_time", "count(*)"),
    "bytes_over_time": ("bytes_over_time", "sum(size)"),
    "bytes_rate": ("bytes_over_time", "sum(size)"),
}
"""Operation -> what is counted for it, and how."""
_RATES = ("rate", "bytes_rate")

_MOST_BUCKETS = 50_000
_MOST_ROWS = 200_000
"""Rows of a count by group and bucket; of more, the engine says what it thinks."""

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_ODD_NUMBER = r"-0|-?[0-9]{19,}|-?[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?|-?[0-9]+[eE][+-]?[0-9]+"
"""Numbers that the database writes otherwise than the line does."""

_UNITS_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10, "h": 3.6e12}
_NEAR = 1e-9
"""Relative: nearer to what it is compared with, a number is the engine's to compare."""


class Verdict(NamedTuple):
    """Of a row, in SQL: whether it is certain what a filter says, and what it says if so."""

    sure: str
    passes: str


@dataclass(kw_only=True)
class _Query:
    """The columns and parameters that conditions need as they are made."""

    streams: Sequence[Known]
    fields: dict[str, str] = field(default_factory=dict)
    """JSON field -> its column."""
    values: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        """The column of a field; None when a stream has a label of that name, or it is no name of
        a field that could be told apart."""
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


# Filters ---------------------------------------------------------------------------------------

_UNKNOWN = Verdict("false", "true")


def prefilter(query: LogQuery, streams: Sequence[Known]) -> Condition | None:
    """What rows of segments must be for the query to let them pass, as far as SQL can say it."""
    made = _Query(streams=streams)
    keeps, before = [], ["true"]
    for one in _json_filters(query.stages):
        sure, passes = _verdict(one, made)
        if sure == "false":
            before.append(sure)
        elif _is_text(one):
            keeps.append(f"(NOT coalesce({sure}, false) OR {passes})")
        elif "false" not in before:
            # With an error of an earlier filter, one that compares numbers lets everything pass.
            before.append(sure)
            keeps.append(f"(NOT coalesce({' AND '.join(before)}, false) OR {passes})")
    if not keeps:
        return None
    return Condition(f"NOT plain OR ({' AND '.join(keeps)})", made.values, made.columns())


def _json_filters(stages: Sequence[Stage]) -> list[LabelFilter]:
    """The label filters right behind a leading `| json`; none when the query is not so."""
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


def _is_text(one: LabelFilter) -> bool:
    if isinstance(one, And | Or):
        return _is_text(one.left) and _is_text(one.right)
    return isinstance(one, StringFilter)


def _verdict(one: LabelFilter, made: _Query) -> Verdict:
    match one:
        case And():
            left, right = _verdict(one.left, made), _verdict(one.right, made)
            return Verdict(f"({left.sure} AND {right.sure})", f"({left.passes} AND {right.passes})")
        case Or():
            left, right = _verdict(one.left, made), _verdict(one.right, made)
            return Verdict(f"({left.sure} AND {right.sure})", f"({left.passes} OR {right.passes})")
        case StringFilter():
            return _string_verdict(one, made)
        case NumberFilter():
            return _number_verdict(one.name, one.op, one.value, {"": 1.0}, made)
        case DurationFilter():
            return _number_verdict(one.name, one.op, float(one.value_ns), _UNITS_NS, made)
        case _:
            return _UNKNOWN


def _string_verdict(one: StringFilter, made: _Query) -> Verdict:
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
    return Verdict(_certain(column), passes)


def _certain(column: str) -> str:
    """Whether the column's text is the label's."""
    return f"({column} IS NULL OR NOT regexp_full_match({column}, {literal(_ODD_NUMBER)}))"


def _number_verdict(
    name: str, op: CompareOp, wanted: float, units: Mapping[str, float], made: _Query
) -> Verdict:
    """A row without the field does not pass; of a number that is not a simple one, or near what it
    is compared with, nobody can be sure here."""
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


# Counts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Counts:
    """A `Shortcut`: counts entries of segments in SQL, leaves the rest to the engine and adds."""

    view: View
    budget: Budget

    def evaluate(self, query: MetricQuery, times_ns: Sequence[int]) -> Frame | None:
        """See `Shortcut.evaluate`. Raises what the engine and the database raise."""
        match query:
            case VectorAggregation(op="sum", of=RangeAggregation() as inner) if not inner.grouping:
                grouping = query.grouping or Grouping(without=False, labels=())
                return self._counted(inner, grouping, times_ns)
            case RangeAggregation(grouping=None):
                return self._counted(query, None, times_ns)
        return None

    def _counted(
        self, query: RangeAggregation, grouping: Grouping | None, times_ns: Sequence[int]
    ) -> Frame | None:
        plan = self._plan(query, grouping) if query.op in _COUNTED and not query.unwrap else None
        buckets = _Buckets.of(query, times_ns)
        if plan is None or buckets is None:
            return None
        rows = self._rows(query, plan, buckets)
        if rows is None:
            return None
        frame = self._rest(query, grouping, plan, times_ns)
        for key, totals in plan.totals(rows, buckets).items():
            _add(frame, key, totals)
        if query.op in _RATES:
            seconds = query.range_ns / 1e9
            frame = {
                key: [None if value is None else value / seconds for value in values]
                for key, values in frame.items()
            }
        return frame

    def _plan(self, query: RangeAggregation, grouping: Grouping | None) -> "_Plan | None":
        streams = matching(self.view.store.streams, query.query.matchers)
        made = _Query(streams=streams)
        terms = []
        for count, one in enumerate(leading_filters(query.query)):
            term = filter_sql(one, f"line{count}", made.values)
            if not term:
                return None
            terms.append(term)
        stages = query.query.stages[len(terms) :]
        if not stages:
            return _Plan(streams=streams, grouping=grouping, exact=" AND ".join(terms),
                         doubt="", made=made, fields={})  # fmt: skip
        filters = _json_filters(query.query.stages)
        if stages[0] != Json() or len(filters) != len(stages) - 1:
            return None
        if grouping is None or grouping.without:
            return None
        fields = _fields(grouping, made)
        if fields is None:
            return None
        verdicts = [_verdict(one, made) for one in filters]
        if any(verdict.sure == "false" for verdict in verdicts):
            return None
        sure = ["plain", *(verdict.sure for verdict in verdicts)]
        sure += [_certain(column) for column in fields.values()]
        certain = f"coalesce({' AND '.join(sure)}, false)"
        exact = " AND ".join([*terms, certain, *(verdict.passes for verdict in verdicts)])
        return _Plan(streams=streams, grouping=grouping, exact=exact,
                     doubt=f"NOT {certain}", made=made, fields=fields)  # fmt: skip

    def _rows(
        self, query: RangeAggregation, plan: "_Plan", buckets: "_Buckets"
    ) -> Sequence[tuple[Any, ...]] | None:
        """(stream, fields…, bucket, count) of the rows that are sure; None when there are too many
        to hold."""
        idents = {stream.ident for stream in plan.streams}
        span = (buckets.base_ns + 1, buckets.end_ns)
        touched = overlapping(self.view.snapshot.segments, idents, *span)
        if not touched:
            return []
        condition = Condition(plan.exact or "true", plan.made.values, plan.made.columns())
        where, values = scan(touched, idents, span, condition)
        stream = "stream" if plan.by_stream else "0"
        keys = ", ".join([stream, *plan.fields.values()])
        rows = self._select(
            f"SELECT {keys}, (ts - {buckets.base_ns + 1}) // {buckets.width_ns} AS bucket, "
            f"CAST({_COUNTED[query.op][1]} AS BIGINT) FROM {where} GROUP BY ALL "
            f"LIMIT {_MOST_ROWS + 1}",
            values,
        )
        if rows is None or len(rows) > _MOST_ROWS:
            return None
        if _COUNTED[query.op][0] == "count_over_time":
            self.view.read[0] += sum(row[-1] for row in rows)
        return rows

    def _select(self, sql: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]] | None:
        """The rows; None when there are too many groups for the database to hold."""
        try:
            return self.view.store.database.rows(sql, values, remaining_s(self.view.deadline))
        except TooLarge:
            return None

    def _rest(
        self, query: RangeAggregation, grouping: Grouping | None, plan: "_Plan",
        times_ns: Sequence[int],
    ) -> Frame:  # fmt: skip
        """The engine's count of what is in memory and of the rows that are not sure."""
        doubt = Condition(plan.doubt, plan.made.values, plan.made.columns()) if plan.doubt else None
        view = replace(self.view, condition=doubt, only_memory=doubt is None)
        counted: MetricQuery = replace(query, op=_COUNTED[query.op][0])
        if grouping is not None:
            counted = VectorAggregation(op="sum", of=counted, grouping=grouping)
        account = Account(budget=self.budget)
        return Evaluation(source=view, times_ns=times_ns, account=account).frame(counted)


def _fields(grouping: Grouping, made: _Query) -> dict[str, str] | None:
    """Labels of the grouping that are JSON fields, with their columns; None when it is not clear
    of each whether it is a field or a label of the streams."""
    fields = {}
    for name in grouping.labels:
        have = sum(name in stream.labels for stream in made.streams)
        if made.streams and have == len(made.streams):
            continue
        column = made.column(name)
        if column is None:
            return None
        fields[name] = column
    return fields


@dataclass(frozen=True, kw_only=True)
class _Plan:
    streams: Sequence[Known]
    grouping: Grouping | None
    exact: str
    """Rows that count, and for which that is sure."""
    doubt: str
    """Rows for which it is not; empty when it is for all."""
    made: _Query
    fields: Mapping[str, str]

    @property
    def by_stream(self) -> bool:
        """Whether rows of different streams must be told apart."""
        if self.grouping is None or self.grouping.without:
            return True
        return any(name not in self.fields for name in self.grouping.labels)

    def totals(
        self, rows: Sequence[tuple[Any, ...]], buckets: "_Buckets"
    ) -> dict[LabelKey, list[float | None]]:
        """Series -> its count in each window."""
        counts: dict[LabelKey, dict[int, int]] = {}
        labels = {stream.ident: stream.labels for stream in self.streams}
        for ident, *texts, bucket, count in rows:
            key = self._key(labels.get(ident, {}), texts)
            of_key = counts.setdefault(key, {})
            of_key[bucket] = of_key.get(bucket, 0) + count
        return {key: buckets.windows(of_key) for key, of_key in counts.items()}

    def _key(self, labels: Mapping[str, str], texts: Sequence[str | None]) -> LabelKey:
        pairs = dict(labels)
        if self.grouping is not None:
            named = set(self.grouping.labels)
            pairs = {k: v for k, v in pairs.items() if (k in named) is not self.grouping.without}
        pairs.update(
            (name, text) for name, text in zip(self.fields, texts, strict=True) if text is not None
        )
        return tuple(sorted(pairs.items()))


@dataclass(frozen=True, kw_only=True)
class _Buckets:
    """Time cut so that each window is a whole number of buckets (base + k·width, … + width]."""

    base_ns: int
    width_ns: int
    steps: int
    step: int
    """Buckets from one window to the next."""
    span: int
    """Buckets of a window."""

    @staticmethod
    def of(query: RangeAggregation, times_ns: Sequence[int]) -> "_Buckets | None":
        """None when there would be too many, or the times are not evenly spaced."""
        step_ns = times_ns[1] - times_ns[0] if len(times_ns) > 1 else query.range_ns
        even = all(times_ns[i + 1] - times_ns[i] == step_ns for i in range(len(times_ns) - 1))
        width_ns = math.gcd(step_ns, query.range_ns)
        made = _Buckets(
            base_ns=times_ns[0] - query.offset_ns - query.range_ns, width_ns=width_ns,
            steps=len(times_ns), step=step_ns // width_ns, span=query.range_ns // width_ns,
        )  # fmt: skip
        return made if even and made.count <= _MOST_BUCKETS else None

    @property
    def count(self) -> int:
        return (self.steps - 1) * self.step + self.span

    @property
    def end_ns(self) -> int:
        """Exclusive."""
        return self.base_ns + self.count * self.width_ns + 1

    def windows(self, counts: Mapping[int, int]) -> list[float | None]:
        """The sum of each window; None where it is empty."""
        before = [0] * (self.count + 1)
        for bucket in range(self.count):
            before[bucket + 1] = before[bucket] + counts.get(bucket, 0)
        filled = [0] * (self.count + 1)
        for bucket in range(self.count):
            filled[bucket + 1] = filled[bucket] + (bucket in counts)
        windows: list[float | None] = []
        for low in range(0, self.steps * self.step, self.step):
            high = low + self.span
            there = filled[high] > filled[low]
            windows.append(float(before[high] - before[low]) if there else None)
        return windows


def _add(frame: Frame, key: LabelKey, totals: Sequence[float | None]) -> None:
    have = frame.get(key)
    if have is None:
        if any(total is not None for total in totals):
            frame[key] = list(totals)
        return
    frame[key] = [
        one if other is None else other if one is None else one + other
        for one, other in zip(have, totals, strict=True)
    ]
