"""What one query may cost, and what it has cost so far."""

import time
from collections.abc import Callable
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
    line_text: int = 4 << 20
    """Characters that templates may make of one line, all steps on the way counted."""
    line_steps: int = 200_000
    """Functions that templates may call for one line, and times that they may go round."""
    text: int = 128 << 20
    """Characters in an answer: lines, and labels that stages made."""


@dataclass(kw_only=True)
class Account:
    """What one query has cost so far."""

    budget: Budget
    entries: int = 0
    text: int = 0
    gone: Callable[[], bool] = lambda: False
    """Whether nobody waits for the answer any more."""
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

    def keep(self, characters: int) -> None:
        """Counts text that becomes part of the answer. Raises LogQLError."""
        self.text += characters
        if self.text > self.budget.text:
            raise LogQLError(
                f"the answer would be too large (limit: {self.budget.text} characters); consider "
                "a smaller limit, more specific stream selectors or shorter lines",
                kind=Kind.LIMIT,
            )

    def check_time(self) -> None:
        if self.gone():
            raise LogQLError("the request was cancelled by the client", kind=Kind.CANCELLED)
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


class Meter:
    """What templates make of one line: text, and steps on the way to it."""

    __slots__ = ("account", "limit", "most", "steps", "text")

    def __init__(self, account: Account | None = None) -> None:
        self.account = account
        budget = account.budget if account else Budget()
        self.limit, self.most = budget.line_text, budget.line_steps
        self.text = 0
        self.steps = 0

    def add(self, characters: int) -> None:
        """Counts text. Raises LogQLError."""
        self.text += characters
        if self.text > self.limit:
            raise self._too_much()

    def check(self, characters: int) -> None:
        """Before that much text is made: whether it may be. Raises LogQLError."""
        if self.text + characters > self.limit:
            raise self._too_much()

    def step(self) -> None:
        """Counts one step; looks at the clock now and then. Raises LogQLError."""
        self.steps += 1
        if self.steps > self.most:
            raise LogQLError(
                f"a template takes too many steps for one line (limit: {self.most})",
                kind=Kind.LIMIT,
            )
        if self.account and not self.steps % _STEPS:
            self.account.check_time()

    def begin(self) -> None:
        """The next line."""
        self.text = self.steps = 0

    def _too_much(self) -> LogQLError:
        return LogQLError(
            f"a template makes too much text of one line (limit: {self.limit} characters)",
            kind=Kind.LIMIT,
        )


_STEPS = 2000
"""From one look at the clock to the next."""
