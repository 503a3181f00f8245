"""People stop working: the users of a class log off, and come back when the fault ends."""

from dataclasses import dataclass

from loadgen.away import SERVICE
from loadgen.faults.base import FaultFailed, Target, read_control, write_control


@dataclass(frozen=True, kw_only=True)
class PeopleAway:
    """All users of these classes, in every traffic of the instance, finish what they do and go."""

    who: tuple[type, ...]
    shows_within_s: float = 1.0
    """Until then the last of them has ended a request."""
    lingers_s: float = 1.5
    """Until they are all back at work."""
    shows_after_s: float = 0.0
    touches: frozenset[str] = frozenset({"backend.users", "backend.roster"})
    """Whoever is away plans nothing; without the roster for those who never do."""

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not self.who:
            raise FaultFailed("`who` is empty, wanted classes of users")
        write_control(instance.control_file(SERVICE), {"away": self._names()})

    def undo(self, instance: Target) -> None:
        write_control(instance.control_file(SERVICE), {})

    def verify(self, instance: Target) -> str | None:
        left = read_control(instance.control_file(SERVICE))
        return f"the traffic is still told {dict(left)}" if left else None

    def _names(self) -> list[str]:
        return sorted(one.__name__ for one in self.who)

    def __str__(self) -> str:
        return f"{' and '.join(self._names())} users away"
