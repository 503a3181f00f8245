"""Writes what was found: JSON for programs, one HTML page for people, a table at the end."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scenarios.capacity.answer import Answer
from scenarios.capacity.lead import Lead
from scenarios.capacity.window import Step, Verdict
from scenarios.proof.chart import short
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


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One drawing: figures of the steps over their rate, in units of the drawing."""

    WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 220, 54, 34, 14, 10

    title: str
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]]
    """Name → points."""
    knee: tuple[float, float] | None
    """Where the knee lies, from and to."""
    limit_y: float | None
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    x_name: str = "arrivals a second"


def curve(
    answer: Answer,
    title: str,
    lines: Sequence[tuple[str, Callable[[Step], float]]],
    *,
    limit: float | None = None,
) -> Curve | None:
    """None when there is nothing to draw. What is far beyond the limit is cut there."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    drawn = [(name, [(one.rate, figure(one)) for one in steps if isfinite(figure(one))])
             for name, figure in lines]  # fmt: skip
    values = [value for _, points in drawn for _, value in points]
    if not values:
        return None
    most = max(values) if limit is None else min(max([*values, 1.1 * limit]), 3 * limit)
    most, last = most or 1.0, steps[-1].rate * 1.03
    wide = Curve.WIDTH - Curve.LEFT - Curve.RIGHT
    high = Curve.HEIGHT - Curve.TOP - Curve.BOTTOM

    def x(rate: float) -> float:
        return round(Curve.LEFT + rate / last * wide, 1)

    def y(value: float) -> float:
        return round(Curve.TOP + (1 - min(value, most) / most) * high, 1)

    found = answer.found
    return Curve(
        title=title,
        lines=[(name, [(x(rate), y(value)) for rate, value in points]) for name, points in drawn],
        knee=(x(found.low), x(found.high)) if found.low and found.high else None,
        limit_y=None if limit is None else y(limit),
        x_ticks=[(x(last * n / 5), short(last * n / 5)) for n in range(6)],
        y_ticks=[(y(most * n / 4), short(most * n / 4)) for n in range(5)],
    )


def curves(answer: Answer) -> list[Curve]:
    used = list(dict.fromkeys(name for one in answer.found.steps for name in one.usage))
    objective = answer.objective
    drawn = [
        curve(answer, "How long requests took, in seconds",
              [("P50", lambda one: one.latency(0.5)), ("P95", lambda one: one.latency(0.95)),
               ("P99", lambda one: one.latency(0.99))], limit=objective.latency_s),
        curve(answer, "Offered and served, requests a second",
              [("offered", lambda one: one.offered), ("served", lambda one: one.served)]),
        curve(answer, "In use of what each resource can give, in percent",
              [(name, lambda one, of=name: 100 * one.usage.get(of, 0.0))  # type: ignore[misc]
               for name in used]),
        concurrency(answer),
    ]  # fmt: skip
    return [one for one in drawn if one]


def concurrency(answer: Answer) -> Curve | None:
    """What is answered by how many ask at once, and the law through it."""
    found = answer.concurrency
    if not found:
        return None
    points = [(float(count), sum(of) / len(of)) for count, of in answer.people]
    last = max(x for x, _ in points)
    law = [(n, found.at(n)) for n in (1 + (last - 1) * part / 40 for part in range(41))]
    drawn = [("measured", points), ("law of scalability", law)]
    most = max(y for _, line in drawn for _, y in line)
    wide = Curve.WIDTH - Curve.LEFT - Curve.RIGHT
    high = Curve.HEIGHT - Curve.TOP - Curve.BOTTOM

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = point
        return (round(Curve.LEFT + x / last * wide, 1),
                round(Curve.TOP + (1 - y / most) * high, 1))  # fmt: skip

    return Curve(
        title="Answered a second, by how many ask again as soon as they are answered",
        lines=[(name, [at(point) for point in line]) for name, line in drawn], knee=None,
        limit_y=None, x_ticks=[(at((x, 0))[0], short(x)) for x, _ in points if x != 2],
        y_ticks=[(at((0, most * n / 4))[1], short(most * n / 4)) for n in range(5)],
        x_name="at once",
    )  # fmt: skip


def page(answer: Answer) -> str:
    """One file without anything from outside."""
    steps = sorted(answer.found.steps, key=lambda one: one.rate)
    figures = list(dict.fromkeys(name for one in steps for name in one.figures))
    return rendered(
        Path(__file__).parent,
        answer=answer,
        steps=steps,
        curves=curves(answer),
        Curve=Curve,
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
