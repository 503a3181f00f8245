"""Writes what a proof found: JUnit XML for CI, one HTML page for people, a table at the end."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from rich.console import Console
from rich.table import Table

from scenarios.proof import junit as writer
from scenarios.proof import kept, noise, sealing
from scenarios.proof.estimate import words
from scenarios.proof.history import Trend
from scenarios.proof.junit import Entry, Mark
from scenarios.proof.page import render
from scenarios.proof.reports import make_latest
from scenarios.proof.result import Proof, Result
from scenarios.proof.timeline import told
from scenarios.proof.verdict import Outcome
from scenarios.proof.verdicts import Record
from stack import progress
from stack.paths import short

COLOURS = {Outcome.PROVEN: "green", Outcome.FAILED: "red", Outcome.BLOCKED: "yellow"}


def write(proof: Proof, trends: Mapping[str, Trend] = MappingProxyType({})) -> None:
    """Write `junit.xml`, `report.html` and, for judging again, `proof.json` beside the evidence;
    only then is it the latest one: until now, `reports/latest` is the report before it."""
    lines = sealing.read_lines(proof.folder)
    found = sealing.entries(proof, lines)
    (proof.folder / "junit.xml").write_bytes(junit(proof))
    proof.page.write_text(render(proof, trends, kept.seal(found)), encoding="utf-8")
    sealing.write(proof, found, lines)
    make_latest(proof.folder)


def junit(proof: Proof) -> bytes:
    """Each alert a test case; a failure carries the broken link and the timeline."""
    cases = [*map(_case, proof.results), *map(_earlier, proof.before)]
    return writer.write("verify-alerts", cases,
                        started=proof.started, took_s=proof.took_s)  # fmt: skip


def _earlier(one: Record) -> Entry:
    return Entry(name=one.alert, group="scenarios.before", mark=Mark.SKIPPED, reason=one.told)


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


COLUMNS = """fault → page: from the fault to the last message about it.
floor: the rule's `for` and the route's `group_wait`; nobody can be told sooner.
fastest: the floor, and what the fault itself takes to show.
ratio: fault → page over the one before it."""


def tell(
    proof: Proof,
    *,
    kept: Sequence[str],
    slower: Sequence[Trend] = (),
    console: Console | None = None,
) -> None:
    """The table at the end, and where the report lies."""
    if progress.chosen() is progress.Way.EVENTS:
        _tell_programs(proof)
        return
    # A log has no width; 140 columns hold the longest names.
    width = None if sys.stdout.isatty() else 140
    console = console or Console(highlight=False, width=width)
    if progress.chosen() is not progress.Way.QUIET:
        _tell_verdicts(proof, slower, console)
    begin = "interrupted: " if proof.interrupted else ""
    again = sum(bool(one.earlier) for one in proof.results)
    retried = f", {again} played again" if again else ""
    retried += f", about {words(proof.saved_s)} saved" if proof.before else ""
    middle, fastest = proof.median_over_floor, proof.median_over_fastest
    figure = f"median {middle:.2f} x floor, {fastest:.2f} x fastest; " if middle and fastest else ""
    quiet = noise.summary(noise.all_of(proof.results))
    said = f"\nnoise: {quiet}" if quiet else ""
    say(console, f"{begin}{proof.counts} in {proof.took_s:.0f} s at speed {proof.speed:g}{retried}"
                  f"\n{figure}{proof.chosen}{said}\nreport {proof.short}")  # fmt: skip
    for name in kept:
        say(console, f"instance `{name}` keeps running: `doit status --instance {name}` shows it,"
                      f" `doit down --instance {name}` or the next proof stops it")  # fmt: skip


def tell_attested(file: Path) -> None:
    """Where the attestation lies, and whether it is signed."""
    unsigned = ", not signed" if "unsigned" in file.name else ""
    shown = short(file.parent.with_name("latest") / file.name)
    progress.result(f"attestation {shown}{unsigned}", "attested", attestation=file)


def _tell_programs(proof: Proof) -> None:
    for one in proof.results:
        least = one.deadlines
        progress.result(
            "", "verdict", alert=one.alert, outcome=one.outcome, reason=one.verdict.reason,
            notified_s=one.verdict.at_s("notified"), tries=len(one.earlier) + 1,
            floor_s=least.floor_s if least else None,
            fastest_s=least.fastest_s if least else None,
        )  # fmt: skip
    for record in proof.before:
        progress.result(
            "", "verdict", alert=record.alert, outcome="proven before", reason=record.told,
            proven=record.proven, commit=record.commit, report=record.report, key=record.key,
        )  # fmt: skip
    progress.result(
        "", "over", **proof.counted, saved_s=round(proof.saved_s, 1),
        interrupted=proof.interrupted, took_s=round(proof.took_s, 2),
        speed=proof.speed, notes=proof.notes, report=proof.page,
    )  # fmt: skip


def _tell_verdicts(proof: Proof, slower: Sequence[Trend], console: Console) -> None:
    played = [one for one in proof.results if not one.unplayed]
    console.print()
    if played:
        console.print(_table(played, console.width))
    _tell_earlier(proof.before, console)
    if any(one.over_floor for one in played) and console.width >= FIGURES_FROM:
        console.print(f"\n{COLUMNS}", style="dim", markup=False)
    for one in played:
        if one.verdict.reason:
            say(console, f"\n{one.alert}: {one.verdict.reason}")
        if one.again:
            say(console, f"\n{one.alert} {one.again}")
    for loud in noise.all_of(proof.results):
        if loud.pages > loud.needed_pages or loud.most > noise.MOST_MESSAGES:
            say(console, f"\n{loud.alert} told people {len(loud.messages)} times, "
                          f"{loud.pages} by page; also of {', '.join(loud.symptoms)}")  # fmt: skip
    for note in proof.notes:
        say(console, f"\n{note}")
    for trend in slower:
        say(console, f"\n{trend.alert} got slower: {trend.seconds[-1]:.2f} s from fault to page,"
                      f" {trend.usual_s:.2f} s in earlier runs")  # fmt: skip
    if unplayed := [one.alert for one in proof.results if one.unplayed]:
        say(console, f"\nnot played: {', '.join(unplayed)}")
    console.print()


def _tell_earlier(records: Sequence[Record], console: Console) -> None:
    """In a line for each report that they are from: one proof proves many."""
    alike: dict[str, list[str]] = {}
    for one in records:
        alike.setdefault(one.told, []).append(one.alert)
    for told_of_it, names in sorted(alike.items()):
        say(console, f"\n{told_of_it}:\n  {', '.join(names)}")


PAGE_FROM, FIGURES_FROM = 56, 92
"""Columns of a terminal from which there is room for the time to the page, and for the rest."""


def _table(results: Sequence[Result], width: int) -> Table:
    """With as many columns as there is room for."""
    count = 7 if width >= FIGURES_FROM else 3 if width >= PAGE_FROM else 2
    headings = ("alert", "verdict", "fault → page", "floor", "ratio", "fastest", "ratio")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings[:count]:
        justify: Literal["left", "right"] = "left" if heading in ("alert", "verdict") else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for one in results:
        least = one.deadlines
        cells = (
            one.alert,
            f"[{COLOURS[one.outcome]}]{one.outcome}[/]",
            _figure(one.verdict.at_s("notified"), " s"),
            _figure(least.floor_s if least else None, " s"),
            _figure(one.over_floor),
            _figure(least.fastest_s if least else None, " s"),
            _figure(one.over_fastest),
        )
        table.add_row(*cells[:count])
    return table


def say(console: Console, words: str) -> None:
    """Print in lines of whole words on a terminal; paths are whole everywhere."""
    if console.is_terminal:
        words = progress.filled(words, console.width)
    console.print(words, markup=False, soft_wrap=True)


def _figure(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.2f}{unit}"


def _length_s(result: Result) -> float:
    """Seconds from the first to the last that was seen."""
    times = [event.at for event in result.events]
    return max(times) - min(times) if times else 0.0
