"""Sessions that PostgreSQL lets in and then ends: FATAL each time, at no fault of the client's."""

from dataclasses import dataclass, field

import psycopg

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.postgres import SERVICE, connected
from loadgen.faults.repeated import EVERY_S, Repeated

ENDED = "ended"
"""Name of the sessions."""


@dataclass(frozen=True, kw_only=True)
class SessionsTerminated:
    """Somebody who may do so ends sessions as soon as they are open, for instance a script against
    idle clients that went wrong. They are sessions of this process; nobody else's are ended."""

    shows_after_s: float = 0.0
    shows_within_s: float = 2 * EVERY_S
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({f"{SERVICE}.sessions"})
    _scripts: list[Repeated] = field(default_factory=list, repr=False, compare=False)

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        _terminated(instance)
        self._scripts.append(Repeated(lambda: _terminated(instance)))

    def undo(self, instance: Target) -> None:
        while self._scripts:
            self._scripts.pop().end()

    def verify(self, instance: Target) -> str | None:
        return "sessions are still being terminated" if self._scripts else None

    def __str__(self) -> str:
        return f"sessions of {SERVICE} terminated"


def _terminated(instance: Target) -> None:
    """Open a session and end it. Raises FaultFailed if it survives that."""
    session = connected(instance, ENDED)
    try:
        session.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    except psycopg.errors.AdminShutdown:
        return
    except psycopg.Error as error:
        raise FaultFailed(f"`{SERVICE}` did not end a session: {error}") from error
    finally:
        session.close()
    raise FaultFailed(f"`{SERVICE}` let a session live that was to be ended")
