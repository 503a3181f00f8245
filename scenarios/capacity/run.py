"""Measures a scheduler in its instances and writes what came of it, whatever ends it.

First the knee of one process and what it does for so many people at once, then the knees of more
processes, at last how early the alerts warn; each in an instance of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, time

import httpx

from loadgen.faults import host as simulated
from loadgen.faults.base import update_control
from scenarios.capacity import history, report
from scenarios.capacity.answer import Answer, Baseline, Machine, read_baseline
from scenarios.capacity.asked import Told
from scenarios.capacity.bench import SCHEDULER, Bench, calibrated
from scenarios.capacity.lead import SPEED as LEAD_SPEED
from scenarios.capacity.lead import Lead, grow
from scenarios.capacity.objective import Objective, overridden, read
from scenarios.capacity.search import Died, Found, Plan, Search
from scenarios.capacity.sizing import Series
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

PEOPLE = (1, 2, 4, 8, 16, 32)
"""Who ask at once, for the law of scalability."""

PEOPLE_SETTLE_S, PEOPLE_S, PEOPLE_WINDOWS = 1.0, 1.5, 3


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks."""

    instance: str = ""
    """A running one; one of its own when empty."""
    slo: str = ""
    plan: Plan = field(default_factory=Plan)
    need: float | None = None
    baseline: Path | None = None
    history: Path | None = None
    tolerance: float = 0.1
    backends: int = 1
    """Up to so many processes of the scheduler, with each number of them that doubles."""


@dataclass
class _Seen:
    """What there is so far."""

    what: str = ""
    begun: float = 0.0
    search: Search | None = None
    people: list[tuple[int, list[float]]] = field(default_factory=list)
    scaling: dict[int, Found] = field(default_factory=dict)
    lead: Lead | None = None
    series: Series | None = None
    calibrated: list[float] = field(default_factory=list)


def scheduler(wish: Wish, reports: Path | None = None, keep: int = KEPT) -> None:
    """Find the knee of a scheduler and write the report.

    Raises BadInput for an objective or a baseline that cannot be used, HostCannot when the instance
    is down or cannot come up, CheckFailed when there is no result or it falls short; and
    KeyboardInterrupt, once the report of what there is has been written.
    """
    objective = overridden(read(configuration.read(CONFIG_ROOT).alerts), wish.slo)
    machine = Machine.here()
    before = read_baseline(wish.baseline, machine) if wish.baseline else None
    if wish.history:
        before = history.last(wish.history, machine)
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
    if wish.history and answer.found.knee:
        history.add(wish.history, answer)


def _searched(
    wish: Wish, objective: Objective, machine: Machine, before: Baseline | None, folder: Path
) -> tuple[Answer, bool]:
    started, interrupted, seen = time(), False, _Seen(begun=monotonic())
    try:
        with ended_by(as_interrupt()):
            _measure(wish, objective, folder, seen)
    except Died as death:
        if seen.search is None:
            raise HostCannot(f"{death}.") from None
        seen.search.found.ended = seen.search.found.ended or f"{death}"
    except KeyboardInterrupt:
        if seen.search is None:
            raise
        interrupted = True
        seen.search.found.ended = "it was interrupted"
    assert seen.search
    answer = Answer(
        found=seen.search.found, objective=objective, plan=wish.plan, machine=machine,
        instance=seen.what, started=started, took_s=monotonic() - seen.begun, need=wish.need,
        baseline=before, tolerance=wish.tolerance, people=seen.people, scaling=seen.scaling,
        lead=seen.lead, series=seen.series,
        calibrated=(seen.calibrated[0], seen.calibrated[1]) if len(seen.calibrated) > 1 else None,
    )  # fmt: skip
    return answer, interrupted


def _measure(wish: Wish, objective: Objective, folder: Path, seen: _Seen) -> None:
    with _target(wish.instance) as instance:
        seen.what = f"Instance `{instance.name}`, {instance.hash[:12]}"
        seen.begun = monotonic()
        seen.calibrated.append(calibrated())
        with Bench(instance, folder) as bench:
            seen.search = Search(bench, objective, wish.plan, monotonic, _say)
            found = seen.search.run()
        if found.ended or found.limit.is_generator:
            return
        seen.series = _series(instance)
        _say_part("people who ask again as soon as they are answered")
        with Bench(instance, folder, waits=True) as bench:
            for count in PEOPLE:
                bench.settle(count, PEOPLE_SETTLE_S)
                windows = [bench.measure(PEOPLE_S) for _ in range(PEOPLE_WINDOWS)]
                seen.people.append((count, [one.served / one.seconds for one in windows]))
        seen.calibrated.append(calibrated())
    if wish.instance or not found.knee:
        return
    for count in _doubling(wish.backends):
        _say_part(f"{count} processes of the scheduler")
        with _own(count) as instance, Bench(instance, folder) as bench:
            plan = replace(wish.plan, start=max(wish.plan.start, found.low / 2))
            more = Search(bench, objective, plan, monotonic, _say)
            seen.scaling[count] = more.found
            more.run()
    _say_part("how early the alerts warn, as the load grows")
    with _own(1, LEAD_SPEED) as instance, Bench(instance, folder) as bench:
        seen.lead = Lead(speed=instance.speed)
        try:
            with Told(instance) as told:
                grow(bench, told.firing, _host(instance), objective, found.knee, seen.lead,
                     _say_line)  # fmt: skip
        except Died as death:
            seen.lead.died = f"{death}"


def _host(instance: Instance) -> Callable[[float], None]:
    """Tells the simulated host how busy the real one is."""
    file = instance.control_file(simulated.SERVICE)
    return lambda share: update_control(file, put={"cpu_percent": round(100 * min(share, 1.0), 1)})


def _doubling(most: int) -> list[int]:
    """2, 4, 8 … and the last one."""
    return sorted({count for n in range(1, 7) if (count := 2**n) < most} | {most} - {1})


def _series(instance: Instance) -> Series | None:
    """What its Prometheus holds; None when it does not answer."""
    with Told(instance) as told:
        try:
            own, every, pace = (told.number(one) for one in (
                f'count({{job="{SCHEDULER}"}})', 'count({__name__=~".+"})',
                'max(prometheus_target_interval_length_seconds{quantile="0.5"})',
            ))  # fmt: skip
        except httpx.HTTPError:
            return None
    if own is None or every is None or not pace:
        return None
    return Series(scheduler=round(own), others=round(every - own), scrape_s=pace)


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
        with _own(1) as instance:
            yield instance


@contextmanager
def _own(backends: int, speed: float = 1.0) -> Iterator[Instance]:
    print(f"starting instance `{OWN}` …", flush=True)
    with running(OWN, speed=speed, backends=backends) as instance:
        yield instance


def _say_part(what: str) -> None:
    print(f"{what} …", flush=True)


def _say_line(line: str) -> None:
    if progress.chosen() is not progress.Way.QUIET:
        print(line, flush=True)


def _say(step: Step) -> None:
    _say_line(report.line(step))
