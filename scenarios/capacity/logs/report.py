"""Writes what was found of logs: JSON for programs, an HTML page for people, a table at the end."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from scenarios.capacity.logs.answer import Answer, amount, gigabytes, of_lines
from scenarios.capacity.logs.stored import Volume
from scenarios.capacity.plots import Plot, Points, library, plot
from scenarios.capacity.report import COLOURS, seconds
from scenarios.capacity.window import Step
from scenarios.proof.rendered import rendered
from scenarios.proof.reports import make_latest

DRAWN = 6
"""Questions whose seconds are drawn, the slowest ones."""


def write(answer: Answer, folder: Path) -> Path:
    """`report.json` and `report.html` in the folder, then it is the latest one; the page."""
    (folder / "report.json").write_text(json.dumps(answer.document(), indent=1) + "\n")
    file = folder / "report.html"
    file.write_text(page(answer), encoding="utf-8")
    make_latest(folder)
    return file


def plots(answer: Answer) -> list[Plot]:
    """Of the search, then of the questions."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    found = answer.found
    knee = (found.low, found.high) if found.low and found.high else None

    def over(figure: Callable[[Step], float]) -> Points:
        return [(one.rate, figure(one)) for one in steps]

    used = list(dict.fromkeys(name for one in steps for name in one.usage))
    volumes = answer.stored.volumes
    asked = sorted(volumes[-1].took, key=lambda one: -median(volumes[-1].took[one])) if volumes \
        else []  # fmt: skip
    drawn = [
        plot("Until a line can be queried, in seconds", "lines a second",
              [(f"P{100 * of:.0f}", over(lambda one, of=of: one.latency(of)))  # type: ignore[misc]
               for of in (0.5, 0.95, 0.99)], limit=answer.objective.latency_s, knee=knee),
        plot("Written and stored, lines a second", "lines a second",
              [("written", over(lambda one: one.offered)),
               ("stored", over(lambda one: one.figures.get("lines/s stored", 0.0)))], knee=knee),
        plot("In use of what each can give, in percent", "lines a second",
              [(name, over(lambda one, of=name: 100 * one.usage.get(of, 0.0)))  # type: ignore[misc]
               for name in used], knee=knee),
        plot("What the slowest questions take, in seconds", "lines in the hour",
              [(whose, [(float(one.lines), median(one.took[whose])) for one in volumes])
               for whose in asked[:DRAWN]]),
    ]  # fmt: skip
    return [one for one in drawn if one]


def page(answer: Answer) -> str:
    """One file without anything from outside."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    return rendered(
        Path(__file__).parent,
        answer=answer,
        steps=steps,
        plots=plots(answer),
        library=library(),
        usage=list(dict.fromkeys(name for one in steps for name in one.usage)),
        figures=list(dict.fromkeys(name for one in steps for name in one.figures)),
        questions=_rows(answer),
        shown=shown,
        seconds=seconds,
        gigabytes=gigabytes,
        of_lines=of_lines,
        amount=amount,
        began=datetime.fromtimestamp(answer.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def _rows(answer: Answer) -> list[tuple[str, str, list[float], str]]:
    """Whose question, the query, its median at each volume, and what a million lines add; the
    slowest first."""
    volumes = answer.stored.volumes
    if not volumes:
        return []
    found = []
    for one in answer.questions:
        line = answer.stored.line(one.whose)
        grows = f"{1e6 * line.slope:.2g} ± {1e6 * line.slope_half:.1g} s" if line else ""
        took = [median(volume.took[one.whose]) for volume in volumes]
        found.append((one.whose, one.query, took, grows))
    return sorted(found, key=lambda row: -row[2][-1])


def shown(name: str, value: float | None) -> str:
    """A figure with its unit, which its name tells."""
    if value is None:
        return "none"
    if name.startswith("memory"):
        return f"{value / 1e6:.0f} MB"
    if name.startswith("bytes/s"):
        return f"{value / 1e6:.2f} MB/s"
    return seconds(value) if name.startswith(("lag", "query")) else amount(value)


def line(step: Step) -> str:
    """A step, as it is over, in a line."""
    full = max(step.usage, key=lambda one: step.usage[one], default="")
    most = f", {full} {100 * step.usage[full]:.0f} %" if full else ""
    why = f": {of_lines(step.why)}" if step.why else ""
    stored = step.figures.get("lines/s stored", 0.0)
    return (f"{amount(step.rate):>8} lines/s {step.verdict}{why}; P95"
            f" {seconds(step.latency(0.95))}, stored {amount(stored)}/s{most}")  # fmt: skip


def volume_line(volume: Volume) -> str:
    """A volume, as it is over, in a line."""
    whose = max(volume.took, key=lambda one: median(volume.took[one]))
    return (f"{volume.lines:8} lines in the hour: {len(volume.took)} questions, the slowest"
            f" {seconds(median(volume.took[whose]))}, {whose}")  # fmt: skip


def tell(answer: Answer, file: Path, console: Console | None = None) -> None:
    """The answer, the steps, and where the report lies."""
    width = None if sys.stdout.isatty() else 140  # a log has no width
    console = console or Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("verdict")
    for heading in ("lines/s", "written", "stored", "MB/s", "P50", "P95", "P99"):
        table.add_column(heading, justify="right")
    for one in sorted(answer.found.steps, key=lambda step: step.rate):
        table.add_row(
            f"[{COLOURS[one.verdict]}]{one.verdict}[/]", amount(one.rate), amount(one.offered),
            amount(one.figures.get("lines/s stored", 0.0)),
            f"{one.figures.get('bytes/s written', 0.0) / 1e6:.2f}",
            *(seconds(one.latency(of)) for of in (0.5, 0.95, 0.99)),
        )  # fmt: skip
    console.print()
    if answer.found.steps:
        console.print(table)
    for words in ("", answer.sentence, *answer.notes):
        console.print(words, markup=False, soft_wrap=True)
    console.print(f"in {answer.took_s:.0f} s\nreport {file}", markup=False, soft_wrap=True)
