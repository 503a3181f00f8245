"""What came of each panel, and of all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.dashboards.judging import Outcome
from scenarios.dashboards.screens import Screen
from scenarios.proof.result import UNPLAYED
from stack.check.dashboardfiles import Panel
from stack.paths import short


@dataclass(kw_only=True)
class Seen:
    """What one fault made of one panel; of its last try."""

    how: str = ""
    """How it moved; "" if it did not."""
    moved_s: float = 0.0
    """Seconds from the fault until that was seen."""
    wrong: str = "not asked"
    """Once the fault was put right: what was not as before; "" if all was."""
    back_s: float = 0.0
    """Seconds from the end of the fault until that was seen."""
    keeps: str = ""
    """Why it need not be as before."""
    restless: str = ""
    """How it moved before the fault, so that nothing could be told."""
    unplayed: str = ""
    """Why nothing can be said of it."""

    @property
    def trouble(self) -> str:
        """What is wrong, to follow the panel's name; "" if nothing is."""
        if self.restless:
            return f"is never calm before it: {self.restless}"
        if not self.how:
            return "does not move"
        return f"is not as before when it is over: {self.wrong}" if self.wrong else ""


@dataclass(kw_only=True)
class Shown:
    """One panel: what a healthy day and the faults made of it."""

    panel: Panel
    watches: tuple[str, ...]
    """Alerts whose scenarios must move it."""
    steady: str
    """Why no scenario moves it; empty when one must."""
    healthy: str | None = None
    """What is wrong on a healthy morning, "" if nothing is; None when it was not asked."""
    empty: tuple[str, ...] = ()
    """Why queries have no data on a healthy day."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """Alert → what its fault made of it."""

    @property
    def key(self) -> tuple[str, str]:
        return self.panel.dashboard.uid, self.panel.id

    @property
    def name(self) -> str:
        """For people and for `--only`."""
        return f"{self.panel.dashboard.uid}/{self.panel.id}"

    @property
    def reasons(self) -> list[str]:
        """What is wrong, as sentences."""
        found = [f"On a healthy morning: {self.healthy}."] if self.healthy else []
        return found + [
            f"Under {alert} it {seen.trouble}."
            for alert, seen in self.seen.items()
            if seen.trouble and not seen.unplayed
        ]

    @property
    def unplayed(self) -> list[str]:
        """Why faults that it must move under were not played, as sentences."""
        return [
            f"{alert} {UNPLAYED}: {seen.unplayed.removeprefix(f'{UNPLAYED}: ').rstrip('.')}."
            for alert, seen in self.seen.items()
            if seen.unplayed
        ]

    def blame(self, alert: str, why: str) -> None:
        """Its fault was not played."""
        self.seen[alert] = Seen(unplayed=why)

    @property
    def outcome(self) -> Outcome:
        if self.reasons:
            return Outcome.FAILED
        if self.unplayed or self.healthy is None or not (self.seen or self.steady):
            return Outcome.UNPLAYED
        return Outcome.SHOWN

    @property
    def words(self) -> str:
        """What it was seen to do."""
        if self.reasons or self.unplayed:
            return " ".join([*self.reasons, *self.unplayed])
        told = [
            f"{alert}: {seen.how}, after {seen.moved_s:.1f} s;"
            f" {seen.keeps or f'as before {seen.back_s:.1f} s after its end'}"
            for alert, seen in self.seen.items()
        ]
        told += [f"no scenario moves it: {self.steady}"] if self.steady else []
        told += [f"empty while all is well: {why}" for why in dict.fromkeys(self.empty)]
        return "; ".join(told)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """All panels that were asked for."""

    panels: Sequence[Shown]
    folder: Path
    started: float
    """Unix seconds."""
    took_s: float
    speed: float
    faults: bool = True
    """Whether any was to be played."""
    interrupted: bool = False
    notes: Sequence[str] = ()
    """What went wrong beside the panels, and what was played again."""
    screens: Sequence[Screen] = ()
    """The dashboards in a browser, on the healthy morning."""
    unlooked: str = ""
    """Why there are none."""

    @property
    def seen(self) -> str:
        """What a browser showed, in a line."""
        if self.unlooked:
            return f"not looked at in a browser: {self.unlooked}"
        wrong = [one.name for one in self.screens if one.wrong]
        if not self.screens:
            return "not looked at in a browser: it did not come to that"
        return f"{len(self.screens)} screens in a browser: {', '.join(wrong) or 'none'} wrong"

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def short(self) -> Path:
        """The path of the page, as short as it is where the user stands."""
        return short(self.page)

    def count(self, outcome: Outcome) -> int:
        return Counter(one.outcome for one in self.panels)[outcome]

    @property
    def headline(self) -> str:
        begin = "interrupted: " if self.interrupted else ""
        if not self.faults:
            wrong = self.count(Outcome.FAILED)
            unasked = sum(one.healthy is None for one in self.panels)
            counts = f"{wrong or 'none'} wrong" + (f", {unasked} not asked" if unasked else "")
            return f"{begin}{_panels(self.panels)} on a healthy morning: {counts}"
        counts = ", ".join(f"{self.count(one)} {one}" for one in Outcome if self.count(one))
        return f"{begin}{_panels(self.panels)}: {counts or 'none'}"

    @property
    def figures(self) -> dict[str, tuple[int, int, int, int, int]]:
        """uid → its panels; how many were right on a healthy morning; how many of them faults had
        to move, how many of those moved each time, and were as before each time."""
        found = {}
        for uid in dict.fromkeys(one.panel.dashboard.uid for one in self.panels):
            own = [one for one in self.panels if one.panel.dashboard.uid == uid]
            watching = [one for one in own if one.seen]
            moved = [one for one in watching if all(seen.how for seen in one.seen.values())]
            back = [one for one in moved if not any(seen.wrong for seen in one.seen.values())]
            healthy = [one for one in own if one.healthy == ""]
            found[uid] = (len(own), len(healthy), len(watching), len(moved), len(back))
        return found


def _panels(panels: Sequence[Shown]) -> str:
    return f"{len(panels)} panel{'' if len(panels) == 1 else 's'}"
