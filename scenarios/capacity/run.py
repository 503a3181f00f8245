"""Runs a search on an instance and writes what came of it, whatever ends it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

from scenarios.capacity import report
from scenarios.capacity.answer import Answer, Baseline, Machine, read_baseline
from scenarios.capacity.bench import Bench
from scenarios.capacity.objective import Objective, overridden, read
from scenarios.capacity.search import Died, Plan, Search
from scenarios.capacity.window import Step
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.reports import KEPT, new_folder, prune, reports_dir
from stack import progress
from stack.check import configuration
from stack.errors import CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance
from stack.run.lifecycle import running

KIND = "capacity-"
"""How folders of these reports begin."""

OWN = "capacity"
"""The instance that is made for it, and wiped."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks."""

    instance: str = ""
    """A running one; one of its own when empty."""
    slo: str = ""
    plan: Plan = field(default_factory=Plan)
    need: float | None = None
    baseline: Path | None = None
    tolerance: float = 0.1


def scheduler(wish: Wish, reports: Path | None = None, keep: int = KEPT) -> None:
    """Find the knee of a scheduler and write the report.

    Raises BadInput for an objective or a baseline that cannot be used, HostCannot when the instance
    is down or cannot come up, CheckFailed when there is no result or it falls short; and
    KeyboardInterrupt, once the report of what there is has been written.
    """
    objective = overridden(read(configuration.read(CONFIG_ROOT).alerts), wish.slo)
    machine = Machine.here()
    before = read_baseline(wish.baseline, machine) if wish.baseline else None
    room = reports or reports_dir()
    with new_folder(room, KIND) as folder:
        print(f"objective: {objective.words}", flush=True)
        answer, interrupted = _searched(wish, objective, machine, before, folder)
        file = report.write(answer, folder)
    prune(room, keep, KIND)
    report.tell(answer, file)
    if interrupted:
        raise KeyboardInterrupt
    if answer.shortcomings:
        raise CheckFailed(f"{'; '.join(answer.shortcomings)}.")


def _searched(
    wish: Wish, objective: Objective, machine: Machine, before: Baseline | None, folder: Path
) -> tuple[Answer, bool]:
    started, search, interrupted, what = time(), None, False, ""
    begun = monotonic()
    try:
        with ended_by(as_interrupt()), _target(wish.instance) as instance:
            what = f"Instance `{instance.name}`, {instance.hash[:12]}"
            begun = monotonic()
            with Bench(instance, folder) as bench:
                search = Search(bench, objective, wish.plan, monotonic, _say)
                search.run()
    except Died as death:
        raise HostCannot(f"{death}.") from None
    except KeyboardInterrupt:
        if search is None:
            raise
        interrupted = True
        search.found.ended = "it was interrupted"
    answer = Answer(
        found=search.found, objective=objective, plan=wish.plan, machine=machine, instance=what,
        started=started, took_s=monotonic() - begun, need=wish.need, baseline=before,
        tolerance=wish.tolerance,
    )  # fmt: skip
    return answer, interrupted


@contextmanager
def _target(name: str) -> Iterator[Instance]:
    """The running instance of that name, or one of its own."""
    if name:
        found = Instance.open(name)
        if not found.is_running():
            raise HostCannot(f"instance `{name}` is down: there is nothing to measure.",
                             cure=f"`{found.up}` starts it.")  # fmt: skip
        yield found
    else:
        print(f"starting instance `{OWN}` …", flush=True)
        with running(OWN, speed=1.0) as instance:
            yield instance


def _say(step: Step) -> None:
    if progress.chosen() is not progress.Way.QUIET:
        print(report.line(step), flush=True)
