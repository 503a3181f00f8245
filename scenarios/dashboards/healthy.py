"""A healthy morning, on the first instance before any fault: every panel has data that can be."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenarios.dashboards.asking import Asker
from scenarios.dashboards.declared import AWAY
from scenarios.dashboards.looking import window_s, wrong
from scenarios.dashboards.play import LOOK_EVERY_S, excused
from scenarios.dashboards.result import Shown
from scenarios.dashboards.screens import Screen, look
from scenarios.proof.gate import REQUESTS_AT_LEAST
from scenarios.proof.play import Stage, Status, Venue
from scenarios.proof.result import Result
from scenarios.proof.verdict import Outcome, Verdict
from scenarios.proof.watch import Watcher
from stack.errors import HostCannot

NAME = "a healthy morning"

MORNING = Path(__file__).with_name("morning.py")
"""Never imported: Locust changes the standard library of whoever does."""

WITHIN_S = 60.0
"""Real seconds after which every panel must have had data."""

SEEN_S = 30.0
"""Real seconds that the dashboards show in a browser at least: the morning so far is not much
longer."""


class Morning:
    """What a proof plays first (`scenarios.proof.workers.Routing`)."""

    def __init__(
        self, panels: Sequence[Shown], folder: Path, browser: Path | None, unlooked: str = ""
    ) -> None:
        self._panels = panels
        self._folder = folder
        self._browser = browser
        self.screens: Sequence[Screen] = ()
        self.unlooked = unlooked
        """Why the dashboards were not looked at in a browser."""

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
            trouble = self._people(venue) or self._ask(venue, asker) or self._look(venue, asker)
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

    def _look(self, venue: Venue, asker: Asker) -> str:
        """Open all dashboards in a browser; what is wrong with some of them."""
        if not self._browser:
            return ""
        boards = {one.panel.dashboard.uid: one.panel.dashboard for one in self._panels}
        try:
            self.screens = look(
                self._browser, venue.instance.url("grafana"), [*boards.values()], self._folder,
                asked={"from": f"now-{seen_s(asker):.0f}s", "to": "now"},
                stop=venue.stop.is_set, tell=lambda what: self._tell(venue, what),
            )  # fmt: skip
        except HostCannot as error:
            self.unlooked = error.what
        return "; ".join(f"{one.name}: {one.wrong[0]}" for one in self.screens if one.wrong)

    def _tell(self, venue: Venue, what: str, stage: Stage = Stage.RUNNING) -> None:
        venue.tell(Status(alert=NAME, instance=venue.instance.name, what=what, stage=stage))


def seen_s(asker: Asker) -> float:
    """Real seconds that the dashboards of that instance show: enough for lines, however slowly it
    lives, and no more than the panels were asked for."""
    return max(SEEN_S, 2 * window_s(asker))


def unhealthy(shown: Shown, asker: Asker, begin: float, end: float) -> str:
    """What is wrong with a panel between two Unix times at which all is well; "" if nothing is."""
    targets = shown.panel.targets
    if said := wrong(shown, [asker.ask(target, begin, end) for target in targets]):
        return said
    unread = (
        (target.ref, asker.unread(target))
        for target in targets
        if (*shown.key, target.ref) not in AWAY
    )
    return next((f"query {ref}: {why}" for ref, why in unread if why), "")
