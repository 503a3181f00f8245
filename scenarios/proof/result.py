"""What came of each alert and of a whole proof: report, page, chart and history are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scenarios.proof.deadlines import Deadlines
from scenarios.proof.evidence import Event
from scenarios.proof.messages import Expected
from scenarios.proof.scenario import Scenario
from scenarios.proof.timing import RuleTiming
from scenarios.proof.verdict import Outcome, Verdict
from scenarios.proof.verdicts import Record
from stack.paths import short
from stack.run.choice import LOGS, told

LEAST_MEASURE_S = 0.1
"""A shorter floor says nothing: at speed 7200 a `group_wait` lasts 4 ms, a scrape 200 ms."""


PACES = ("", "the last time by itself", "the last time by itself and slower")
"""How the last try was played, by how many came before it."""

UNPLAYED = "was not played"
"""How the reason begins of what had no turn."""


CUT_SHORT = "interrupted while waiting"
"""How the reason begins of what was not played to its end."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """All that is known of one alert; less when it was not played."""

    verdict: Verdict
    scenario: Scenario | None = None
    file: str = ""
    instance: str = ""
    hash: str = ""
    """Of the instance."""
    speed: float = 0.0
    """Of the instance; 0 when it was not played."""
    deadlines: Deadlines | None = None
    rule: RuleTiming | None = None
    events: Sequence[Event] = ()
    explained: frozenset[str] = frozenset()
    """Other alerts that were no surprise, since they are proven at the same time."""
    wanted: Expected | None = None
    """What its messages had to say."""
    advice: str = ""
    """What to change when the fault is too weak."""
    earlier: tuple[str, ...] = ()
    """Why each earlier try was inconclusive; empty when there was none."""

    @property
    def alert(self) -> str:
        return self.verdict.alert

    @property
    def outcome(self) -> Outcome:
        return self.verdict.outcome

    @property
    def unplayed(self) -> bool:
        return self.verdict.reason.startswith(UNPLAYED)

    @property
    def again(self) -> str:
        """How often it was played, and why more than once; empty when it was not."""
        if not self.earlier:
            return ""
        times = "twice" if len(self.earlier) == 1 else f"{len(self.earlier) + 1} times"
        return f"played {times}, {PACES[len(self.earlier)]}: {'; then: '.join(self.earlier)}"

    @property
    def over_floor(self) -> float | None:
        """Fault to last notification, against the floor; None when it was never notified."""
        return self._over(self.deadlines.floor_s if self.deadlines else 0.0)

    @property
    def over_fastest(self) -> float | None:
        """The same against the fastest possible, which counts what the fault itself takes."""
        return self._over(self.deadlines.fastest_s if self.deadlines else 0.0)

    def _over(self, least_s: float) -> float | None:
        notified_s = self.verdict.at_s("notified")
        measured = notified_s is not None and least_s >= LEAST_MEASURE_S
        return notified_s / least_s if notified_s is not None and measured else None


def in_order(results: Sequence[Result]) -> list[Result]:
    """As they are reported: first what failed, then what is blocked; each by its file."""
    first = [Outcome.FAILED, Outcome.BLOCKED, Outcome.PROVEN]
    return sorted(results, key=lambda one: (first.index(one.outcome), one.file))


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A run of scenarios with its verdicts."""

    started: float
    """Unix seconds."""
    took_s: float
    speed: float
    results: Sequence[Result]
    packages: Mapping[str, str]
    """Name → store path's name."""
    folder: Path
    interrupted: bool
    notes: Sequence[str] = ()
    """What went wrong beside the scenarios."""
    before: Sequence[Record] = ()
    """Verdicts of earlier proofs, whose inputs have not changed since: not played in this one."""
    saved_s: float = 0.0
    """About how long it would have taken longer without them."""

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def latest(self) -> Path:
        """The link to the folder of the last proof that is over."""
        return self.folder.with_name("latest")

    @property
    def logs(self) -> str:
        """Who kept the logs: Loki and Promtail, or their stand-ins."""
        return LOGS.name(self.packages)

    @property
    def chosen(self) -> str:
        """What ran where there is a choice: `logs by …, dashboards by …`."""
        return told(self.packages)

    def count(self, outcome: str) -> int:
        return sum(one.outcome == outcome for one in self.results)

    @property
    def short(self) -> Path:
        """The path of the page, as short as it is where the user stands."""
        return short(self.latest / self.page.name)

    @property
    def counted(self) -> dict[str, int]:
        """How many were proven, now or before, failed, blocked, and by an interruption cut short
        or not played."""
        unplayed = sum(one.unplayed for one in self.results)
        cut = sum(one.verdict.reason.startswith(CUT_SHORT) for one in self.results)
        return {
            "proven": self.count(Outcome.PROVEN),
            "proven_before": len(self.before),
            "failed": self.count(Outcome.FAILED) - unplayed - cut,
            "blocked": self.count(Outcome.BLOCKED),
            "cut_short": cut,
            "not_played": unplayed,
        }

    @property
    def counts(self) -> str:
        """`50 proven, 0 failed, 0 blocked`; what an interruption left undone only where it did."""
        always = ("proven", "failed", "blocked")
        told = [(name, n) for name, n in self.counted.items() if n or name in always]
        return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in told)

    @property
    def headline(self) -> str:
        """`37 of 37 alerts and 13 of 13 routes proven`, and how many were before."""
        routes = [one for one in self.results if one.alert.startswith("routing/")]
        alerts = [one for one in self.results if one not in routes]
        kinds = {"alerts": alerts, "routes": routes}
        counts = [
            f"{sum(one.outcome == 'proven' for one in found)} of {len(found)} {kind}"
            for kind, found in kinds.items()
            if found
        ]
        earlier = f"{len(self.before)} proven before" if self.before else ""
        now = f"{' and '.join(counts)} proven" if counts or not earlier else ""
        return ", ".join(filter(None, (now, earlier)))

    @property
    def median_over_floor(self) -> float | None:
        return _median([one.over_floor for one in self.results])

    @property
    def median_over_fastest(self) -> float | None:
        return _median([one.over_fastest for one in self.results])


def _median(ratios: Sequence[float | None]) -> float | None:
    found = [ratio for ratio in ratios if ratio is not None]
    return median(found) if found else None
