"""Answers queries from the store, within the limits of one query."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from stack.logql import Budget, Engine, LogQLError
from stack.logql.ast import LogQuery, Matcher, Query, RangeAggregation
from stack.logql.budget import Account
from stack.logql.errors import Kind
from stack.logql.metrics import Evaluation
from stack.logql.parse import parse, parse_log
from stack.logql.pipeline import leading_filters
from stack.logql.results import Matrix, Result, Series
from stack.programs.logstore.answers import Cost
from stack.programs.logstore.database import MEMORY_LIMIT_MB, OutOfTime, TooLarge, Unreadable
from stack.programs.logstore.detect import Fields, Patterns
from stack.programs.logstore.memtable import Memtable
from stack.programs.logstore.params import (
    BadParameter,
    FieldsQuery,
    InstantQuery,
    RangeQuery,
    check_entries,
)
from stack.programs.logstore.pushdown import SqlCounts, prefilter
from stack.programs.logstore.reader import Condition, View, matching
from stack.programs.logstore.segment import Segment
from stack.programs.logstore.settings import Limits
from stack.programs.logstore.snapshot import Snapshot
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.streams import Known

ENTRIES = 6_000_000
"""The most that the engine itself may read for one query: what it keeps of them is memory."""

TOOK_TOO_LONG = (
    "request timed out, decrease the duration of the request or add more label matchers (prefer "
    "exact match over regex match) to reduce the amount of data processed"
)
_TOO_LARGE = (
    f"the query would need more memory than it may use (limit: {MEMORY_LIMIT_MB}MB); consider "
    "adding more specific stream selectors or reduce the time range of the query"
)


Gone = Callable[[], bool]
"""Whether nobody waits for the answer any more: the work ends."""


def _stays() -> bool:
    return False


class Failed(Exception):
    """A query without an answer: the status and the message that the client gets."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Querier:
    """Safe in threads."""

    def __init__(self, store: LogStore, limits: Limits) -> None:
        self._store, self._limits = store, limits

    def range(self, asked: RangeQuery, gone: Gone = _stays) -> tuple[Result, Cost]:
        """Raises Failed."""
        return self._answer(
            asked.query,
            asked.limit,
            lambda engine: engine.query_range(
                asked.query, asked.start_ns, asked.end_ns, asked.step_ns, asked.limit,
                asked.direction, asked.interval_ns,
            ),
            gone,
        )  # fmt: skip

    def instant(self, asked: InstantQuery, gone: Gone = _stays) -> tuple[Result, Cost]:
        """Raises Failed."""
        return self._answer(
            asked.query,
            0,
            lambda engine: engine.query(asked.query, asked.time_ns, asked.limit, asked.direction),
            gone,
        )

    def _answer(
        self, text: str, limit: int, ask: Callable[[Engine], Result], gone: Gone
    ) -> tuple[Result, Cost]:
        began = time.monotonic()
        with _translated(), self._store.snapshot() as snapshot:
            query = parse(text)
            if isinstance(query, LogQuery):
                check_entries(limit, self._limits)
            view = View(
                store=self._store,
                snapshot=snapshot,
                condition=self._condition(query),
                deadline=began + self._limits.query_timeout_s,
            )
            counts = SqlCounts(view=view, budget=self._budget())
            found = ask(Engine(view, budget=self._budget(), shortcut=counts, gone=gone))
        lines, size_bytes = view.read
        return found, Cost(seconds=time.monotonic() - began, lines=lines, size_bytes=size_bytes)

    def _condition(self, query: Query) -> Condition | None:
        """What a log query's rows must satisfy, as far as SQL can express it."""
        if not isinstance(query, LogQuery):
            return None
        return prefilter(query, matching(self._store.streams, query.matchers))

    def _budget(self) -> Budget:
        return Budget(
            entries=ENTRIES, series=self._limits.series, deadline_s=self._limits.query_timeout_s
        )

    # What is in the lines -----------------------------------------------------------------------

    def fields(self, asked: FieldsQuery, gone: Gone = _stays) -> Fields:
        """The fields of the newest lines. Raises Failed."""
        with self._view(asked.query, gone) as (query, view, account):
            found, left = Fields(query, asked.limit), asked.lines
            filters = leading_filters(query)
            for batch in view.select(
                query.matchers, asked.start_ns, asked.end_ns, backward=True, line_filters=filters
            ):
                account.read(len(batch.lines))
                left -= found.add(batch, left)
                if left <= 0:
                    break
        return found

    def patterns(self, asked: RangeQuery, gone: Gone = _stays) -> Patterns:
        """Lines that are alike, counted by step. Raises Failed."""
        with self._view(asked.query, gone) as (query, view, account):
            if query.stages:
                raise LogQLError("only label matchers are supported", kind=Kind.EXECUTION)
            found = Patterns(asked.step_ns)
            for batch in view.select(query.matchers, asked.start_ns, asked.end_ns):
                account.read(len(batch.lines))
                found.add(batch)
        return found

    @contextmanager
    def _view(self, text: str, gone: Gone) -> Iterator[tuple[LogQuery, View, Account]]:
        began = time.monotonic()
        with _translated(), self._store.snapshot() as snapshot:
            query = parse_log(text)
            deadline = began + self._limits.query_timeout_s
            view = View(store=self._store, snapshot=snapshot, deadline=deadline)
            yield query, view, Account(budget=self._budget(), gone=gone)

    def volume_range(self, asked: RangeQuery) -> Matrix:
        """Bytes of each stream in each step; the first and the last one may be cut. A value has the
        time at which its step ends. Raises Failed."""
        step_ns, end_ns = asked.step_ns, asked.end_ns
        points: dict[Known, list[tuple[int, float]]] = {}
        begin_ns = asked.start_ns
        first_ns = (begin_ns // step_ns + 1) * step_ns
        whole = max((end_ns - first_ns) // step_ns, 0)
        ends = [first_ns + step_ns * count for count in range(whole + 1)]
        cuts = [(begin_ns, min(first_ns - 1, end_ns))]
        if ends[-1] < end_ns:
            cuts.append((ends[-1], end_ns))
        for from_ns, to_ns in cuts:
            for stream, (_, size) in self.volumes(asked.query, from_ns, to_ns).items():
                points.setdefault(stream, []).append((to_ns, float(size)))
        named = {tuple(sorted(stream.labels.items())): stream for stream in self._store.streams}
        if whole:
            with _translated(), self._store.snapshot() as snapshot:
                view = View(store=self._store, snapshot=snapshot)
                budget = replace(self._budget(), series=10**9)
                query = RangeAggregation(
                    op="bytes_over_time", range_ns=step_ns,
                    query=LogQuery(matchers=self._matchers(asked.query)),
                )  # fmt: skip
                times = [at_ns - 1 for at_ns in ends[1:]]
                counts = SqlCounts(view=view, budget=budget)
                frame = Evaluation(
                    source=view, times_ns=times, account=Account(budget=budget), shortcut=counts
                ).frame(query)
            for key, sizes in frame.items():
                points.setdefault(named[key], []).extend(
                    (at_ns, size) for at_ns, size in zip(times, sizes, strict=True) if size
                )
        return Matrix(
            series=tuple(
                Series(labels=stream.labels, points=tuple(sorted(sizes)))
                for stream, sizes in points.items()
            )
        )

    # What is there ------------------------------------------------------------------------------

    def streams(self, selectors: Sequence[str], start_ns: int, end_ns: int) -> list[Known]:
        """The streams that any of the selectors chooses (all if there is none) and that have
        entries between the times, as far as the index knows. Raises Failed."""
        with _translated(), self._store.snapshot() as snapshot:
            found: dict[int, Known] = {}
            for matchers in [self._matchers(text) for text in selectors] or [()]:
                for stream in matching(self._store.streams, matchers):
                    if stream.ident not in found and _present(snapshot, stream, start_ns, end_ns):
                        found[stream.ident] = stream
        return sorted(found.values(), key=lambda stream: stream.text)

    def volumes(self, selector: str, start_ns: int, end_ns: int) -> dict[Known, tuple[int, int]]:
        """(entries, bytes) of each stream that the selector chooses, counted. Raises Failed."""
        with _translated(), self._store.snapshot() as snapshot:
            matchers = self._matchers(selector)
            matched = {one.ident: one for one in matching(self._store.streams, matchers)}
            view = View(store=self._store, snapshot=snapshot)
            totals = view.totals(matched, start_ns, end_ns)
        return {matched[ident]: total for ident, total in totals.items()}

    def matchers(self, selector: str) -> tuple[Matcher, ...]:
        """Raises Failed."""
        with _translated():
            return self._matchers(selector)

    def _matchers(self, selector: str) -> tuple[Matcher, ...]:
        query = parse(selector)
        if not isinstance(query, LogQuery) or query.stages:
            raise LogQLError("only label matchers are supported", kind=Kind.EXECUTION)
        return query.matchers


def _present(snapshot: Snapshot, stream: Known, start_ns: int, end_ns: int) -> bool:
    units: list[Segment | Memtable] = [*snapshot.segments, *snapshot.memtables]
    return any(
        (bounds := unit.bounds([stream.ident])) and bounds[0] <= end_ns and bounds[1] >= start_ns
        for unit in units
    )


_STATUS = {Kind.DEADLINE: 504, Kind.CANCELLED: 499}


@contextmanager
def _translated() -> Iterator[None]:
    """What can go wrong with a query, as its client is told."""
    try:
        yield
    except LogQLError as error:
        raise Failed(_STATUS.get(error.kind, 400), str(error)) from error
    except BadParameter as error:
        raise Failed(400, str(error)) from error
    except OutOfTime as error:
        raise Failed(504, TOOK_TOO_LONG) from error
    except TooLarge as error:
        raise Failed(400, _TOO_LARGE) from error
    except Unreadable as error:
        raise Failed(500, f"a segment cannot be read: {error.what}") from error
