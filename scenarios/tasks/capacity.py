"""`doit capacity`: how much one scheduler carries, one Prometheus, and the pair for logs."""

from dataclasses import replace

from scenarios.capacity.logs import run as of_logs
from scenarios.capacity.metrics.run import Wish as MetricsWish
from scenarios.capacity.metrics.run import metrics
from scenarios.capacity.only import only_one
from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.search import Plan
from stack import durations, paths
from stack.errors import BadInput
from stack.names import choose

KINDS = ("scheduler", "metrics", "logs")


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
    start: float | None,
    highest: float | None,
    lasts: str,
    backends: int,
    history: str,
    size: int,
    reach: int,
    every: str,
    churn: float,
    remote_write: bool,
    wall: bool,
) -> None:
    """Measure it. Raises BadInput, HostCannot where somebody else does, and as `run.scheduler`,
    `metrics.run.metrics` and `logs.run.logs`."""
    kinds = choose(what, KINDS, what="capacity of", see=f"It is that of {', '.join(KINDS)}.")
    if len(kinds) > 1:
        raise BadInput("one at a time: each would be in the other's way.")
    kind = kinds[0] if kinds else "scheduler"
    if kind != "scheduler":
        _refuse(kind, instance=instance, history=history, backends=backends - 1)
    if baseline and history:
        raise BadInput(
            "--baseline and --history do not go together.",
            cure="A baseline is one run, a history has them all and is held against its last one.",
        )
    if kind == "metrics":
        _refuse(kind, slo=slo, need=need, baseline=baseline, start=start, highest=highest)
        wanted = MetricsWish(
            size=size, reach=reach, wall=wall, interval_s=_interval(every),
            churn_instances=churn / 100, churn_labels=churn / 100, remote_write=remote_write,
        )  # fmt: skip
        with only_one():
            metrics(wanted)
        return
    usual = of_logs.USUAL if kind == "logs" else Plan(highest=2000.0)
    plan = replace(usual, start=usual.start if start is None else start,
                   highest=usual.highest if highest is None else highest,
                   budget_s=durations.seconds(lasts))  # fmt: skip
    if plan.start > plan.highest:
        raise BadInput(f"--start {plan.start:g} is above --highest {plan.highest:g}.")
    if kind == "logs":
        of = of_logs.Wish(slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
                          baseline=paths.given(baseline) if baseline else None)  # fmt: skip
        with only_one():
            of_logs.logs(of)
        return
    if instance and backends > 1:
        raise BadInput("--backends needs instances of its own.", cure="Leave --instance out.")
    wish = Wish(instance=instance, slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
                backends=backends, history=paths.given(history) if history else None,
                baseline=paths.given(baseline) if baseline else None)  # fmt: skip
    with only_one():
        scheduler(wish)


def _refuse(kind: str, **given: object) -> None:
    """Raise BadInput for what says nothing of what is measured."""
    if said := [name for name, value in given.items() if value]:
        raise BadInput(f"--{said[0]} says nothing of the capacity of {kind}.",
                       cure="Leave it out.")  # fmt: skip


def _interval(every: str) -> float:
    """Raises BadInput."""
    interval_s = durations.seconds(every)
    if not 1 <= interval_s <= 60:
        raise BadInput(f"--every is {every}, expected 1s to 1m.")
    return interval_s
