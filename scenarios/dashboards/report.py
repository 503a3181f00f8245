"""Writes what was seen of the panels: JUnit XML for CI, one HTML page for people."""

import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scenarios.dashboards.judging import Outcome
from scenarios.dashboards.result import Proof, Shown
from scenarios.proof import junit as writer
from scenarios.proof.junit import Entry, Mark
from scenarios.proof.rendered import rendered
from scenarios.proof.report import say
from stack import progress


def write(proof: Proof) -> None:
    """`junit.xml` and `report.html` in the proof's folder."""
    (proof.folder / "junit.xml").write_bytes(junit(proof))
    proof.page.write_text(page(proof), encoding="utf-8")


def junit(proof: Proof) -> bytes:
    """Each panel and each screen a test case; a failure says what is wrong with it."""
    cases = [*map(_case, proof.panels), *_screens(proof)]
    return writer.write("verify-dashboards", cases, started=proof.started, took_s=proof.took_s)


MARKS = {Outcome.SHOWN: Mark.PASSED, Outcome.FAILED: Mark.FAILED, Outcome.UNPLAYED: Mark.SKIPPED}


def _case(one: Shown) -> Entry:
    queries = "\n".join(target.expression for target in one.panel.targets)
    details = {Mark.PASSED: one.words, Mark.FAILED: queries}
    return Entry(
        name=f"{one.panel.id} {one.panel.title}",
        group=f"dashboards.{one.panel.dashboard.uid}",
        mark=MARKS[one.outcome],
        reason=one.words or "no fault was played",
        detail=details.get(MARKS[one.outcome], ""),
    )


def _screens(proof: Proof) -> list[Entry]:
    if not proof.screens:
        return [Entry(name="in a browser", group="dashboards", mark=Mark.SKIPPED,
                      reason=proof.seen)]  # fmt: skip
    return [
        Entry(
            name=f"in a browser, {one.theme}",
            group=f"dashboards.{one.uid}",
            mark=Mark.FAILED if one.wrong else Mark.PASSED,
            reason=one.wrong[0] if one.wrong else "",
            detail="\n".join(one.wrong) or str(one.picture),
        )
        for one in proof.screens
    ]


def tell(proof: Proof, console: Console | None = None) -> None:
    """The dashboards' figures, what is wrong with which panel, and where the report lies."""
    if progress.chosen() is progress.Way.EVENTS:
        _tell_programs(proof)
        return
    width = None if sys.stdout.isatty() else 140  # a log has no width
    console = console or Console(highlight=False, width=width)
    if progress.chosen() is not progress.Way.QUIET:
        _tell_panels(proof, console)
    say(console, f"{proof.headline}, in {proof.took_s:.0f} s at speed {proof.speed:g}"
                 f"\n{proof.seen}\nreport {proof.short}")  # fmt: skip


def _tell_programs(proof: Proof) -> None:
    for one in proof.panels:
        progress.result("", "panel", panel=one.name, title=one.panel.title, outcome=one.outcome,
                        reason=" ".join([*one.reasons, *one.unplayed]))  # fmt: skip
    for screen in proof.screens:
        progress.result("", "screen", dashboard=screen.uid, theme=screen.theme,
                        wrong=screen.wrong)  # fmt: skip
    progress.result(
        "", "over", **{str(one).replace(" ", "_"): proof.count(one) for one in Outcome},
        interrupted=proof.interrupted, took_s=round(proof.took_s, 2), speed=proof.speed,
        notes=proof.notes, report=proof.page,
    )  # fmt: skip


def _tell_panels(proof: Proof, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("dashboard")
    for heading in ("panels", "healthy", "with a fault", "moved", "as before"):
        table.add_column(heading, justify="right")
    for uid, figures in proof.figures.items():
        table.add_row(uid, *map(str, figures))
    console.print()
    console.print(table)
    for one in proof.panels:
        if one.outcome is not Outcome.SHOWN and (one.words or proof.faults):
            say(console, f"\n{one.outcome} {one.name} {one.panel.title}: {one.words}")
    for screen in proof.screens:
        for wrong in screen.wrong:
            say(console, f"\n{Outcome.FAILED} {screen.name}: {wrong}")
    for note in proof.notes:
        say(console, f"\n{note}")
    console.print()


def page(proof: Proof) -> str:
    """One file without anything from outside."""
    boards = {one.panel.dashboard.uid: one.panel.dashboard for one in proof.panels}
    return rendered(
        Path(__file__).parent,
        proof=proof,
        outcomes=list(Outcome),
        boards={uid: [one for one in proof.panels if one.panel.dashboard.uid == uid]
                for uid in boards},
        screens={uid: [(one, _embedded(one.picture)) for one in proof.screens
                       if one.uid == uid and one.picture] for uid in boards},
        began=datetime.fromtimestamp(proof.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )  # fmt: skip


def _embedded(picture: Path) -> str:
    """A PNG file as an address that needs no file beside the page."""
    return f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}"
