"""The worker really burns CPU, really holds memory, or really crashes again and again.

It has limits of its own (`stack.programs.worker.wishes`), whatever it is asked to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loadgen.faults.base import FaultFailed, Target, read_control, update_control
from stack.run.services.worker import SERVICE as WORKER

NAME = WORKER.name

_SCRAPED_S = 0.3
"""A shorter life may fall between two scrapes, which are 0.25 s apart at speed 60."""


@dataclass(frozen=True, kw_only=True)
class WorkerStrained:
    """The worker is told to misbehave; made by the functions below."""

    told: Mapping[str, float]
    """Keys of its control file, see `stack.programs.worker.wishes`."""
    words: str
    shows_after_s: float = 0.0
    shows_within_s: float = 0.5
    lingers_s: float = 0.5
    touches: frozenset[str] = frozenset({NAME})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        if not instance.service_running(NAME):
            raise FaultFailed(f"`{NAME}` is not running, so the fault could not show")
        update_control(instance.control_file(NAME), put=self.told)

    def undo(self, instance: Target) -> None:
        update_control(instance.control_file(NAME), drop=set(self.told))

    def verify(self, instance: Target) -> str | None:
        now = read_control(instance.control_file(NAME))
        left = {key: now[key] for key in self.told if key in now}
        if left:
            return f"the worker's control file still says {left}"
        return None if instance.service_running(NAME) else f"`{NAME}` is still not running"

    def __str__(self) -> str:
        return self.words


def cpu(*, of_limit: float) -> WorkerStrained:
    """It uses that share of its CPU limit."""
    cores = round(of_limit * (WORKER.cpu_limit or 0), 3)
    return WorkerStrained(
        told={"cpu_cores": cores},
        words=f"{NAME} burns {cores:g} cores, {of_limit:.0%} of its limit",
    )


def memory(*, of_limit: float) -> WorkerStrained:
    """It grows to that share of its memory limit."""
    size = int(of_limit * (WORKER.memory_limit_bytes or 0))
    return WorkerStrained(
        told={"memory_bytes": size},
        words=f"{NAME} holds {size / 1e6:.0f} MB, {of_limit:.0%} of its limit",
    )


def crash_loop(*, life_s: float, restarts: int) -> WorkerStrained:
    """It crashes `life_s` seconds after each start, until the fault is undone.

    `restarts` is how many restarts the rule needs to see.
    """
    if life_s < _SCRAPED_S:
        raise ValueError(
            f"life_s is {life_s:g}, expected at least {_SCRAPED_S:g}: no scrape would see it"
        )
    return WorkerStrained(
        told={"crash_after_s": life_s},
        words=f"{NAME} crashes {life_s:g} s after each start",
        # The first crash is immediate: the worker has been up for longer than that.
        shows_after_s=(restarts - 1) * life_s,
        # Supervisord starts it again within a second.
        shows_within_s=restarts * (life_s + 1.0),
        lingers_s=1.0,
    )
