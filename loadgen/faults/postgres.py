"""Sessions that hurt a healthy database: too many, open too long, or in deadlock.

This process opens them, as the superuser, whose password no other fault changes. So they end with
it, however it ends.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from loadgen.faults.base import FaultFailed, Target
from stack.loopback import HOST

SERVICE = "postgresql"
DATABASE = "residency"
CONNECTIONS, TRANSACTIONS, DEADLOCKS = "connections", "transactions", "deadlocks"
"""What the three faults disturb in the database; also the names of their sessions."""

DEADLOCK_TIMEOUT_S = 1.0
"""PostgreSQL's default `deadlock_timeout`: how long it waits before it looks for a cycle."""

_PATIENCE_S = 5.0

_AT_ONCE, _PAUSE_S = 4, 0.05
"""A leak fills the server in seconds, not at once: each login costs it ten milliseconds of CPU,
which the others on a small machine need too."""

Session = psycopg.Connection[tuple[object, ...]]


def connected(instance: Target, name: str) -> Session:
    """A session named `name`, in autocommit. Raises FaultFailed."""
    try:
        return psycopg.connect(
            host=HOST, port=instance.layout.port(SERVICE), dbname=DATABASE, user="postgres",
            password=instance.layout.secret("postgres_password").read_text().strip(),
            application_name=f"fault-{name}", connect_timeout=5, sslmode="disable",
            gssencmode="disable", autocommit=True,
        )  # fmt: skip
    except (psycopg.Error, OSError) as error:
        raise FaultFailed(f"no connection to `{SERVICE}`: {error}") from error


def number(session: Session, query: str, *parameters: object) -> int:
    """The one whole number that a query returns. Raises FaultFailed."""
    try:
        row = session.execute(query.encode(), parameters).fetchone()
    except psycopg.Error as error:
        raise FaultFailed(f"`{SERVICE}` refuses `{query}`: {error}") from error
    return int(str(row[0])) if row else 0


def left(instance: Target, name: str) -> str | None:
    """Says that sessions named `name` are still open; None when they are gone."""
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    with connected(instance, "verify") as session:
        found = number(session, sessions, f"fault-{name}")
    return f"{found} sessions `fault-{name}` are still open" if found else None


@dataclass(frozen=True, kw_only=True)
class ConnectionsHeld:
    """Clients connect and never leave, until the server has `total` connections, all idle."""

    total: int
    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0
    # The scheduler's pool is part of the total: without it there would be too few.
    touches: frozenset[str] = frozenset({CONNECTIONS, "backend.pool"})
    _held: list[Session] = field(default_factory=list, repr=False, compare=False)

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._held.append(connected(instance, CONNECTIONS))
        count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        room = number(
            self._held[0],
            "SELECT current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " - current_setting('reserved_connections')::int",
        )
        if self.total > room:
            raise FaultFailed(f"`{SERVICE}` has room for {room} connections, expected {self.total}")
        missing = self.total - number(self._held[0], count)
        for done in range(missing):
            if done % _AT_ONCE == 0:
                time.sleep(_PAUSE_S)
            self._held.append(connected(instance, CONNECTIONS))

    def undo(self, instance: Target) -> None:
        while self._held:
            self._held.pop().close()

    def verify(self, instance: Target) -> str | None:
        return left(instance, CONNECTIONS)

    def __str__(self) -> str:
        return f"{self.total} connections to postgresql"


@dataclass(frozen=True, kw_only=True)
class TransactionHeldOpen:
    """Somebody reads the roster in a transaction, goes for lunch, and never commits."""

    until_s: float
    """The age in real seconds, at any speed, from which the transaction counts as slow."""
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({TRANSACTIONS})
    _held: list[Session] = field(default_factory=list, repr=False, compare=False)

    @property
    def shows_after_s(self) -> float:
        return self.until_s

    @property
    def shows_within_s(self) -> float:
        return self.until_s + 0.1

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._held.append(connected(instance, TRANSACTIONS))
        self._held[0].autocommit = False
        number(self._held[0], "SELECT count(*) FROM people")

    def undo(self, instance: Target) -> None:
        while self._held:
            self._held.pop().close()

    def verify(self, instance: Target) -> str | None:
        return left(instance, TRANSACTIONS)

    def __str__(self) -> str:
        return "a transaction left open on postgresql"


@dataclass(frozen=True, kw_only=True)
class Deadlocks:
    """Two transactions want the same two rows in opposite order, again and again.

    Nothing is changed: the server ends one of each pair, the other is rolled back. The rows are
    locked as an update would, so others can still read and refer to them.
    """

    rows: tuple[int, int] = (1, 2)
    """Ids of the two people."""
    shows_within_s: float = 0.0
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({DEADLOCKS})
    _stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    _repeats: list[threading.Thread] = field(default_factory=list, repr=False, compare=False)

    @property
    def shows_after_s(self) -> float:
        return DEADLOCK_TIMEOUT_S

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._stop.clear()
        if not self._clash(instance):
            raise FaultFailed("two transactions wanted each other's rows but did not deadlock")
        again = threading.Thread(target=self._repeat, args=(instance,), daemon=True)
        self._repeats.append(again)
        again.start()

    def undo(self, instance: Target) -> None:
        self._stop.set()
        while self._repeats:
            self._repeats.pop().join(2 * _PATIENCE_S)

    def verify(self, instance: Target) -> str | None:
        return left(instance, DEADLOCKS)

    def _repeat(self, instance: Target) -> None:
        """Runs until `undo`, or until the database is gone."""
        while not self._stop.is_set():
            try:
                self._clash(instance)
            except FaultFailed:
                return

    def _clash(self, instance: Target) -> bool:
        """One round; True if the server found a deadlock. The sessions are closed, since statistics
        are reported by then at the latest."""
        both_hold = threading.Barrier(2, timeout=_PATIENCE_S)
        orders = (self.rows, self.rows[::-1])
        # The pool is inside: the sessions are closed only after both jobs have ended.
        with _two(instance) as sessions, ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(_lock_both, session, order, both_hold)
                    for session, order in zip(sessions, orders, strict=True)]  # fmt: skip
            ended = [job.result() for job in jobs]
        return any(ended)

    def __str__(self) -> str:
        return "two transactions in deadlock on postgresql"


@contextmanager
def _two(instance: Target) -> Iterator[tuple[Session, Session]]:
    with connected(instance, DEADLOCKS) as one, connected(instance, DEADLOCKS) as other:
        yield one, other


def _lock_both(session: Session, order: tuple[int, int], both_hold: threading.Barrier) -> bool:
    """Lock two rows in this order; True if the server ended it because of a deadlock."""
    lock = "SELECT id FROM people WHERE id = %s FOR NO KEY UPDATE"
    try:
        with session.transaction(force_rollback=True):
            session.execute(lock, (order[0],))
            both_hold.wait()
            session.execute(lock, (order[1],))
    except psycopg.errors.DeadlockDetected:
        return True
    except (psycopg.Error, threading.BrokenBarrierError) as error:
        both_hold.abort()
        raise FaultFailed(f"two transactions could not meet: {error}") from error
    return False
