"""What SQL can answer instead of the engine: filters on JSON fields, and counts.

Rows that a segment marks as plain JSON (`stack.programs.logstore.segment`) mean the same to every
parser. For them SQL gives the engine's answer; all others, and everything in memory, are left to
the engine. So are rows in doubt, and every query that does not have one of these shapes:

    {…} line filters… | json | label filters… | anything      rows that cannot pass are not read
    sum by (…) (count_over_time({…} line filters… | json | label filters… [5m]))    counted in SQL

and `rate`, `bytes_over_time`, `bytes_rate`, without `| json`, or without the sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stack.logql.ast import (
    Grouping,
    Json,
    LogQuery,
    MetricQuery,
    RangeAggregation,
    VectorAggregation,
)
from stack.logql.budget import Account, Budget
from stack.logql.entry import LabelKey
from stack.logql.frames import Frame
from stack.logql.metrics import Evaluation
from stack.logql.pipeline import leading_filters
from stack.programs.logstore.buckets import Buckets
from stack.programs.logstore.database import TooLarge
from stack.programs.logstore.reader import (
    Condition,
    View,
    filter_sql,
    matching,
    overlapping,
    remaining_s,
    scan,
)
from stack.programs.logstore.streams import Known
from stack.programs.logstore.verdicts import Fields, certain, is_text, json_filters, verdict

_COUNTED = {
    "count_over_time": ("count_over_time", "count(*)"),
    "rate": ("count_over_time", "count(*)"),
    "bytes_over_time": ("bytes_over_time", "sum(size)"),
    "bytes_rate": ("bytes_over_time", "sum(size)"),
}
"""Operation -> what is counted for it, and how."""
_RATES = ("rate", "bytes_rate")

_MOST_FILTERS = 50
"""Filters that are worth saying in SQL: of more, the database only thinks longer."""

_MOST_ROWS = 200_000
"""Most rows of a count by group and bucket; beyond that, the engine decides."""


def prefilter(query: LogQuery, streams: Sequence[Known]) -> Condition | None:
    """What segment rows must satisfy for the query to pass them, as far as SQL can express it."""
    made = Fields(streams=streams)
    keeps, before = [], ["true"]
    for one in json_filters(query.stages)[:_MOST_FILTERS]:
        sure, passes = verdict(one, made)
        if sure == "false":
            before.append(sure)
        elif is_text(one):
            keeps.append(f"(NOT coalesce({sure}, false) OR {passes})")
        elif "false" not in before:
            # After an error in an earlier filter, a filter on numbers lets everything pass.
            before.append(sure)
            keeps.append(f"(NOT coalesce({' AND '.join(before)}, false) OR {passes})")
    if not keeps:
        return None
    return Condition(f"NOT plain OR ({' AND '.join(keeps)})", made.values, made.columns())


@dataclass(frozen=True, kw_only=True)
class SqlCounts:
    """A `Shortcut`: counts entries of segments in SQL and adds the engine's count of the rest."""

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
        buckets = Buckets.of(query, times_ns)
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
        made = Fields(streams=streams)
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
        filters = json_filters(query.query.stages)
        if stages[0] != Json() or len(filters) != len(stages) - 1:
            return None
        if len(filters) > _MOST_FILTERS:
            return None
        if grouping is None or grouping.without:
            return None
        fields = _fields(grouping, made)
        if fields is None:
            return None
        verdicts = [verdict(one, made) for one in filters]
        if any(found.sure == "false" for found in verdicts):
            return None
        sure = ["plain", *(found.sure for found in verdicts)]
        sure += [certain(column) for column in fields.values()]
        whole = f"coalesce({' AND '.join(sure)}, false)"
        exact = " AND ".join([*terms, whole, *(found.passes for found in verdicts)])
        return _Plan(streams=streams, grouping=grouping, exact=exact,
                     doubt=f"NOT {whole}", made=made, fields=fields)  # fmt: skip

    def _rows(
        self, query: RangeAggregation, plan: "_Plan", buckets: Buckets
    ) -> Sequence[tuple[Any, ...]] | None:
        """(stream, fields…, bucket, count) of the rows that are certain; None if there are too many
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
        """The rows; None if there are too many groups for the database to hold."""
        try:
            return self.view.store.database.rows(sql, values, remaining_s(self.view.deadline))
        except TooLarge:
            return None

    def _rest(
        self, query: RangeAggregation, grouping: Grouping | None, plan: "_Plan",
        times_ns: Sequence[int],
    ) -> Frame:  # fmt: skip
        """The engine's count of what is in memory and of the rows that are in doubt."""
        doubt = Condition(plan.doubt, plan.made.values, plan.made.columns()) if plan.doubt else None
        view = replace(self.view, condition=doubt, only_memory=doubt is None)
        counted: MetricQuery = replace(query, op=_COUNTED[query.op][0])
        if grouping is not None:
            counted = VectorAggregation(op="sum", of=counted, grouping=grouping)
        account = Account(budget=self.budget)
        return Evaluation(source=view, times_ns=times_ns, account=account).frame(counted)


def _fields(grouping: Grouping, made: Fields) -> dict[str, str] | None:
    """Labels of the grouping that are JSON fields, with their columns; None unless it is clear for
    each whether it is a field or a label of the streams."""
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
    """Rows that certainly count."""
    doubt: str
    """Rows in doubt; empty if there are none."""
    made: Fields
    fields: Mapping[str, str]

    @property
    def by_stream(self) -> bool:
        """Whether rows of different streams must be kept apart."""
        if self.grouping is None or self.grouping.without:
            return True
        return any(name not in self.fields for name in self.grouping.labels)

    def totals(
        self, rows: Sequence[tuple[Any, ...]], buckets: Buckets
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
