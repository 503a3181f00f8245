"""`doit capacity`: how much load a scheduler carries, how many lines its logs."""

from dataclasses import replace

from scenarios.capacity.logs import run as of_logs
from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.search import Plan
from stack import durations, paths
from stack.errors import BadInput
from stack.names import choose

KINDS = ("scheduler", "logs")


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
) -> None:
    """Measure it. Raises BadInput, and as `run.scheduler` and `logs.run.logs`."""
    if len(choose(what, KINDS, what="capacity of", see=f"It is that of {', '.join(KINDS)}.")) > 1:
        raise BadInput("one at a time: each would be in the other's way.")
    of = [one.lower() for one in what]
    usual = of_logs.USUAL if of == ["logs"] else Plan(highest=2000.0)
    plan = replace(usual, start=usual.start if start is None else start,
                   highest=usual.highest if highest is None else highest,
                   budget_s=durations.seconds(lasts))  # fmt: skip
    if plan.start > plan.highest:
        raise BadInput(f"--start {plan.start:g} is above --highest {plan.highest:g}.")
    if of == ["logs"]:
        if instance or backends > 1:
            raise BadInput("logs are measured in an instance of its own, without a scheduler:"
                           " --instance and --backends do not go with it.")  # fmt: skip
        of_logs.logs(
            of_logs.Wish(slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
                         baseline=paths.given(baseline) if baseline else None)
        )  # fmt: skip
        return
    if instance and backends > 1:
        raise BadInput("--backends needs instances of its own.", cure="Leave --instance out.")
    scheduler(
        Wish(instance=instance, slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
             backends=backends, baseline=paths.given(baseline) if baseline else None)
    )  # fmt: skip
