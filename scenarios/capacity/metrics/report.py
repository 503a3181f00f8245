"""Writes what was found: JSON for programs, one HTML page for people, a table at the end."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scenarios.capacity.metrics.answer import Answer
from scenarios.capacity.metrics.model import Line
from scenarios.capacity.metrics.model import line as line_through
from scenarios.capacity.metrics.receiver import Compared
from scenarios.capacity.metrics.sizes import Size
from scenarios.capacity.plots import Plot, Points, library, plot
from scenarios.proof.rendered import rendered
from scenarios.proof.reports import make_latest

Figure = Callable[[Size], float]

_CORNERS = 24
"""Of the area on either side of a line."""


def write(answer: Answer, folder: Path) -> Path:
    """`report.json` and `report.html` in the folder, then it is the latest one; the page."""
    (folder / "report.json").write_text(json.dumps(answer.document(), indent=1) + "\n")
    file = folder / "report.html"
    file.write_text(page(answer), encoding="utf-8")
    make_latest(folder)
    return file


def page(answer: Answer) -> str:
    """One file without anything from outside."""
    return rendered(
        Path(__file__).parent,
        answer=answer,
        rows=rows(answer),
        plots=plots(answer),
        library=library(),
        of=of,
        size=size,
        seconds=seconds,
        known=math.isfinite,
        began=datetime.fromtimestamp(answer.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def rows(answer: Answer) -> list[tuple[str, Size]]:
    """What each size was for, and the size, the smallest first."""
    found = answer.found
    named = [("", one) for one in sorted(found.sizes, key=lambda one: one.targets)]
    named += [("predicted", found.reached)] if found.reached else []
    named += [("at the wall", found.wall)] if found.wall else []
    if found.cost:
        named += [("without remote write", found.cost[0]), ("with remote write", found.cost[1])]
    return [(what, one) for what, one in named if one.windows]


def plots(answer: Answer) -> list[Plot]:
    """What was measured, the line through it, and what was then measured where it predicts."""
    found = answer.found
    sizes = [one for one in found.sizes if one.windows]
    large = [one for one in (found.reached,) if one and one.windows]

    def over(across: str, x: Figure, title: str, y: Figure) -> Plot | None:
        return _line(title, across, [(x(one), y(one)) for one in sizes],
                     [(x(one), y(one)) for one in large])  # fmt: skip

    def stored(ones: Sequence[Size]) -> Points:
        return [(one.storage.wal_bytes / 1e6, one.storage.restart_s) for one in ones if one.storage]

    made = (
        over("series", lambda one: one.series, "Resident memory, in MB",
             lambda one: one.memory_bytes / 1e6),
        over("samples a second", lambda one: one.mean("samples_per_s"), "CPU, in cores",
             lambda one: one.mean("cores")),
        over("series", lambda one: one.series, "All rules evaluated once, in seconds",
             lambda one: one.mean("rules_s")),
        _line("Started again, in seconds", "MB of WAL", stored(sizes), stored(large)),
    )  # fmt: skip
    return [one for one in made if one]


def _line(title: str, across: str, points: Points, large: Points) -> Plot | None:
    """The points, those that the line through them predicted, the line, and how far it is sure."""
    lines = [("measured", points), *([("predicted and measured", large)] if large else [])]
    drawn = plot(title, across, lines, dots=[name for name, _ in lines])
    law = line_through(points)
    if not drawn or not law:
        return drawn
    places = [drawn.right * step / _CORNERS for step in range(_CORNERS + 1)]
    through = ("line through them", [(x, law.at(x)) for x in (0.0, drawn.right)])
    return plot(title, across, [*lines, through], dots=[name for name, _ in lines],
                area=_sure(law, places), right=drawn.right)  # fmt: skip


def _sure(law: Line, places: Sequence[float]) -> Sequence[tuple[float, float, float]]:
    """Empty where nobody knows."""
    if not math.isfinite(law.error):
        return ()
    return [(x, law.at(x) - law.half(x), law.at(x) + law.half(x)) for x in places]


def of(value: float) -> str:
    """A figure in three digits."""
    return "unknown" if not math.isfinite(value) else f"{value:,.0f}" if value >= 100 else \
        f"{value:.3g}"  # fmt: skip


def size(value: float) -> str:
    """Bytes."""
    for unit, word in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if value >= unit:
            return f"{of(value / unit)} {word}"
    return "unknown" if not math.isfinite(value) else f"{value:.3g} B"


def seconds(value: float) -> str:
    return "unknown" if not math.isfinite(value) else f"{value:.2f} s" if value >= 1 else \
        f"{value * 1000:.3g} ms"  # fmt: skip


def line(one: Size) -> str:
    """A size, as it is over, in a line."""
    if not one.windows:
        return f"{one.targets:5} schedulers: nothing was measured"
    stored = f", started again in {seconds(one.storage.restart_s)}" if one.storage else ""
    mean = one.mean
    return (f"{one.targets:5} schedulers: {one.series:9,.0f} series,"
            f" {mean('samples_per_s'):7,.0f} samples/s, {mean('cores'):.2f} cores,"
            f" {size(one.memory_bytes)}, all rules {seconds(mean('rules_s'))},"
            f" fleet {mean('fleet_cores'):.2f} cores{stored}")  # fmt: skip


def kept_line(compared: Compared) -> str:
    """What became of the samples, in a line."""
    kept = compared.kept
    if kept.trouble:
        return kept.trouble
    same = sum(one.alike == one.moments for one in compared.answers)
    return (f"{kept.lost} of {kept.samples:,} samples of {kept.series:,} series missing; caught up"
            f" {kept.caught_up_s or 0:.0f} s after its return; {same} of {len(compared.answers)}"
            " rules give the same alerts")  # fmt: skip


def tell(answer: Answer, file: Path, console: Console | None = None) -> None:
    """The answer, the sizes, and where the report lies."""
    width = None if sys.stdout.isatty() else 140  # a log has no width
    console = console or Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("schedulers", "series", "samples/s", "scrape", "rules", "cores", "memory",
                    "B/series", "WAL B/sample", "restart"):  # fmt: skip
        table.add_column(heading, justify="right")
    table.add_column("")
    for what, one in rows(answer):
        stored = one.storage
        table.add_row(
            f"{one.targets}", f"{one.series:,.0f}", f"{one.mean('samples_per_s'):,.0f}",
            seconds(one.mean("scrape_s")), seconds(one.mean("rules_s")), f"{one.mean('cores'):.2f}",
            size(one.memory_bytes), f"{one.bytes_per_series:,.0f}",
            f"{stored.wal_bytes_per_sample:.1f}" if stored else "",
            seconds(stored.restart_s) if stored else "", what,
        )  # fmt: skip
    console.print()
    console.print(table)
    for words in ("", answer.sentence, *answer.notes):
        console.print(words, markup=False, soft_wrap=True)
    console.print(f"in {answer.took_s:.0f} s\nreport {file}", markup=False, soft_wrap=True)
