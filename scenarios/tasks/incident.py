"""`doit incident`: faults on cue on a running instance, and all right again afterwards."""

import random
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from rich.console import Console
from rich.table import Table

from scenarios.demo import schedule
from scenarios.demo.incident import Incident, choose_some, choose_to_end, known
from scenarios.demo.ledger import Entry
from scenarios.demo.stage import Stage
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.estimate import exact, words
from scenarios.tasks.value import show
from stack import durations
from stack.check.configuration import read
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT
from stack.progress import result
from stack.run.instance import existing
from stack.run.naming import up


def incident(
    names: list[str], *, end: bool, lasts: str, by_schedule: bool, seed: int | None, instance: str
) -> None:
    """List the incidents; or begin the one named, end some or all, or live a day with random ones.

    Raises BadInput for an unknown one or one that would disturb another, HostCannot when the
    instance is down or the fault cannot be injected, CheckFailed when one cannot be undone.
    """
    _check(names, end, lasts, by_schedule, seed)
    if not names and not end and not by_schedule:
        _list(instance)
        return
    stack = existing(instance)
    if names and stack and not stack.is_running():
        # That it is down is not the first thing to say of a name that is none.
        choose_some(names, known(read(stack.layout.config_root), stack.speed))
    stage = Stage(instance)
    if end:
        going_on = [entry.name for entry in stage.ledger.entries()]
        _end(stage, choose_to_end(names, stage.incidents, going_on))
    elif by_schedule:
        _live(stage, random.SystemRandom().randrange(10**6) if seed is None else seed)
    else:
        chosen = choose_some(names, stage.incidents)
        if len(chosen) > 1:
            raise BadInput(
                f"{', '.join(chosen)}: name one incident.", cure="Begin others after it."
            )
        [name] = chosen
        _begin(stage, stage.incidents[name], _seconds(lasts, stage.instance.speed))
        if sys.stdout.isatty():
            print("Ctrl-C ends this view; the incident goes on")
            with suppress(KeyboardInterrupt):
                show(stage.instance, name, lambda: bool(stage.ledger.read(name)))


def _check(names: list[str], end: bool, lasts: str, by_schedule: bool, seed: int | None) -> None:
    """Raises BadInput where something that was given would do nothing."""
    if end and by_schedule:
        raise BadInput("--end and --schedule do not go together.", cure="Give one of them.")
    if by_schedule and names:
        raise BadInput(
            f"--schedule draws the incidents itself, so {' '.join(names)} would do nothing.",
            cure="Leave it out; another --seed is another day.",
        )
    if seed is not None and not by_schedule:
        raise BadInput("--seed repeats a day of incidents.", cure="Give --schedule with it.")
    if lasts and (end or by_schedule or not names):
        raise BadInput("--for says how long one incident lasts.", cure="Name the one to begin.")


def _seconds(lasts: str, speed: float) -> float | None:
    """Real seconds of an incident; None when nobody says."""
    seconds = durations.seconds(lasts) / speed if lasts else None
    if seconds is not None and seconds <= 0:
        raise BadInput(f"--for is {lasts}, expected a longer time, such as 5m.")
    return seconds


def _begin(stage: Stage, incident: Incident, seconds: float | None = None) -> None:
    _tell(stage, incident, stage.begin(incident, seconds))


def _end(stage: Stage, wanted: list[str]) -> None:
    for name in (ended := stage.end(wanted)):
        print(f"{name} is over; all is right again")
    if not ended:
        print(f"no incident is going on on `{stage.instance.name}`")


def _tell(stage: Stage, incident: Incident, entry: Entry) -> None:
    scenario = incident.scenario
    until = time.strftime("%H:%M:%S", time.localtime(entry.until))
    result(f"{incident.name} goes on until {until}: {incident.what}")
    soonest = f"in {exact(incident.first_told_s)}"
    if entry.until - entry.began < incident.first_told_s:
        soonest += "; it ends before that, so nobody is told: a longer `--for` lets it be told"
    rows = {
        "must be told": ", ".join(str(want) for want in scenario.notifications),
        "at the soonest": soonest,
        "may fire as well": ", ".join(sorted(scenario.may_also_fire)),
        "is silenced by it": ", ".join(sorted(scenario.inhibited)),
        "dashboard": stage.dashboard(incident),
        "messages": stage.instance.url("inbox"),
        "runbook": stage.runbook(incident),
    }
    for what, said in rows.items():
        if said:
            result(f"  {what:<18} {said}")
    result(f"`doit incident --end{stage.option}` ends it sooner")


def _list(name: str) -> None:
    stack = existing(name)
    running = stack is not None and stack.is_running()
    if running:
        stage = Stage(name)
        incidents, going_on = stage.incidents, stage.ledger.entries()
    else:
        incidents, going_on = known(read(CONFIG_ROOT)), []
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(_table(incidents.values(), console.width))
    for entry in going_on:
        until = time.strftime("%H:%M:%S", time.localtime(entry.until))
        result(f"{entry.name} is going on, until {until}")
    down = f" Instance `{name}` is down: `{stack.up if stack else up(name)}` first."
    result(
        "`doit incident NAME` begins one, `--for 5m` says for how long, `--end` puts all right."
        + ("" if running else down)
    )


_ALL_FROM, _SEVERITY_FROM = 78, 54
"""Columns of a terminal from which there is room for all, and for the severity."""


def _table(incidents: Iterable[Incident], width: int) -> Table:
    """With as many columns as there is room for."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = {"incident": True, "severity": width >= _SEVERITY_FROM,
             "what happens": width >= _ALL_FROM, "told after": True}  # fmt: skip
    for column in (name for name, there in shown.items() if there):
        table.add_column(column, no_wrap=column != "what happens")
    for one in incidents:
        severity = one.scenario.labels.get("severity", "")
        cells = (one.name, severity, one.what, exact(one.first_told_s))
        table.add_row(*(cell for cell, there in zip(cells, shown.values(), strict=True) if there))
    return table


def _live(stage: Stage, seed: int) -> None:
    """One incident after the other, until the day is over or somebody ends it."""
    print(f"a day of incidents, seed {seed}; Ctrl-C ends it", flush=True)
    try:
        with ended_by(as_interrupt()):
            _day(stage, seed)
    finally:
        if stage.ledger.entries():
            _end(stage, [])
    print(f"the day is over; what happened is in {stage.ledger.truth}")


def possible(stage: Stage) -> Mapping[str, Incident]:
    """Those that can happen on this machine, and at the instance's speed."""
    return {
        name: one
        for name, one in stage.incidents.items()
        if not one.scenario.fault.blocked(stage.instance)
    }


def _day(stage: Stage, seed: int) -> None:
    for quiet_s, one in schedule.day(possible(stage), seed, stage.instance.speed):
        print(f"quiet for {words(quiet_s)}", flush=True)
        time.sleep(quiet_s)
        _begin(stage, one)
        stage.wait(one.name)
