"""`doit capacity`: how much load one scheduler carries, how many series one Prometheus."""

from scenarios.capacity.metrics.run import Wish as MetricsWish
from scenarios.capacity.metrics.run import metrics
from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.search import Plan
from stack import durations, paths
from stack.errors import BadInput
from stack.names import choose

KINDS = ("scheduler", "metrics")


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
    history: str,
    size: int,
    steps: int,
    reach: int,
    repeats: int,
    every: str,
    churn: float,
    remote_write: bool,
    wall: bool,
    seed: int,
) -> None:
    """Measure it. Raises BadInput, and as `scenarios.capacity.run.scheduler` and
    `scenarios.capacity.metrics.run.metrics`."""
    kinds = choose(what, KINDS, what="capacity of", see=f"It is that of {', '.join(KINDS)}.")
    if "metrics" in kinds:
        _refuse(kinds, instance=instance, slo=slo, need=need, baseline=baseline, history=history)
        metrics(
            MetricsWish(
                size=size, steps=steps, reach=reach, repeats=repeats, wall=wall, seed=seed,
                interval_s=_interval(every), churn_instances=churn / 100, churn_labels=churn / 100,
                remote_write=remote_write,
            )
        )  # fmt: skip
    if kinds and "scheduler" not in kinds:
        return
    if baseline and history:
        raise BadInput(
            "--baseline and --history do not go together.",
            cure="A baseline is one run, a history has them all and is held against its last one.",
        )
    if instance and backends > 1:
        raise BadInput("--backends needs instances of its own.", cure="Leave --instance out.")
    if start > highest:
        raise BadInput(f"--start {start:g} is above --highest {highest:g}.")
    plan = Plan(start=start, highest=highest, budget_s=durations.seconds(lasts))
    scheduler(
        Wish(instance=instance, slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
             backends=backends, history=paths.given(history) if history else None,
             baseline=paths.given(baseline) if baseline else None)
    )  # fmt: skip


def _refuse(kinds: list[str], **given: object) -> None:
    """Raise BadInput for what says nothing of what is measured."""
    said = [name for name, value in given.items() if value]
    if said and "scheduler" not in kinds:
        raise BadInput(f"--{said[0]} is for the capacity of a scheduler.", cure="Leave it out.")


def _interval(every: str) -> float:
    """Raises BadInput."""
    interval_s = durations.seconds(every)
    if not 1 <= interval_s <= 60:
        raise BadInput(f"--every is {every}, expected 1s to 1m.")
    return interval_s
