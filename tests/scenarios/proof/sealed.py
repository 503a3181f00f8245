"""Reports made by hand: one alert that is proven, one that is not, one that was not played, and a
route."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenarios.proof import report
from scenarios.proof.evidence import Notification, from_line, to_line
from scenarios.proof.kept import EVIDENCE, NAME
from scenarios.proof.result import UNPLAYED, Proof, Result
from scenarios.proof.verdict import Outcome, Verdict, failed, judge
from tests.scenarios.proof.test_verdict import ALERT, DEADLINES, GOOD, SCENARIO

OTHER = "MySQLDown"


def results() -> tuple[Result, ...]:
    """The alerts had an instance each, at the same time."""
    good = tuple(replace(event, instance="proof-1") for event in GOOD)
    renamed = [from_line(to_line(event).replace(ALERT, OTHER)) for event in GOOD]
    lacking = tuple(
        replace(event, instance="proof-2", at=event.at + 0.01)
        for event in renamed
        if not (isinstance(event, Notification) and event.channel == "pagerduty")
    )
    other = replace(SCENARIO, alert=OTHER)
    proven = Result(
        verdict=judge(good, SCENARIO, DEADLINES, explained=["Another"]),
        scenario=SCENARIO, file="database/postgresql_down.py", instance="proof-1", hash="abc",
        deadlines=DEADLINES, events=good, explained=frozenset({"Another"}),
    )  # fmt: skip
    broken = Result(
        verdict=judge(lacking, other, DEADLINES), scenario=other, file="database/my_sql_down.py",
        instance="proof-2", deadlines=DEADLINES, events=lacking, earlier=("it was overloaded",),
    )  # fmt: skip
    unplayed = Result(verdict=failed("DiskFull", f"{UNPLAYED}: the proof ended before its turn"))
    route = Result(verdict=Verdict(alert="routing/critical", outcome=Outcome.PROVEN, reason=""),
                   events=good[:3], file="routing/severities.py")  # fmt: skip
    assert (proven.outcome, broken.outcome) == (Outcome.PROVEN, Outcome.FAILED)
    return proven, broken, unplayed, route


def written(folder: Path, *, good: bool = False) -> Proof:
    """A new folder with the report of a proof; only with what was proven if `good`."""
    folder.mkdir(parents=True)
    found = results()[:1] if good else results()
    events = sorted((e for one in found[:2] for e in one.events), key=lambda e: e.at)
    (folder / EVIDENCE).write_text("".join(f"{to_line(event)}\n" for event in events))
    proof = Proof(started=1_700_000_000, took_s=12.5, speed=60, results=found, packages={},
                  folder=folder, interrupted=False)  # fmt: skip
    report.write(proof)
    return proof


def edited(folder: Path, change: Callable[[dict[str, Any]], object], name: str = NAME) -> None:
    """Change a JSON file of the report, and nothing of its digests."""
    document = json.loads((folder / name).read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))


def with_lines(folder: Path, change: Callable[[list[str]], object]) -> None:
    """Change the lines of the evidence in place."""
    lines = (folder / EVIDENCE).read_text().splitlines()
    change(lines)
    (folder / EVIDENCE).write_text("".join(f"{line}\n" for line in lines))


def line_with(lines: list[str], *words: str) -> int:
    """The index of the first line that has all these words."""
    return next(n for n, line in enumerate(lines) if all(word in line for word in words))
