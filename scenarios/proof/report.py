"""Writes what a proof found: JUnit XML for CI, one HTML page for people, a table at the end."""

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from scenarios.proof.deadlines import Deadlines, Rule
from scenarios.proof.evidence import Event
from scenarios.proof.scenario import Scenario
from scenarios.proof.timeline import told
from scenarios.proof.verdict import Outcome, Verdict
from stack.run.choice import LOGS

if TYPE_CHECKING:
    from scenarios.proof.history import Trend

COLOURS = {Outcome.PROVEN: "green", Outcome.FAILED: "red", Outcome.BLOCKED: "yellow"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """All there is to tell of one alert; less when it was not played."""

    verdict: Verdict
    scenario: Scenario | None = None
    file: str = ""
    instance: str = ""
    hash: str = ""
    """Of the instance."""
    speed: float = 0.0
    """Of the instance; 0 when it was not played."""
    deadlines: Deadlines | None = None
    rule: Rule | None = None
    events: Sequence[Event] = ()
    explained: frozenset[str] = frozenset()
    """Other alerts that were no surprise, since they are proven at the same time."""

    @property
    def alert(self) -> str:
        return self.verdict.alert

    @property
    def outcome(self) -> Outcome:
        return self.verdict.outcome

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


LEAST_MEASURE_S = 0.1
"""A shorter floor is no measure: at speed 7200 a `group_wait` lasts 4 ms, a scrape 200 ms."""


def in_order(results: Sequence[Result]) -> list[Result]:
    """As they are told of: first what failed, then what is blocked; each by its file."""
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

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def logs(self) -> str:
        """Who kept the logs: Loki and Promtail, or their stand-ins."""
        return LOGS.name(self.packages)

    def count(self, outcome: str) -> int:
        return sum(one.outcome == outcome for one in self.results)

    @property
    def headline(self) -> str:
        """`37 of 37 alerts and 13 of 13 routes proven`."""
        routes = [one for one in self.results if one.alert.startswith("routing/")]
        alerts = [one for one in self.results if one not in routes]
        kinds = {"alerts": alerts, "routes": routes}
        counts = [
            f"{sum(one.outcome == 'proven' for one in found)} of {len(found)} {kind}"
            for kind, found in kinds.items()
            if found
        ]
        return f"{' and '.join(counts)} proven"

    @property
    def median_over_floor(self) -> float | None:
        return _median([one.over_floor for one in self.results])

    @property
    def median_over_fastest(self) -> float | None:
        return _median([one.over_fastest for one in self.results])


def _median(ratios: Sequence[float | None]) -> float | None:
    found = [ratio for ratio in ratios if ratio is not None]
    return median(found) if found else None


def new_folder(reports: Path, now: datetime) -> Path:
    """`reports/<UTC timestamp>`, made; `reports/latest` points to it from now on."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    folder = reports / stamp
    folder.mkdir(parents=True)
    link = reports / f".latest-{stamp}"
    link.symlink_to(stamp)
    link.replace(reports / "latest")
    return folder


def write(proof: Proof, trends: "Mapping[str, Trend]" = MappingProxyType({})) -> None:
    """Write `junit.xml` and `report.html` beside the evidence."""
    from scenarios.proof.page import render

    (proof.folder / "junit.xml").write_bytes(junit(proof))
    proof.page.write_text(render(proof, trends))


def junit(proof: Proof) -> bytes:
    """Each alert a test case; a failure carries the broken link and the timeline."""
    suite = ET.Element(
        "testsuite",
        name="verify-alerts",
        tests=str(len(proof.results)),
        failures=str(proof.count(Outcome.FAILED)),
        errors="0",
        skipped=str(proof.count(Outcome.BLOCKED)),
        time=f"{proof.took_s:.3f}",
        timestamp=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for one in proof.results:
        group = one.file.partition("/")[0] or "uncovered"
        case = ET.SubElement(suite, "testcase", name=one.alert, classname=f"scenarios.{group}",
                             time=f"{_length_s(one):.3f}")  # fmt: skip
        timeline = "\n".join(told(one.events, one.verdict))
        if one.outcome is Outcome.BLOCKED:
            ET.SubElement(case, "skipped", message=_plain(one.verdict.reason))
        elif one.outcome is not Outcome.PROVEN:
            failure = ET.SubElement(case, "failure", message=_plain(one.verdict.reason))
            failure.text = _plain(f"{one.verdict.reason}\n\n{timeline}\n")
        else:
            ET.SubElement(case, "system-out").text = _plain(timeline)
    tree = ET.Element("testsuites", name="verify-alerts")
    tree.append(suite)
    ET.indent(tree)
    text: bytes = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return text


def tell(
    proof: Proof,
    *,
    kept: Sequence[str],
    slower: "Sequence[Trend]" = (),
    console: Console | None = None,
) -> None:
    """The table at the end, and where the report lies."""
    # A log has no width; 140 columns hold the longest names.
    width = None if sys.stdout.isatty() else 140
    console = console or Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("alert", "verdict", "fault → page", "floor", "ratio", "fastest", "ratio"):
        justify: Literal["left", "right"] = "left" if heading in ("alert", "verdict") else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for one in proof.results:
        least = one.deadlines
        table.add_row(
            one.alert,
            f"[{COLOURS[one.outcome]}]{one.outcome}[/]",
            _figure(one.verdict.at_s("notified"), " s"),
            _figure(least.floor_s if least else None, " s"),
            _figure(one.over_floor),
            _figure(least.fastest_s if least else None, " s"),
            _figure(one.over_fastest),
        )
    console.print()
    console.print(table)
    for one in proof.results:
        if one.verdict.reason:
            console.print(f"\n{one.alert}: {one.verdict.reason}", markup=False, soft_wrap=True)
    for note in proof.notes:
        console.print(f"\nan instance did not come up: {note}", markup=False, soft_wrap=True)
    for trend in slower:
        console.print(f"\n{trend.alert} got slower: {trend.seconds[-1]:.2f} s from fault to page,"
                      f" {trend.usual_s:.2f} s in earlier runs", soft_wrap=True)  # fmt: skip
    middle = proof.median_over_floor
    fastest = proof.median_over_fastest
    figure = f", median {middle:.2f} x floor, {fastest:.2f} x fastest" if middle and fastest else ""
    rows = len(proof.results)
    console.print(f"\n{rows} verdict{'s'[:rows != 1]} in {proof.took_s:.1f} s"
                  f" at speed {proof.speed:g}, logs by {proof.logs}"
                  f"{figure}\nreport {proof.page}", soft_wrap=True)  # fmt: skip
    for name in kept:
        console.print(f"instance `{name}` goes on: `doit status --instance {name}` shows it, "
                      f"`doit down --instance {name}` or the next proof ends it",
                      soft_wrap=True)  # fmt: skip


def _figure(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.2f}{unit}"


def _length_s(result: Result) -> float:
    """Seconds from the first to the last that was seen."""
    times = [event.at for event in result.events]
    return max(times) - min(times) if times else 0.0


def _plain(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "?", text)
