"""`doit capacity`: how much load one scheduler carries within its objective."""

from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.search import Plan
from stack import durations, paths
from stack.errors import BadInput
from stack.names import choose

KINDS = ("scheduler",)


def kinds() -> list[str]:
    """What the capacity of can be measured, for completion."""
    return [*KINDS]


def capacity(
    what: list[str],
    instance: str,
    slo: str,
    need: float | None,
    baseline: str,
    tolerance: float,
    start: float,
    highest: float,
    lasts: str,
    backends: int,
) -> None:
    """Measure it. Raises BadInput, and as `scenarios.capacity.run.scheduler`."""
    choose(what, KINDS, what="capacity of", see=f"It is that of {', '.join(KINDS)}.")
    if instance and backends > 1:
        raise BadInput("--backends needs instances of its own.", cure="Leave --instance out.")
    if start > highest:
        raise BadInput(f"--start {start:g} is above --highest {highest:g}.")
    plan = Plan(start=start, highest=highest, budget_s=durations.seconds(lasts))
    scheduler(
        Wish(instance=instance, slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
             backends=backends, baseline=paths.given(baseline) if baseline else None)
    )  # fmt: skip
