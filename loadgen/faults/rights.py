"""The database refuses the scheduler: one of its tables, or its password.

The superuser does it, over connections that are closed before a method returns.
"""

from dataclasses import dataclass
from typing import ClassVar

import psycopg
from psycopg import sql

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.postgres import SERVICE, Session, connected
from stack.loopback import HOST

ROLE, DATABASE = "scheduler", "residency"
NAME = "rights"
"""The name of the superuser's session."""

LINK = "database-link"
"""The service through which the scheduler reaches the database."""

_WRONG = "changed without telling the scheduler"


@dataclass(frozen=True, kw_only=True)
class TableRevoked:
    """The scheduler may not use a table that it owns: what needs the table fails with 500."""

    table: str
    shows_after_s: float = 0.0
    shows_within_s: float = 1.0
    """Users may pause for a second before one of them needs it."""
    lingers_s: float = 0.0
    # Not its pool: a session that was refused a table still works.
    touches: frozenset[str] = frozenset({"backend.requests", "backend.roster", "backend.users"})

    lies_in: ClassVar = frozenset({SERVICE})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._change(instance, "REVOKE ALL ON TABLE {table} FROM {role}")
        if not self.verify(instance):
            raise FaultFailed(f"`{ROLE}` still reads `{self.table}` after it was revoked")

    def undo(self, instance: Target) -> None:
        self._change(instance, "GRANT ALL ON TABLE {table} TO {role}")

    def verify(self, instance: Target) -> str | None:
        asked = "SELECT has_table_privilege(%s, %s, 'SELECT')"
        with connected(instance, NAME) as session:
            row = session.execute(asked, (ROLE, self.table)).fetchone()
        return None if row and row[0] else f"`{ROLE}` may not read table `{self.table}`"

    def _change(self, instance: Target, statement: str) -> None:
        names = {"table": sql.Identifier(self.table), "role": sql.Identifier(ROLE)}
        with connected(instance, NAME) as session:
            _do(session, sql.SQL(statement).format(**names))

    def __str__(self) -> str:
        return f"table {self.table} revoked from the scheduler"


@dataclass(frozen=True, kw_only=True)
class DatabasePasswordChanged:
    """The scheduler's password is changed under it, and its link to the database is interrupted for
    a moment, so that it has to log in again.

    The server does not end the sessions itself: twenty lines of FATAL would be many within the few
    seconds to which a fast instance shortens five minutes, and few at true speed.
    """

    shows_after_s: float = 0.0
    shows_within_s: float = 1.5
    """A request that loses its session waits a second for another one."""
    lingers_s: float = 1.0
    """The scheduler tries to reconnect four times a second."""
    touches: frozenset[str] = frozenset({"backend", LINK})

    lies_in: ClassVar = frozenset({SERVICE})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._set_password(instance, _WRONG)
        instance.stop_service(LINK)
        instance.start_service(LINK)
        if not self.verify(instance):
            raise FaultFailed(f"`{ROLE}` still logs in with its old password")

    def undo(self, instance: Target) -> None:
        self._set_password(instance, _password(instance))

    def verify(self, instance: Target) -> str | None:
        try:
            psycopg.connect(
                host=HOST, port=instance.layout.port("postgresql"), dbname=DATABASE, user=ROLE,
                password=_password(instance), connect_timeout=5, sslmode="disable",
                gssencmode="disable",
            ).close()  # fmt: skip
        except (psycopg.Error, OSError) as error:
            return f"`{ROLE}` cannot log in: {' '.join(str(error).split())}"
        return None

    def _set_password(self, instance: Target, password: str) -> None:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        with connected(instance, NAME) as session:
            _do(session, statement.format(sql.Identifier(ROLE), sql.Literal(password)))

    def __str__(self) -> str:
        return "the scheduler's database password changed under it"


def _password(instance: Target) -> str:
    return instance.layout.secret("scheduler_database_password").read_text().strip()


def _do(session: Session, statement: sql.Composed) -> None:
    try:
        session.execute(statement)
    except psycopg.Error as error:
        raise FaultFailed(f"PostgreSQL refuses `{statement.as_string()}`: {error}") from error
