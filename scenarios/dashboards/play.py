"""A healthy morning, then fault after fault: what each panel answers before, during and after."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

from loadgen.faults.base import FaultFailed, undo
from loadgen.traffic import Crew, Locust
from scenarios.dashboards.asking import Asker
from scenarios.dashboards.declared import BEYOND_ITS_UNIT, EMPTY
from scenarios.dashboards.frames import Frame
from scenarios.dashboards.judging import Limits, beyond, healthy, moved
from scenarios.dashboards.result import Shown
from scenarios.proof.catalogue import ScenarioFile
from stack.check.bounds import Bound
from stack.check.yamlfile import get, text
from stack.errors import LabError
from stack.run.instance import Instance

MORNING = Path(__file__).with_name("morning.py")
"""Never imported: Locust changes the standard library of whoever does."""

HEALTHY_WITHIN_S = 60.0
"""Real seconds after which every panel must have had data."""

SEEN_S = 10.0
"""Real seconds that a panel is looked at before a fault, and of a healthy morning."""

MOVES_WITHIN_S = 60.0
BACK_WITHIN_S = 45.0
LOOK_EVERY_S = 1.0
REQUESTS_AT_LEAST = 20


@dataclass(kw_only=True)
class Stage:
    """One instance, its people, and what to tell whoever looks on."""

    instance: Instance
    asker: Asker
    crew: Crew
    stop: Flag
    tell: Callable[[str], None]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def hear(self, figures: Mapping[str, Any]) -> None:
        self.figures = figures

    def frames(self, shown: Shown, begin: float, end: float) -> list[Frame]:
        return [self.asker.ask(target, begin, end) for target in shown.panel.targets]

    def people(self, kind: Any, file: Path) -> Locust:
        """The traffic of that kind, at work. Raises FaultFailed when nobody comes."""
        self.crew.start_over([kind])
        self.figures = {}
        locust = self.crew.join(kind, file, self.hear)
        give_up = time.monotonic() + HEALTHY_WITHIN_S
        while self.figures.get("requests", 0) < REQUESTS_AT_LEAST:
            if locust.exit_code is not None or time.monotonic() > give_up:
                raise FaultFailed(f"no traffic: {locust.trouble or 'nobody is at work'}")
            self.stop.wait(LOOK_EVERY_S / 4)
        return locust


def limits(shown: Shown) -> Limits:
    config = get(shown.panel.node, "fieldConfig", "defaults")
    highest = text(get(config, "max"))
    signed = shown.key in BEYOND_ITS_UNIT
    return Limits.of(text(get(config, "unit")), float(highest) if highest else None, signed=signed)


def healthy_morning(stage: Stage, panels: Sequence[Shown]) -> None:
    """Ask every panel until it has data; what is still wrong at the end stays in `healthy`."""
    stage.tell("a healthy morning")
    stage.people(MORNING.stem, MORNING)
    began = time.time()
    give_up = time.monotonic() + HEALTHY_WITHIN_S
    waiting = [one for one in panels if one.panel.targets]
    for one in panels:
        one.healthy = ""
    while waiting and not stage.stop.is_set():
        now = time.time()
        for one in waiting:
            one.healthy = _wrong(one, stage.frames(one, max(began, now - SEEN_S), now))
        waiting = [one for one in waiting if one.healthy]
        if time.monotonic() > give_up:
            return
        stage.stop.wait(LOOK_EVERY_S)


def _wrong(shown: Shown, frames: Sequence[Frame]) -> str:
    """What is wrong with a panel's frames, with the query's letter."""
    bound, empty = limits(shown), []
    for target, frame in zip(shown.panel.targets, frames, strict=True):
        why = EMPTY.get((*shown.key, target.ref), "")
        if wrong := healthy(frame, bound, may_be_empty=why):
            return f"query {target.ref}: {wrong}"
        empty += [why] if frame.is_empty else []
    shown.empty = tuple(empty)
    return ""


def faulty(stage: Stage, found: ScenarioFile, panels: Sequence[Shown], bounds: list[Bound]) -> None:
    """Play one fault, and note how each of the panels moved."""
    scenario, alert = found.scenario, found.scenario.alert
    if why := scenario.fault.blocked(stage.instance):
        for one in panels:
            one.blocked[alert] = why
        return
    stage.people(scenario.traffic.kind, found.file)
    stage.tell(f"{alert}: before")
    stage.stop.wait(SEEN_S)
    before = _before(stage, alert, panels, bounds)
    with ExitStack() as undo:
        undo.callback(_undo, stage, found)
        scenario.fault.inject(stage.instance)
        injected = time.time()
        _until_moved(stage, alert, panels, before, injected, bounds)
    _until_back(stage, alert, [one for one in panels if one.moved.get(alert)])


def _before(
    stage: Stage, alert: str, panels: Sequence[Shown], bounds: list[Bound]
) -> dict[str, list[Frame]]:
    """The panels' frames before a fault, once those of the fault before have left the windows."""
    give_up = time.monotonic() + BACK_WITHIN_S
    while True:
        now = time.time()
        before = {one.name: stage.frames(one, now - SEEN_S, now) for one in panels}
        beside = [one for one in panels
                  if alert in one.panel.alerts and beyond(before[one.name], bounds)]  # fmt: skip
        if not beside or time.monotonic() > give_up or stage.stop.is_set():
            return before
        stage.stop.wait(LOOK_EVERY_S)


def _until_moved(
    stage: Stage,
    alert: str,
    panels: Sequence[Shown],
    before: Mapping[str, Sequence[Frame]],
    injected: float,
    bounds: list[Bound],
) -> None:
    stage.tell(f"{alert}: during")
    give_up = time.monotonic() + MOVES_WITHIN_S
    waiting = list(panels)
    while waiting and time.monotonic() < give_up and not stage.stop.is_set():
        stage.stop.wait(LOOK_EVERY_S)
        for one in waiting:
            during = stage.frames(one, injected, time.time())
            own = bounds if alert in one.panel.alerts else []
            one.moved[alert] = moved(before[one.name], during, own)
        waiting = [one for one in waiting if not one.moved[alert]]


def _until_back(stage: Stage, alert: str, panels: Sequence[Shown]) -> None:
    """Wait until panels have data and possible values again."""
    stage.tell(f"{alert}: after")
    give_up = time.monotonic() + BACK_WITHIN_S
    waiting = list(panels)
    while waiting and time.monotonic() < give_up and not stage.stop.is_set():
        now = time.time()
        for one in waiting:
            one.back[alert] = _wrong(one, stage.frames(one, now - LOOK_EVERY_S * 5, now))
        waiting = [one for one in waiting if one.back[alert]]
        stage.stop.wait(LOOK_EVERY_S)


def _undo(stage: Stage, found: ScenarioFile) -> None:
    undo(found.scenario.fault, stage.instance)


EXPECTED = (FaultFailed, LabError)
"""What a fault says when it cannot be injected or undone."""
