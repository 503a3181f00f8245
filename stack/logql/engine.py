"""Answers a query with entries from a source."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal as OneOf

from stack.logql import frames, matching, walk
from stack.logql.ast import (
    LabelReplace,
    Literal,
    LogQuery,
    MetricQuery,
    Query,
    RangeAggregation,
    VectorAggregation,
)
from stack.logql.budget import Account, Budget
from stack.logql.entry import LabelKey, key_of
from stack.logql.errors import Kind, LogQLError
from stack.logql.frames import Frame
from stack.logql.keeping import kept
from stack.logql.metrics import Evaluation, Shortcut
from stack.logql.parse import parse
from stack.logql.pipeline import Pipeline, StreamKeys, leading_filters
from stack.logql.results import (
    Matrix,
    Result,
    Sample,
    Scalar,
    Series,
    StreamResult,
    Streams,
    Vector,
)
from stack.logql.sampling import Sampler
from stack.logql.source import Source

Direction = OneOf["forward", "backward"]

DEFAULT_BUDGET = Budget()

NOT_AT_ONE_MOMENT = (
    "log queries are not supported as an instant query type, please change your query to a range "
    "query type"
)
TOO_FINE = (
    "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
    "resolution (?step=XX)"
)


@kept(64)  # as that of `parse`
def check(text: str) -> Query:
    """Parse and compile a query, so that anything wrong with it raises LogQLError."""
    query = parse(text)
    for matchers in walk.selectors(query):
        matching.selects(matchers)
    if isinstance(query, LogQuery):
        Pipeline(query)
        return query
    for node in walk.nodes(query):
        if isinstance(node, RangeAggregation):
            Sampler(node, None)
        elif isinstance(node, LabelReplace):
            frames.relabelled(node, {})
    return query


class Engine:
    """Answers queries from one source. Keeps nothing between queries; safe in threads.

    `shortcut` may answer metric queries, or parts of them, by other means; when `gone` says that
    nobody waits any more, the work ends.
    """

    def __init__(
        self,
        source: Source,
        *,
        budget: Budget = DEFAULT_BUDGET,
        shortcut: Shortcut | None = None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self.source = source
        self.budget = budget
        self.shortcut = shortcut
        self.gone = gone

    def query(
        self, text: str, time_ns: int, limit: int = 100, direction: Direction = "backward"
    ) -> Result:
        """The answer at one moment: Vector, or Scalar for a plain number.

        Raises LogQLError; also for a log query, which Loki refuses as an instant query.
        """
        query = check(text)
        if isinstance(query, LogQuery):
            raise LogQLError(NOT_AT_ONE_MOMENT, kind=Kind.EXECUTION)
        if isinstance(query, Literal):
            return Scalar(time_ns=time_ns, value=query.value)
        frame = self._frame(query, [time_ns])
        ordered = frame.items() if _is_sorted(query) else sorted(frame.items())
        samples = tuple(
            Sample(labels=dict(key), value=values[0])
            for key, values in ordered
            if values[0] is not None
        )
        return Vector(time_ns=time_ns, samples=samples)

    def query_range(
        self,
        text: str,
        start_ns: int,
        end_ns: int,
        step_ns: int,
        limit: int = 100,
        direction: Direction = "backward",
        interval_ns: int = 0,
    ) -> Streams | Matrix:
        """The entries with start_ns <= timestamp < end_ns, `limit` in all, or the values at
        start_ns, start_ns + step_ns … up to end_ns.

        `interval_ns` leaves out log entries that are nearer than that to the last one kept.
        `step_ns` is for metric queries only. Raises LogQLError.
        """
        query = check(text)
        if isinstance(query, LogQuery):
            entries = _thinned(
                self._entries(query, start_ns, end_ns, direction), interval_ns, direction
            )
            return _streams(entries, limit)
        if step_ns <= 0 or end_ns < start_ns:
            raise LogQLError(
                "zero or negative query resolution step widths are not accepted. "
                "Try a positive integer",
                kind=Kind.EXECUTION,
            )
        if (end_ns - start_ns) // step_ns > self.budget.steps:
            raise LogQLError(TOO_FINE, kind=Kind.EXECUTION)
        if any(node.op == "approx_topk" for node in _aggregations(query)):
            raise LogQLError("approx_topk is only supported on instant queries")
        times_ns = range(start_ns, end_ns + 1, step_ns)
        frame = self._frame(query, times_ns)
        return Matrix(series=tuple(_series(key, frame, times_ns) for key in sorted(frame)))

    def _account(self) -> Account:
        return Account(budget=self.budget, gone=self.gone)

    def _frame(self, query: MetricQuery, times_ns: Sequence[int]) -> Frame:
        account = self._account()
        evaluation = Evaluation(
            source=self.source, times_ns=times_ns, account=account, shortcut=self.shortcut
        )
        frame = evaluation.frame(query)
        account.check_series(len(frame))
        return frame

    def _entries(
        self, query: LogQuery, start_ns: int, end_ns: int, direction: Direction
    ) -> Iterator[tuple[int, str, LabelKey]]:
        account = self._account()
        pipeline, keys = Pipeline(query, account=account), StreamKeys()
        for batch in self.source.select(
            query.matchers,
            start_ns,
            end_ns,
            backward=direction == "backward",
            line_filters=leading_filters(query),
        ):
            account.read(len(batch.lines))
            for timestamp_ns, line, stream, entry in pipeline.run(batch):
                changed = entry.changed() or entry.details
                key = key_of(entry.labels()) if changed else keys.of(stream)
                account.text += len(line)
                if entry.added:
                    account.text += sum(map(len, entry.added.values()))
                if account.text > self.budget.text:
                    account.keep(0)
                yield timestamp_ns, line, key


def _thinned(
    entries: Iterator[tuple[int, str, LabelKey]], interval_ns: int, direction: Direction
) -> Iterator[tuple[int, str, LabelKey]]:
    last_ns: int | None = None
    for entry in entries:
        if last_ns is not None and interval_ns:
            ahead_ns = entry[0] - last_ns if direction == "forward" else last_ns - entry[0]
            if ahead_ns < interval_ns:
                continue
        last_ns = entry[0]
        yield entry


def _streams(entries: Iterator[tuple[int, str, LabelKey]], limit: int) -> Streams:
    found: dict[LabelKey, list[tuple[int, str]]] = {}
    for timestamp_ns, line, key in itertools.islice(entries, limit):
        found.setdefault(key, []).append((timestamp_ns, line))
    return Streams(
        streams=tuple(
            StreamResult(labels=dict(key), entries=tuple(found[key])) for key in sorted(found)
        )
    )


def _series(key: LabelKey, frame: Frame, times_ns: Sequence[int]) -> Series:
    points = zip(times_ns, frame[key], strict=True)
    return Series(
        labels=dict(key), points=tuple((at, value) for at, value in points if value is not None)
    )


def _aggregations(query: MetricQuery) -> Iterator[VectorAggregation]:
    return (node for node in walk.nodes(query) if isinstance(node, VectorAggregation))


def _is_sorted(query: MetricQuery) -> bool:
    return any(node.op in ("sort", "sort_desc") for node in _aggregations(query))
