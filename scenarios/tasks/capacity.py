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
) -> None:
    """Measure it. Raises BadInput, and as `run.scheduler` and `logs.run.logs`."""
    kind = choose(what, KINDS, what="capacity of", see=f"It is that of {', '.join(KINDS)}.")
    if len(kind) > 1 and what:
        raise BadInput("one at a time: each would be in the other's way.")
    usual = of_logs.USUAL if what == ["logs"] else Plan(highest=2000.0)
    plan = replace(usual, start=usual.start if start is None else start,
                   highest=usual.highest if highest is None else highest,
                   budget_s=durations.seconds(lasts))  # fmt: skip
    if plan.start > plan.highest:
        raise BadInput(f"--start {plan.start:g} is above --highest {plan.highest:g}.")
    if what == ["logs"]:
        if instance:
            raise BadInput("logs are measured in an instance of its own: --instance does not go.")
        of_logs.logs(
            of_logs.Wish(slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
                         baseline=paths.given(baseline) if baseline else None)
        )  # fmt: skip
        return
    scheduler(
        Wish(instance=instance, slo=slo, plan=plan, need=need, tolerance=tolerance / 100,
             baseline=paths.given(baseline) if baseline else None)
    )  # fmt: skip
