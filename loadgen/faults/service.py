"""A service of the stack is stopped, and held down until the fault ends."""

from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target

_SESSIONS = frozenset({"connections", "transactions", "deadlocks"})
"""What `loadgen.faults.postgres` disturbs: gone with the server, invisible without its exporter."""

DEPENDENTS = {
    "postgresql": frozenset({"database-link", "backend", "postgres-exporter"}) | _SESSIONS,
    "postgres-exporter": _SESSIONS,
}
"""Services and resources that misbehave while another one is down."""

SHOWS_AFTER_S = {"postgresql": 1.0}
"""postgres_exporter waits a second after a lost connection before it says `pg_up 0`
(`GetServer` in its exporter/server.go)."""


@dataclass(frozen=True, kw_only=True)
class ServiceStopped:
    """The process of `service` is gone at once, and with it the connections that it held."""

    service: str
    lingers_s: float = 1.0
    """Clients notice at their next attempt that it is back."""

    @property
    def touches(self) -> frozenset[str]:
        return frozenset({self.service}) | DEPENDENTS.get(self.service, frozenset())

    @property
    def shows_after_s(self) -> float:
        return SHOWS_AFTER_S.get(self.service, 0.0)

    @property
    def shows_within_s(self) -> float:
        """Stopping it takes a moment."""
        return self.shows_after_s + 0.5

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        instance.stop_service(self.service)
        if instance.service_running(self.service):
            raise FaultFailed(f"`{self.service}` is still running after it was stopped")

    def undo(self, instance: Target) -> None:
        if not instance.service_running(self.service):
            instance.start_service(self.service)

    def verify(self, instance: Target) -> str | None:
        running = instance.service_running(self.service)
        return None if running else f"`{self.service}` is still not running"

    def __str__(self) -> str:
        return f"{self.service} stopped"
