"""Writes what a proof found: JUnit XML for CI, one HTML page for people, a table at the end."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from rich.console import Console
from rich.table import Table

from scenarios.proof import junit as writer
from scenarios.proof.history import Trend
from scenarios.proof.junit import Entry, Mark
from scenarios.proof.page import render
from scenarios.proof.result import Proof, Result
from scenarios.proof.timeline import told
from scenarios.proof.verdict import Outcome
from stack.paths import given

COLOURS = {Outcome.PROVEN: "green", Outcome.FAILED: "red", Outcome.BLOCKED: "yellow"}


def new_folder(reports: Path, now: datetime) -> Path:
    """`reports/<UTC timestamp>`, made."""
    folder = reports / now.astimezone(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    folder.mkdir(parents=True)
    return folder


def write(proof: Proof, trends: Mapping[str, Trend] = MappingProxyType({})) -> None:
    """Write `junit.xml` and `report.html` beside the evidence; only then is it the latest one:
    until now, `reports/latest` is the report before it."""
    (proof.folder / "junit.xml").write_bytes(junit(proof))
    proof.page.write_text(render(proof, trends), encoding="utf-8")
    link = proof.folder.with_name(f".latest-{proof.folder.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(proof.folder.name)
    link.replace(proof.latest)


def junit(proof: Proof) -> bytes:
    """Each alert a test case; a failure carries the broken link and the timeline."""
    return writer.write("verify-alerts", [_case(one) for one in proof.results],
                        started=proof.started, took_s=proof.took_s)  # fmt: skip


MARKS = {Outcome.PROVEN: Mark.PASSED, Outcome.BLOCKED: Mark.SKIPPED}


def _case(one: Result) -> Entry:
    reason = one.verdict.reason
    mark = MARKS.get(one.outcome, Mark.FAILED)
    timeline = "\n".join(told(one.events, one.verdict))
    if one.again:
        timeline = f"{one.again}\n\n{timeline}"
    details = {Mark.PASSED: timeline, Mark.SKIPPED: "", Mark.FAILED: f"{reason}\n\n{timeline}\n"}
    return Entry(
        name=one.alert,
        group=f"scenarios.{one.file.partition('/')[0] or 'uncovered'}",
        mark=mark,
        reason=reason,
        detail=details[mark],
        took_s=_length_s(one),
    )


def tell(
    proof: Proof,
    *,
    kept: Sequence[str],
    slower: Sequence[Trend] = (),
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
        if one.again:
            console.print(f"\n{one.alert} {one.again}", markup=False, soft_wrap=True)
    for note in proof.notes:
        console.print(f"\n{note}", markup=False, soft_wrap=True)
    for trend in slower:
        console.print(f"\n{trend.alert} got slower: {trend.seconds[-1]:.2f} s from fault to page,"
                      f" {trend.usual_s:.2f} s in earlier runs", soft_wrap=True)  # fmt: skip
    middle = proof.median_over_floor
    fastest = proof.median_over_fastest
    figure = f", median {middle:.2f} x floor, {fastest:.2f} x fastest" if middle and fastest else ""
    begin = "interrupted: " if proof.interrupted else ""
    again = sum(bool(one.earlier) for one in proof.results)
    retried = f", {again} played again" if again else ""
    console.print(f"\n{begin}{proof.counts} in {proof.took_s:.0f} s"
                  f" at speed {proof.speed:g}{retried}, {proof.chosen}"
                  f"{figure}\nreport {_short(proof)}", soft_wrap=True)  # fmt: skip
    for name in kept:
        console.print(f"instance `{name}` keeps running: `doit status --instance {name}` shows it, "
                      f"`doit down --instance {name}` or the next proof stops it",
                      soft_wrap=True)  # fmt: skip


def _short(proof: Proof) -> Path:
    """The path of the page, as short as it is where the user stands."""
    page = proof.latest / proof.page.name
    here = given(".")
    return page.relative_to(here) if page.is_relative_to(here) else page


def _figure(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.2f}{unit}"


def _length_s(result: Result) -> float:
    """Seconds from the first to the last that was seen."""
    times = [event.at for event in result.events]
    return max(times) - min(times) if times else 0.0
