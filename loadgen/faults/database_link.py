"""The network link between the scheduler and its database becomes slow."""

from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target, read_control, write_control

SERVICE = "database-link"


@dataclass(frozen=True, kw_only=True)
class SlowDatabaseLink:
    """Every packet takes `latency_s` longer, in each direction; nothing is lost.

    So each round trip to the database adds two latencies to a request.
    """

    latency_s: float
    round_trips: int = 1
    """Of a typical request; decides how soon the first slow one can have ended."""
    touches: frozenset[str] = frozenset({SERVICE, "backend"})

    @property
    def shows_after_s(self) -> float:
        """A request counts as slow only once it has ended."""
        return 2 * self.latency_s * self.round_trips

    @property
    def shows_within_s(self) -> float:
        """A user may pause for a second before the first slow request begins."""
        return self.shows_after_s + 1.0

    @property
    def lingers_s(self) -> float:
        """Requests under way when the link recovers still count as slow."""
        return 2 * self.latency_s * self.round_trips

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if self.latency_s <= 0:
            raise FaultFailed(f"latency_s is {self.latency_s:g}, expected more than 0")
        write_control(instance.control_file(SERVICE), {"latency_s": self.latency_s})

    def undo(self, instance: Target) -> None:
        write_control(instance.control_file(SERVICE), {})

    def verify(self, instance: Target) -> str | None:
        left = read_control(instance.control_file(SERVICE))
        return f"the database link's control file still says {dict(left)}" if left else None

    def __str__(self) -> str:
        return f"database link slower by {self.latency_s:g} s each way"
