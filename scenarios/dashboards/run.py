"""`doit verify-dashboards`: brings instances up, asks every panel, breaks things, and reports."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from loadgen.traffic import Crew
from scenarios.dashboards import report
from scenarios.dashboards.asking import Asker
from scenarios.dashboards.declared import MOVES, STEADY
from scenarios.dashboards.judging import Outcome
from scenarios.dashboards.play import EXPECTED, Stage, faulty, healthy_morning
from scenarios.dashboards.result import Proof, Shown
from scenarios.proof.catalogue import find
from scenarios.proof.reports import KEPT, new_folder, prune, reports_dir
from scenarios.proof.slots import Slots, check_writable
from scenarios.proof.usable import check_usable
from stack.check.bounds import bounds
from stack.check.configuration import Configuration, read
from stack.check.dashboardfiles import Dashboards, Panel, load
from stack.errors import BadInput, CheckFailed
from stack.names import choose
from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance
from stack.run.lifecycle import running

Screenshots = Callable[[Instance, Path], Mapping[str, Sequence[Path]]]
"""Takes pictures of an instance's dashboards into a folder; uid → PNG files."""

KIND = "dashboards-"
"""How the names of its reports begin."""

_UNASKED = ("row", "text", "alertlist")
"""Panels that ask nothing by a query of their own."""


def verify_dashboards(
    only: Sequence[str] = (),
    *,
    speed: float = 60.0,
    healthy_only: bool = False,
    config_root: Path = CONFIG_ROOT,
    reports: Path | None = None,
    screenshots: Screenshots | None = None,
) -> int:
    """Ask the panels called `only` (`UID` or `UID/ID`), all when it is empty; 0 when all are good.

    `healthy_only` plays no faults; `screenshots` are taken once all is shown. Writes a page and
    JUnit. Raises CheckFailed with the panels that are not, BadInput for names that no dashboard has
    or configuration that nothing would start with, HostCannot when no instance comes up.
    """
    found = load(config_root)
    if found.problems:
        raise BadInput("\n".join(one.text(config_root) for one in found.problems))
    panels = _chosen(found, only)
    configuration = read(config_root)
    check_usable(configuration)
    check_writable()
    reports = reports or reports_dir()
    with new_folder(reports, KIND) as folder:
        proof = _played(
            panels, configuration, folder, speed, screenshots, healthy_only=healthy_only
        )
    prune(reports, KEPT, KIND)
    return _told(proof, healthy_only=healthy_only)


def _played(
    panels: list[Shown],
    configuration: Configuration,
    folder: Path,
    speed: float,
    screenshots: Screenshots | None,
    *,
    healthy_only: bool,
) -> Proof:
    """Play it, and write the report, whatever happens."""
    started, interrupted = time.time(), False
    screens: dict[str, Sequence[Path]] = {}

    def take(instance: Instance) -> None:
        if screenshots:
            screens.update(screenshots(instance, folder))

    try:
        _play(panels, configuration, folder, speed, take, healthy_only=healthy_only)
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        proof = Proof(
            panels=panels, folder=folder, started=started, took_s=time.time() - started,
            speed=speed, faults=not healthy_only, interrupted=interrupted,
            screens=screens,
        )  # fmt: skip
        report.write(proof)
    return proof


def watched(panel: Panel) -> tuple[str, ...]:
    """The alerts whose scenarios must move it: those that it shows, and those declared."""
    return tuple(dict.fromkeys([*panel.alerts, *MOVES.get((panel.dashboard.uid, panel.id), ())]))


def _chosen(found: Dashboards, only: Sequence[str]) -> list[Shown]:
    every = [
        Shown(panel=panel, watches=watched(panel),
              steady=STEADY.get((panel.dashboard.uid, panel.id), ""))
        for panel in found.panels if panel.kind not in _UNASKED
    ]  # fmt: skip
    panels: dict[str, list[str]] = {}
    for one in every:
        panels.setdefault(one.panel.dashboard.uid, []).append(one.name)
    wanted = choose(
        only, [one.name for one in every], what="dashboard or panel", groups=panels,
        see=f"Panels are called UID/ID, dashboards {', '.join(panels)}.",
    )  # fmt: skip
    return [one for one in every if not only or one.name in wanted]


def _play(
    panels: list[Shown],
    configuration: Configuration,
    folder: Path,
    speed: float,
    take: Callable[[Instance], None],
    *,
    healthy_only: bool,
) -> None:
    wanted = {alert for one in panels for alert in one.watches} if not healthy_only else set()
    scenarios = [one for one in find() if one.scenario.alert in wanted]
    speeds = sorted({one.scenario.speed(speed) for one in scenarios} | {speed})
    rules = {alert.name: alert for alert in configuration.alerts}
    with Slots() as slots:
        for pace in speeds:
            theirs = [one for one in scenarios if one.scenario.speed(speed) == pace]
            with (
                running(slots.take(), speed=pace, config_root=configuration.root) as instance,
                Asker(instance) as asker,
                Crew(instance, folder) as crew,
            ):
                stage = Stage(
                    instance=instance, asker=asker, crew=crew, stop=threading.Event(), tell=_say
                )
                if pace == speed:
                    healthy_morning(stage, panels)
                    take(instance)
                for one in theirs:
                    alert = one.scenario.alert
                    concerned = [panel for panel in panels if alert in panel.watches]
                    _guarded(
                        partial(faulty, stage, one, concerned, bounds(rules[alert])),
                        alert,
                        concerned,
                    )


def _guarded(play: Callable[[], None], alert: str, panels: Iterable[Shown]) -> None:
    """One fault that cannot be played spoils only what it was to move."""
    try:
        play()
    except EXPECTED as error:
        for one in panels:
            one.blocked[alert] = str(error)


def _say(words: str) -> None:
    print(words, flush=True)


def _told(proof: Proof, *, healthy_only: bool) -> int:
    bad = [one for one in proof.panels if one.outcome is Outcome.FAILED
           or (one.outcome is Outcome.UNPLAYED and not healthy_only)]  # fmt: skip
    page = proof.folder / "report.html"
    if bad:
        lines = "\n  ".join(f"{one.name} {one.panel.title}: {one.words or one.outcome}"
                            for one in bad)  # fmt: skip
        raise CheckFailed(f"{proof.headline}\n  {lines}", cure=f"The report: {page}")
    print(f"{proof.headline}, in {proof.took_s:.0f} s\nreport {page}")
    return 0
