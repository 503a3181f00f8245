"""People stop working: the users of a class leave, and come back when the fault ends."""

from dataclasses import dataclass

from loadgen.away import AWAY, SERVICE
from loadgen.faults.base import FaultFailed, Target, read_control, update_control


@dataclass(frozen=True, kw_only=True)
class PeopleAway:
    """All users of these classes, in every locust of the instance, finish their task and leave."""

    who: tuple[type, ...]
    planners: bool = True
    """Whether they make schedules, which nobody else does while they are away."""
    shows_within_s: float = 1.0
    """By then the last of them has ended their request."""
    lingers_s: float = 1.5
    """By then they are all back at work."""
    shows_after_s: float = 0.0

    @property
    def touches(self) -> frozenset[str]:
        """These users alone: others can be sent away at the same time."""
        users = frozenset(f"backend.users.{name}" for name in self._names())
        return users | {"backend.roster"} if self.planners else users

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not self.who:
            raise FaultFailed("`who` is empty, expected classes of users")
        update_control(instance.control_file(SERVICE), put=dict.fromkeys(self._names(), AWAY))

    def undo(self, instance: Target) -> None:
        update_control(instance.control_file(SERVICE), drop=self._names())

    def verify(self, instance: Target) -> str | None:
        now = read_control(instance.control_file(SERVICE))
        left = [name for name in self._names() if name in now]
        names = ", ".join(left)
        return f"the traffic's control file still says that {names} are away" if left else None

    def _names(self) -> list[str]:
        return sorted(one.__name__ for one in self.who)

    def __str__(self) -> str:
        return f"{' and '.join(self._names())} users away"
