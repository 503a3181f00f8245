"""Writes what was found: JSON for programs, one HTML page for people, a table at the end."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from scenarios.capacity.answer import Answer
from scenarios.capacity.lead import Lead
from scenarios.capacity.plots import Plot, Points, library, plot
from scenarios.capacity.window import Step, Verdict
from scenarios.proof.rendered import rendered
from scenarios.proof.reports import make_latest
from stack import durations

COLOURS = {Verdict.HOLDS: "green", Verdict.BREACHES: "red", Verdict.OPEN: "yellow"}


def write(answer: Answer, folder: Path) -> Path:
    """`report.json` and `report.html` in the folder, then it is the latest one; the page."""
    (folder / "report.json").write_text(json.dumps(answer.document(), indent=1) + "\n")
    file = folder / "report.html"
    file.write_text(page(answer), encoding="utf-8")
    make_latest(folder)
    return file


def plots(answer: Answer) -> list[Plot]:
    """Of the steps, then of people who ask at once."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    found, across = answer.found, "arrivals a second"
    knee = (found.low, found.high) if found.low and found.high else None

    def over(figure: Callable[[Step], float]) -> Points:
        return [(one.rate, figure(one)) for one in steps]

    used = list(dict.fromkeys(name for one in steps for name in one.usage))
    drawn = [
        plot("How long requests took, in seconds", across,
              [(f"P{100 * of:.0f}", over(lambda one, of=of: one.latency(of)))  # type: ignore[misc]
               for of in (0.5, 0.95, 0.99)], limit=answer.objective.latency_s, knee=knee),
        plot("Offered and served, requests a second", across,
              [("offered", over(lambda one: one.offered)),
               ("served", over(lambda one: one.served))], knee=knee),
        plot("In use of what each resource can give, in percent", across,
              [(name, over(lambda one, of=name: 100 * one.usage.get(of, 0.0)))  # type: ignore[misc]
               for name in used], knee=knee),
    ]  # fmt: skip
    if law := answer.concurrency:
        most = max(count for count, _ in answer.people)
        places = [1 + (most - 1) * part / 40 for part in range(41)]
        drawn.append(plot(
            "Answered a second, by how many ask again as soon as they are answered", "at once",
            [("measured", [(float(count), fmean(each)) for count, each in answer.people]),
             ("law of scalability", [(n, law.at(n)) for n in places])],
        ))  # fmt: skip
    return [one for one in drawn if one]


def page(answer: Answer) -> str:
    """One file without anything from outside."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    figures = list(dict.fromkeys(name for one in steps for name in one.figures))
    return rendered(
        Path(__file__).parent,
        answer=answer,
        steps=steps,
        plots=plots(answer),
        library=library(),
        usage=list(dict.fromkeys(name for one in steps for name in one.usage)),
        figures=figures,
        shown=shown,
        seconds=seconds,
        amount=amount,
        duration=lambda seconds: durations.duration(round(seconds)),
        began=datetime.fromtimestamp(answer.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def seconds(value: float) -> str:
    return (
        "none"
        if not isfinite(value)
        else f"{value * 1000:.0f} ms"
        if value < 1
        else f"{value:.2f} s"
    )


def amount(count: float) -> str:
    """Bytes, in the unit that reads best."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def shown(name: str, value: float | None) -> str:
    """A figure with its unit, which its name tells."""
    if value is None:
        return "none"
    return f"{value / 1e6:.0f} MB" if name.startswith("memory") else f"{value:.2f}"


def line(step: Step) -> str:
    """A step, as it is over, in a line."""
    full = max(step.usage, key=lambda one: step.usage[one], default="")
    most = f", {full} {100 * step.usage[full]:.0f} %" if full else ""
    why = f": {step.why}" if step.why else ""
    return (f"{step.rate:8.4g} arrivals/s {step.verdict}{why}; P95 {seconds(step.latency(0.95))},"
            f" served {step.served:.4g}/s{most}")  # fmt: skip


def _lead(lead: Lead) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("as the load grew")
    for heading in ("arrivals/s", "of the breach", "before it"):
        table.add_column(heading, justify="right")
    for one in lead.rows():
        early = one["early_s"]
        table.add_row(
            f"{one['alert']} ({one['severity']})", f"{one['rate']:g}",
            "" if one["share"] is None else f"{one['share']:.2f}",
            "" if early is None else f"{'-' if early < 0 else ''}{durations.duration(abs(early))}",
        )  # fmt: skip
    return table


def tell(answer: Answer, file: Path, console: Console | None = None) -> None:
    """The answer, the steps, and where the report lies."""
    width = None if sys.stdout.isatty() else 140  # a log has no width
    console = console or Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("verdict")
    for heading in ("rate", "offered", "served", "P50", "P95", "P99", "failed"):
        table.add_column(heading, justify="right")
    for one in sorted(answer.found.steps, key=lambda step: step.rate):
        table.add_row(
            f"[{COLOURS[one.verdict]}]{one.verdict}[/]", f"{one.rate:.4g}", f"{one.offered:.4g}",
            f"{one.served:.4g}", *(seconds(one.latency(of)) for of in (0.5, 0.95, 0.99)),
            f"{100 * one.failed:.1f} %",
        )  # fmt: skip
    console.print()
    console.print(table)
    if answer.lead and answer.lead.fired:
        console.print()
        console.print(_lead(answer.lead))
    for words in ("", answer.sentence, *answer.notes):
        console.print(words, markup=False, soft_wrap=True)
    console.print(f"in {answer.took_s:.0f} s\nreport {file}", markup=False, soft_wrap=True)
