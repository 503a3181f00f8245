"""Load shapes: stages as data, and one tiny tick."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from locust import LoadTestShape


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A number of users, held for a time."""

    users: int
    dwell_s: float = inf
    """Seconds, counted from when all the users are there; `inf` until locust is stopped."""
    spawn_per_s: float = 20.0


def stage_at(stages: Sequence[Stage], index: int, reached_s: float | None, now_s: float) -> int:
    """The index of the stage for `now_s`, given that all users of stage `index` were there at
    `reached_s` (None: not yet). One past the last means the end."""
    over = reached_s is not None and now_s - reached_s >= stages[index].dwell_s
    return index + 1 if over else index


class Staged(LoadTestShape):
    """Goes through `stages`; ends after the last one, or with `--run-time`."""

    abstract = True
    use_common_options = True
    stages: ClassVar[tuple[Stage, ...]] = ()

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._index = 0
        self._reached_s: float | None = None

    def reset_time(self) -> None:
        super().reset_time()  # type: ignore[no-untyped-call]
        self._index, self._reached_s = 0, None

    def tick(self) -> tuple[int, float] | None:
        now_s: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if self._asked_to_end(now_s):
            return None
        users: int = self.get_current_user_count()  # type: ignore[no-untyped-call]
        if self._reached_s is None and users == self._stage.users:
            self._reached_s = now_s
        following = stage_at(self.stages, self._index, self._reached_s, now_s)
        if following != self._index:
            self._index, self._reached_s = following, None
        if self._index == len(self.stages):
            return None
        return self._stage.users, self._stage.spawn_per_s

    @property
    def _stage(self) -> Stage:
        return self.stages[self._index]

    def _asked_to_end(self, now_s: float) -> bool:
        """Locust leaves `--run-time` to the shape."""
        options = self.runner.environment.parsed_options if self.runner else None
        run_time_s: float | None = getattr(options, "run_time", None)
        return bool(run_time_s and now_s >= run_time_s)


class ClinicMorning(Staged):
    """The clinic opens: a few early people, then everybody, until locust is stopped."""

    stages = (Stage(users=4, dwell_s=1), Stage(users=10))


class QuietClinic(Staged):
    """A few people at work, until locust is stopped."""

    stages = (Stage(users=4),)


class BusyClinic(Staged):
    """Everybody at once, until locust is stopped."""

    stages = (Stage(users=21),)
