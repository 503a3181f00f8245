"""Writes what became of the mutants: JUnit XML for CI, JSON for programs, a page for people."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scenarios.mutants.cures import cure
from scenarios.mutants.result import Run, Score
from scenarios.proof import junit as writer
from scenarios.proof.junit import Entry, Mark
from scenarios.proof.rendered import rendered
from scenarios.proof.reports import make_latest
from stack import progress
from stack.mutation.judge import By, Verdict

_TOLD = 40
"""Survivors that are named at the end; the report has them all."""


def write(run: Run, folder: Path) -> Path:
    """`junit.xml`, `report.json` and `report.html` in the folder; the page."""
    (folder / "junit.xml").write_bytes(junit(run))
    (folder / "report.json").write_text(json.dumps(document(run), indent=1) + "\n")
    file = folder / "report.html"
    file.write_text(page(run), encoding="utf-8")
    make_latest(folder, "latest-mutants")
    return file


def junit(run: Run) -> bytes:
    """Each mutant a test case, which fails when nobody noticed."""
    cases = [
        Entry(
            name=f"{one.mutant.line} {one.mutant.subject} {one.mutant.what}",
            group=f"mutants.{one.mutant.path}",
            mark=Mark.FAILED if one.by is By.NOBODY else Mark.PASSED,
            reason="nobody would notice" if one.by is By.NOBODY else "",
            detail=cure(one.mutant) if one.by is By.NOBODY else f"{one.by}: {one.said}",
        )
        for one in run.verdicts
    ]
    return writer.write("mutate", cases, started=run.started, took_s=run.took_s)


def document(run: Run) -> dict[str, Any]:
    """For programs."""
    return {
        "answer": run.sentence,
        "score": round(run.whole.percent, 2),
        "took_s": round(run.took_s, 1),
        "mutants": [
            {
                "file": str(run.root / one.mutant.path), "line": one.mutant.line,
                "kind": one.mutant.kind, "subject": one.mutant.subject, "what": one.mutant.what,
                "killed_by": None if one.by is By.NOBODY else str(one.by), "said": one.said,
            }
            for one in run.verdicts
        ],
    }  # fmt: skip


def page(run: Run) -> str:
    """One file without anything from outside."""
    return rendered(
        Path(__file__).parent,
        run=run,
        groups=_groups(run.survivors),
        cure=cure,
        began=datetime.fromtimestamp(run.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def _groups(survivors: Sequence[Verdict]) -> list[tuple[str, list[Verdict]]]:
    found: dict[str, list[Verdict]] = {}
    for one in survivors:
        found.setdefault(one.mutant.subject, []).append(one)
    return list(found.items())


def tell(run: Run, file: Path) -> None:
    """The survivors, the score of each file, and the answer."""
    for one in run.survivors[:_TOLD]:
        at, what = run.root / one.mutant.path, f"{one.mutant.subject} {one.mutant.what}"
        progress.result(
            f"{at}:{one.mutant.line}: {what}\n  {cure(one.mutant)}", "survivor", path=at,
            line=one.mutant.line, what=what, cure=cure(one.mutant),
        )  # fmt: skip
    more = len(run.survivors) - _TOLD
    if more > 0:
        progress.result(f"and {more} more, which are in the report")
    if progress.chosen() is not progress.Way.EVENTS:
        width = None if sys.stdout.isatty() else 140
        Console(highlight=False, width=width).print("", _table(run.by_file), "", sep="\n")
    progress.result(run.sentence, "mutated", answer=run.sentence, score=run.whole.percent)
    progress.result(f"in {run.took_s:.0f} s\nreport {file}", "report", path=file)


def _table(scores: Sequence[Score]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("killed", "survived", "score"):
        table.add_column(heading, justify="right")
    table.add_column("file")
    for one in scores:
        table.add_row(f"{one.killed}", f"{one.survived}", f"{one.percent:.1f} %", one.name)
    return table
