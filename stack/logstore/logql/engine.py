"""Asks a source what a query asks, and makes the answer."""

from dataclasses import dataclass
from typing import Literal

from stack.logstore.logql.results import Matrix, Result, Streams
from stack.logstore.logql.source import Source

Direction = Literal["forward", "backward"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one query may cost; more of anything raises LogQLError as Loki would."""

    entries: int = 50_000_000
    """Entries read from the source."""
    series: int = 500
    """Series in a result: Loki's `max_query_series`."""
    steps: int = 11_000
    """Points per series of a range query, as Loki allows."""
    deadline_s: float = 60.0
    """Loki's `query_timeout`."""


class Engine:
    """Answers queries from one source. Keeps nothing between queries; safe in threads."""

    def __init__(self, source: Source, *, budget: Budget = Budget()) -> None:
        self.source = source
        self.budget = budget

    def query(
        self, text: str, time_ns: int, limit: int = 100, direction: Direction = "backward"
    ) -> Result:
        """The answer at one moment: Vector, or Scalar for a plain number.

        Raises LogQLError, for a log query too: Loki refuses it as an instant query.
        """
        raise NotImplementedError

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

        `interval_ns` leaves out log entries nearer than that to the one before in their stream.
        Raises LogQLError.
        """
        raise NotImplementedError
