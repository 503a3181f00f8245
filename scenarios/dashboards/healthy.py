"""A healthy morning, on the first instance before any fault: every panel has data that can be."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scenarios.dashboards.asking import Asker
from scenarios.dashboards.looking import window_s, wrong
from scenarios.dashboards.play import LOOK_EVERY_S, excused
from scenarios.dashboards.result import Shown
from scenarios.proof.gate import REQUESTS_AT_LEAST
from scenarios.proof.play import Stage, Status, Venue
from scenarios.proof.result import Result
from scenarios.proof.verdict import Outcome, Verdict
from scenarios.proof.watch import Watcher
from stack.run.instance import Instance

NAME = "a healthy morning"

MORNING = Path(__file__).with_name("morning.py")
"""Never imported: Locust changes the standard library of whoever does."""

WITHIN_S = 60.0
"""Real seconds after which every panel must have had data."""

Screenshots = Callable[[Instance, Path], Mapping[str, Sequence[Path]]]
"""Takes pictures of an instance's dashboards into a folder; uid → PNG files."""


class Morning:
    """What a proof plays first (`scenarios.proof.workers.Routing`)."""

    def __init__(
        self, panels: Sequence[Shown], folder: Path, screenshots: Screenshots | None
    ) -> None:
        self._panels = panels
        self._folder = folder
        self._screenshots = screenshots
        self.screens: dict[str, Sequence[Path]] = {}

    @staticmethod
    def names() -> list[str]:
        return [NAME]

    @staticmethod
    def length_s(speed: float) -> float:
        return 15.0

    def prove(self, venue: Venue, only: Sequence[str]) -> list[Result]:
        """Ask every panel until it has data; what is still wrong at the end stays in `healthy`."""
        with Asker(venue.instance) as asker, Watcher(venue.instance, venue.evidence, frozenset()):
            since = time.time()
            trouble = self._people(venue) or self._ask(venue, asker)
            if not trouble and self._screenshots and not venue.stop.is_set():
                self._tell(venue, "taking pictures")
                self.screens |= self._screenshots(venue.instance, self._folder)
        excuse = excused(venue.evidence, NAME, since) if trouble else ""
        reason = f"{excuse}; {trouble}" if excuse else trouble
        outcome = Outcome.FAILED if trouble else Outcome.PROVEN
        verdict = Verdict(alert=NAME, outcome=outcome, reason=reason, excuse=excuse)
        stage = Stage.SEEN if excuse else Stage(outcome)
        self._tell(venue, f"{outcome}: {reason}".rstrip(": "), stage)
        return [Result(verdict=verdict, instance=venue.instance.name)]

    def _people(self, venue: Venue) -> str:
        """Wait until people are at work; why they are not, "" if they are."""
        figures: dict[str, Any] = {}
        venue.crew.start_over([])
        locust = venue.crew.join(NAME, MORNING, figures.update)
        give_up = time.monotonic() + WITHIN_S
        while figures.get("requests", 0) < REQUESTS_AT_LEAST and not venue.stop.is_set():
            if locust.exit_code is not None or time.monotonic() > give_up:
                return f"no traffic: {locust.trouble or 'nobody is at work'}"
            self._tell(venue, "waiting for people")
            venue.stop.wait(LOOK_EVERY_S)
        return ""

    def _ask(self, venue: Venue, asker: Asker) -> str:
        began, seen_s = time.time(), 2 * window_s(asker)
        waiting = list(self._panels)
        while waiting and not venue.stop.is_set():
            now = time.time()
            for one in waiting:
                one.healthy = unhealthy(one, asker, max(began, now - seen_s), now)
            waiting = [one for one in waiting if one.healthy]
            if now - began > WITHIN_S + seen_s:
                break
            self._tell(venue, f"{len(self._panels) - len(waiting)} of {len(self._panels)} panels")
            venue.stop.wait(LOOK_EVERY_S if waiting else 0)
        return "; ".join(f"{one.name}: {one.healthy}" for one in waiting)

    def _tell(self, venue: Venue, what: str, stage: Stage = Stage.RUNNING) -> None:
        venue.tell(Status(alert=NAME, instance=venue.instance.name, what=what, stage=stage))


def unhealthy(shown: Shown, asker: Asker, begin: float, end: float) -> str:
    """What is wrong with a panel between two Unix times at which all is well; "" if nothing is."""
    targets = shown.panel.targets
    if said := wrong(shown, [asker.ask(target, begin, end) for target in targets]):
        return said
    unread = ((target.ref, asker.unread(target)) for target in targets)
    return next((f"query {ref}: {why}" for ref, why in unread if why), "")
