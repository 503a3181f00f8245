"""What one query may cost, and what it has cost so far."""

import time
from dataclasses import dataclass, field

from stack.logql.errors import Kind, LogQLError


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits; exceeding one raises LogQLError in the words in which Loki refuses the same."""

    entries: int = 50_000_000
    """Entries read from the source."""
    series: int = 500
    """Series in a result: Loki's `max_query_series`."""
    steps: int = 11_000
    """Points per series of a range query, as Loki allows."""
    deadline_s: float = 60.0
    """Loki's `query_timeout`."""


@dataclass(kw_only=True)
class Account:
    """What one query has cost so far."""

    budget: Budget
    entries: int = 0
    started_s: float = field(default_factory=time.monotonic)

    def read(self, entries: int) -> None:
        """Counts entries read from the source. Raises LogQLError."""
        self.entries += entries
        if self.entries > self.budget.entries:
            raise LogQLError(
                f"the query would read too many entries (limit: {self.budget.entries}); consider "
                "adding more specific stream selectors or reduce the time range of the query",
                kind=Kind.LIMIT,
            )
        self.check_time()

    def check_time(self) -> None:
        if time.monotonic() - self.started_s > self.budget.deadline_s:
            raise LogQLError(
                "request timed out, decrease the duration of the request or add more label "
                "matchers (prefer exact match over regex match) to reduce the amount of data "
                "processed",
                kind=Kind.DEADLINE,
            )

    def check_series(self, count: int) -> None:
        if count > self.budget.series:
            raise LogQLError(
                f"maximum number of series ({self.budget.series}) reached for a single query; "
                "consider reducing query cardinality by adding more specific stream selectors, "
                "reducing the time range, or aggregating results with functions like sum(), "
                "count() or topk()",
                kind=Kind.LIMIT,
            )
