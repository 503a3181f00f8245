"""Connections to PostgreSQL, and what happens when it goes away.

A slow link multiplies round trips, so each call here costs exactly one: connections are in
autocommit, several statements travel in one pipeline, and no connection is checked by a query. A
dead connection shows on its socket, where the server's farewell can be read.

`psycopg_pool` reconnects by itself, but waits twice as long after each failure. So when one
connection has died, its pool is discarded, a single connection is tried four times a second, and a
new pool is opened as soon as that succeeds. Meanwhile requests fail immediately.
"""

import asyncio
import contextvars
import logging
import select
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from stack.programs.scheduler.settings import Settings

log = logging.getLogger("scheduler.database")

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]
Params = Mapping[str, Any] | Sequence[Any]
Statement = tuple[LiteralString, Params]
T = TypeVar("T")

_NEVER = 2**31 - 1

WRITE_LOCK = 7_392_002
"""Advisory lock held while a range of the schedule or its violations is replaced."""


class DatabaseAway(Exception):
    """No connection to the database, or none free in time: answer 503."""


class Link(Enum):
    """What is known about the database: it answers, it may be gone, it is gone."""

    UP = "up"
    IN_DOUBT = "in doubt"
    DOWN = "down"


class _Lost(Exception):
    """The connection died; `sent`: the statements may have reached the server."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Database:
    """One pool, replaced when the database comes back. `prepare` runs first each time."""

    def __init__(
        self,
        settings: Settings,
        prepare: Callable[[Connection], Awaitable[None]],
        *,
        often: Sequence[Statement] = (),
    ) -> None:
        """`often`: reading statements that each new connection has planned in advance, for
        parameters of such types."""
        self._settings = settings
        self._often = often
        self._prepare = prepare
        self._pool: Pool | None = None
        self._settled = asyncio.Event()
        self._reviver: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self.link = Link.DOWN
        self.why = "the database is not ready yet"
        self._answered_at = float("-inf")

    def start(self) -> None:
        """Start connecting, in the background."""
        # In its own context: what it logs is not about the request that noticed the loss.
        self._reviver = asyncio.create_task(self._revive(), context=contextvars.Context())

    async def close(self) -> None:
        """Stop trying and close all connections."""
        if self._reviver:
            self._reviver.cancel()
            with suppress(asyncio.CancelledError):
                await self._reviver
        pool, self._pool, self.link = self._pool, None, Link.DOWN
        if pool:
            await pool.close(timeout=0.5)

    async def fetch(self, query: LiteralString, params: Params = ()) -> list[DictRow]:
        """Rows of one reading statement: one round trip, retried on a fresh connection."""

        async def work(connection: Connection) -> list[DictRow]:
            return await (await connection.execute(query, params)).fetchall()

        return await self._ask(work, repeatable=True)

    async def write(self, query: LiteralString, params: Params = ()) -> list[DictRow]:
        """Rows returned by one changing statement: one round trip, never sent twice."""

        async def work(connection: Connection) -> list[DictRow]:
            return await (await connection.execute(query, params)).fetchall()

        return await self._ask(work, repeatable=False)

    async def fetch_all(self, *statements: Statement) -> list[list[DictRow]]:
        """Rows of several reading statements in a single round trip."""

        async def work(connection: Connection) -> list[list[DictRow]]:
            return await _pipelined(connection, statements)

        return await self._ask(work, repeatable=True)

    async def replace(self, *statements: Statement) -> list[list[DictRow]]:
        """Changing statements in one transaction and one round trip, one caller at a time."""
        lock: Statement = ("SELECT pg_advisory_xact_lock(%s)", (WRITE_LOCK,))

        async def work(connection: Connection) -> list[list[DictRow]]:
            begin: Statement = ("BEGIN", ())
            commit: Statement = ("COMMIT", ())
            rows = await _pipelined(connection, (begin, lock, *statements, commit))
            return rows[2:-1]

        return await self._ask(work, repeatable=False)

    async def look(self) -> None:
        """Check that a free connection has not died: no round trip."""

        async def work(connection: Connection) -> None:
            return None

        await self._run(work, repeatable=True)

    def silent_s(self) -> float:
        """Seconds since the database last answered anyone."""
        return time.monotonic() - self._answered_at

    def connections(self) -> dict[str, int]:
        """Connections by state (idle, in_use) and requests waiting for one."""
        stats = self._pool.get_stats() if self._pool else {}
        idle = stats.get("pool_available", 0)
        return {
            "idle": idle,
            "in_use": max(stats.get("pool_size", 0) - idle, 0),
            "waiting": stats.get("requests_waiting", 0),
        }

    async def _ask(self, work: Callable[[Connection], Awaitable[T]], *, repeatable: bool) -> T:
        answer = await self._run(work, repeatable=repeatable)
        self._answered_at = time.monotonic()
        return answer

    async def _run(self, work: Callable[[Connection], Awaitable[T]], *, repeatable: bool) -> T:
        for _ in range(2):
            pool = await self._usable_pool()
            try:
                return await self._on_connection(pool, work)
            except _Lost as lost:
                self._lost(pool)
                if lost.sent and not repeatable:
                    break
        raise DatabaseAway("the connection to the database was lost")

    async def _usable_pool(self) -> Pool:
        if self.link is Link.IN_DOUBT:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), self._settings.doubt_s)
        if self._pool is None:
            raise DatabaseAway(self.why)
        return self._pool

    async def _on_connection(self, pool: Pool, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            connection = await pool.getconn()
        except TooManyRequests:
            raise DatabaseAway("too many requests are waiting for a database connection") from None
        except PoolTimeout:
            waited = self._settings.acquire_timeout_s
            raise DatabaseAway(f"no database connection was free within {waited:g} s") from None
        except psycopg.OperationalError:  # the pool was closed under us
            raise _Lost(sent=False) from None
        try:
            if _has_something_to_say(connection):
                await connection.close()
                raise _Lost(sent=False)
            return await work(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection.broken or connection.closed:
                raise _Lost(sent=True) from error
            raise
        finally:
            await pool.putconn(connection)

    def _lost(self, pool: Pool) -> None:
        if self._pool is not pool:
            return  # another request has noticed already
        log.warning("the connection to the database was lost")
        self._pool, self.link = None, Link.IN_DOUBT
        self._settled.clear()
        chore = asyncio.create_task(pool.close(timeout=1))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
        self.start()

    async def _revive(self) -> None:
        while True:
            try:
                self._pool = await self._open()
            except psycopg.Error as error:
                self._still_away(str(error))
            except Exception as error:
                # Whatever it was: without this task nothing would ever reconnect.
                log.exception("cannot use the database")
                self._still_away(repr(error))
            else:
                log.info("connected to the database")
                self.link = Link.UP
                self._settled.set()
                return
            await asyncio.sleep(self._settings.reconnect_every_s)

    def _still_away(self, reason: str) -> None:
        if self.link is not Link.DOWN or self.why != "the database is away":
            log.error("the database is away: %s", " ".join(reason.split()))
        self.link, self.why = Link.DOWN, "the database is away"
        self._settled.set()

    async def _open(self) -> Pool:
        """A new pool, once a connection has shown that the database answers and is seeded."""
        first: Connection = await AsyncConnection.connect(
            self._settings.conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=None
        )
        async with first:
            await self._prepare(first)
        return await self._filling_pool()

    async def _filling_pool(self) -> Pool:
        timeout_ms = round(self._settings.statement_timeout_s * 1000)
        pool: Pool = AsyncConnectionPool(
            self._settings.conninfo,
            connection_class=AsyncConnection[DictRow],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                # Preparing takes an extra round trip: every twentieth slow request would show it.
                # So what is prepared is so before a connection is used.
                "prepare_threshold": _NEVER,
                "options": f"-c statement_timeout={timeout_ms}",
                "application_name": "residency-scheduler",
            },
            min_size=self._settings.pool_size,
            max_size=self._settings.pool_size,
            timeout=self._settings.acquire_timeout_s,
            max_waiting=self._settings.max_waiting,
            # A pool that renews its connections can end up with none, and wait for minutes; one
            # that keeps them always has one on which a death is noticed.
            max_lifetime=float("inf"),
            configure=self._plan,
            name="scheduler",
            open=False,
        )
        await pool.open()
        try:
            await pool.putconn(await pool.getconn())
        except BaseException:
            await pool.close(timeout=0.5)
            raise
        return pool

    async def _plan(self, connection: Connection) -> None:
        with suppress(psycopg.ProgrammingError):  # without its tables, all that is asked fails
            async with connection.pipeline():
                for query, params in self._often:
                    await connection.execute(query, params, prepare=True)


def _has_something_to_say(connection: Connection) -> bool:
    """An idle connection with bytes to read has got a farewell, or has been closed."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


async def _pipelined(
    connection: Connection, statements: Sequence[Statement]
) -> list[list[DictRow]]:
    async with connection.pipeline():
        cursors = [await connection.execute(query, params) for query, params in statements]
    return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]
