"""A service of the stack is really stopped, and held down until the fault ends."""

from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target

DEPENDENTS = {"postgresql": frozenset({"database-link", "backend", "postgres-exporter"})}
"""Services that misbehave while another one is down."""


@dataclass(frozen=True, kw_only=True)
class ServiceStopped:
    """The process of `service` is gone at once, with the connections that it held."""

    service: str
    shows_within_s: float = 0.5
    """The next scrape finds it gone."""
    lingers_s: float = 1.0
    """Clients notice that it is back at their next attempt."""

    @property
    def touches(self) -> frozenset[str]:
        return frozenset({self.service}) | DEPENDENTS.get(self.service, frozenset())

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        instance.stop_service(self.service)
        if instance.service_running(self.service):
            raise FaultFailed(f"`{self.service}` still runs after it was stopped")

    def undo(self, instance: Target) -> None:
        if not instance.service_running(self.service):
            instance.start_service(self.service)

    def verify(self, instance: Target) -> str | None:
        running = instance.service_running(self.service)
        return None if running else f"`{self.service}` does not run again"

    def __str__(self) -> str:
        return f"{self.service} stopped"
