"""`doit verify-dashboards`: brings instances up, asks every panel, breaks things, and reports."""

import math
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scenarios.dashboards import report
from scenarios.dashboards.declared import MOVES, STEADY
from scenarios.dashboards.healthy import Morning
from scenarios.dashboards.play import play_panels
from scenarios.dashboards.result import Proof, Shown
from scenarios.dashboards.screens import NONE_WANTED, chosen
from scenarios.proof import catalogue
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.estimate import Turn, length_s
from scenarios.proof.packing import by_length, in_turn, pack
from scenarios.proof.reports import KEPT, check_kept, new_folder, prune, reports_dir
from scenarios.proof.run import (
    Plan,
    check_speed,
    ended_in_order,
    instances_at_once,
    perform,
    turn,
    written,
)
from scenarios.proof.slots import check_writable
from scenarios.proof.usable import check_usable
from scenarios.proof.verdict import Outcome
from scenarios.proof.workers import Workers
from stack.check.configuration import Configuration, read
from stack.check.dashboardfiles import Dashboards, Panel, load
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.names import choose
from stack.paths import CONFIG_ROOT

KIND = "dashboards-"
"""How the names of its reports begin."""

START_S, FAULT_S = 15.0, 5.0
"""Real seconds until a group's instance is steady, and that a fault stays."""

_UNASKED = ("row", "text", "alertlist")
"""Panels that ask nothing by a query of their own."""


def verify_dashboards(
    only: Sequence[str] = (),
    *,
    speed: float = 60.0,
    healthy_only: bool = False,
    config_root: Path = CONFIG_ROOT,
    reports: Path | None = None,
    keep_reports: int = KEPT,
) -> int:
    """Ask the panels called `only` (a dashboard's uid, `UID/ID` or a panel's title), all when it is
    empty; 0 when all are good.

    `healthy_only` plays no faults. Writes a page and JUnit; of such reports, the last
    `keep_reports` are kept. Raises CheckFailed with the panels that are not good, HostCannot when
    nothing is wrong but this machine cannot host a fault, an instance or a browser (unless
    STACK_BROWSER says that none is wanted), BadInput for names that no dashboard has or
    configuration that nothing would start with, and KeyboardInterrupt after SIGINT, SIGTERM or
    SIGHUP, once all faults are undone and what was seen is reported.
    """
    check_kept(keep_reports)
    check_speed(speed)
    found = load(config_root)
    if found.problems:
        raise BadInput("\n".join(one.text(config_root) for one in found.problems))
    panels = _chosen(found, only)
    configuration = read(config_root)
    check_usable(configuration)
    plan = _plan([] if healthy_only else panels, configuration, speed)
    check_writable()
    browser, unlooked = chosen()
    reports = reports or reports_dir()
    stop, show, started = threading.Event(), plan.display(), time.time()
    with ExitStack() as ending:
        with written(reports):
            folder = ending.enter_context(new_folder(reports, KIND))
        ending.enter_context(ended_in_order(stop, show.ending))
        morning = Morning(panels, folder, browser, unlooked)
        workers = perform(plan, folder, stop, show, config_root=config_root, routing=morning,
                          play=partial(play_panels, panels))  # fmt: skip
        _note_unplayed(panels, workers)
        proof = Proof(
            panels=panels, folder=folder, started=started, took_s=time.time() - started,
            speed=speed, faults=not healthy_only, screens=morning.screens,
            unlooked=morning.unlooked, notes=_notes(workers),
            interrupted=stop.is_set() and not workers.errors,
        )  # fmt: skip
        with written(folder):
            report.write(proof)
            prune(reports, keep_reports, KIND)
        report.tell(proof)
    return _end(proof, workers)


def watched(panel: Panel) -> tuple[str, ...]:
    """The alerts whose scenarios must move it: those that it shows, and those declared."""
    return tuple(dict.fromkeys([*panel.alerts, *MOVES.get((panel.dashboard.uid, panel.id), ())]))


def _chosen(found: Dashboards, only: Sequence[str]) -> list[Shown]:
    every = [
        Shown(panel=panel, watches=watched(panel),
              steady=STEADY.get((panel.dashboard.uid, panel.id), ""))
        for panel in found.panels if panel.kind not in _UNASKED
    ]  # fmt: skip
    groups: dict[str, list[str]] = {}
    for one in every:
        uid = one.panel.dashboard.uid
        # By the name that the area of its alerts has, too: `database` is `database-metrics`.
        for name in {uid, uid.partition("-")[0], one.panel.title}:
            groups.setdefault(name, []).append(one.name)
    wanted = choose(
        only, [one.name for one in every], what="dashboard or panel", groups=groups,
        see="Give a dashboard's uid, UID/ID or a panel's title; dashboards are"
        f" {', '.join(sorted(one.uid for one in found.all))}.",
    )  # fmt: skip
    return [one for one in every if not only or one.name in wanted]


def _plan(panels: Sequence[Shown], configuration: Configuration, speed: float) -> Plan:
    """The morning, and the scenarios that `panels` watch. Raises BadInput for one there is not."""
    wanted = {alert for one in panels for alert in one.watches}
    found = [one for one in catalogue.find() if one.scenario.alert in wanted]
    lengths = {one.file: length_s(one, configuration, speed) for one in found}
    groups = in_turn(pack(by_length(found, lengths), configuration.on_logs))
    about_s = {id(group): _about_s(group, panels) for group in groups}
    # Those of a speed of their own stay where they are, in front.
    groups.sort(key=lambda group: math.inf if group[0].scenario.speedup > 1 else about_s[id(group)],
                reverse=True)  # fmt: skip
    instances = instances_at_once(speed, len(groups) + 1)
    morning = Turn(names=tuple(Morning.names()), about_s=Morning.length_s(speed))
    turns = [turn(group, about_s[id(group)]) for group in groups]
    return Plan(
        groups=groups, instances=instances, gaps={}, routes=Morning.names(), speed=speed,
        turns=[morning, *turns], called="healthy morning",
    )  # fmt: skip


def _about_s(group: Sequence[ScenarioFile], panels: Sequence[Shown]) -> float:
    """About how long a group takes, in real seconds: its faults come one after the other, and the
    more panels watch them, the longer the last one takes to be as before."""
    watching = sum(found.scenario.alert in one.watches for found in group for one in panels)
    return START_S + FAULT_S * len(group) + watching


def _note_unplayed(panels: Sequence[Shown], workers: Workers) -> None:
    """Of panels whose fault had no turn, say why."""
    for one in panels:
        for alert in one.watches:
            result = workers.results.get(alert)
            if result and alert not in one.seen:
                one.blame(alert, result.verdict.reason)


def _notes(workers: Workers) -> tuple[str, ...]:
    again = [f"{one.alert} {one.again}" for one in workers.results.values() if one.again]
    return (*workers.said, *again)


def _end(proof: Proof, workers: Workers) -> int:
    if workers.errors:
        raise workers.errors[0]
    if proof.interrupted:
        raise KeyboardInterrupt
    results = list(workers.results.values())
    cure = f"See {proof.short}."
    if failed := [one.alert for one in results if one.outcome is Outcome.FAILED]:
        raise CheckFailed(f"not shown: {', '.join(failed)}.", cure=cure)
    if blocked := [one.alert for one in results if one.outcome is Outcome.BLOCKED]:
        raise HostCannot(f"blocked on this host: {', '.join(blocked)}.", cure=cure)
    if proof.unlooked and proof.unlooked != NONE_WANTED:
        raise HostCannot(
            f"not looked at in a browser: {proof.unlooked}",
            cure=f"{NONE_WANTED} does without, STACK_BROWSER=PATH names another. {cure}",
        )
    return 0
