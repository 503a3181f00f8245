"""What came of each panel, and of all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.dashboards.judging import Outcome
from stack.check.dashboardfiles import Panel


@dataclass(kw_only=True)
class Shown:
    """One panel: what a healthy day and the faults made of it."""

    panel: Panel
    watches: tuple[str, ...]
    """Alerts whose scenarios must move it."""
    steady: str
    """Why no scenario moves it; empty when one must."""
    healthy: str = "not asked"
    """What is wrong on a healthy day; "" if nothing is."""
    empty: tuple[str, ...] = ()
    """Why queries have no data on a healthy day."""
    moved: dict[str, str] = field(default_factory=dict)
    """Alert → how it moved; "" if it did not."""
    back: dict[str, str] = field(default_factory=dict)
    """Alert → what was still wrong after its fault; "" if nothing was."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Alert → why its scenario was not played."""

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
        found = [f"On a healthy day: {self.healthy}."] if self.healthy else []
        found += [
            f"It does not move under {alert}." for alert, how in self.moved.items() if not how
        ]
        return found + [f"After {alert}: {wrong}." for alert, wrong in self.back.items() if wrong]

    @property
    def outcome(self) -> Outcome:
        if self.reasons:
            return Outcome.FAILED
        return Outcome.SHOWN if self.moved or self.steady else Outcome.UNPLAYED

    @property
    def words(self) -> str:
        """What it was seen to do."""
        if self.reasons:
            return " ".join(self.reasons)
        told = [f"{alert}: {how}" for alert, how in self.moved.items()]
        told += [f"{alert} was not played: {why}" for alert, why in self.blocked.items()]
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
    screens: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """uid → PNG files that show the dashboard on the healthy morning."""

    def count(self, outcome: Outcome) -> int:
        return Counter(one.outcome for one in self.panels)[outcome]

    @property
    def headline(self) -> str:
        if not self.faults:
            wrong = self.count(Outcome.FAILED)
            return f"{_panels(self.panels)} on a healthy morning: {wrong or 'none'} wrong"
        counts = ", ".join(f"{self.count(one)} {one}" for one in Outcome if self.count(one))
        return f"{_panels(self.panels)}: {counts or 'none'}"


def _panels(panels: Sequence[Shown]) -> str:
    return f"{len(panels)} panel{'' if len(panels) == 1 else 's'}"
