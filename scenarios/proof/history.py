"""The figures of earlier proofs: one JSON object per line and run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from scenarios.proof.result import Proof
from scenarios.proof.verdict import Outcome
from stack import jsontext
from stack.errors import BadInput, HostCannot

RUNS_SHOWN = 20
SLOWER = 4 / 3
"""An alert that takes this many times its usual time is flagged."""

EARLIER_AT_LEAST = 3
"""Runs without which nothing is usual."""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Seconds from fault to the last notification over the last runs, oldest first."""

    alert: str
    seconds: tuple[float, ...]
    """The last one is that of this run."""

    @property
    def usual_s(self) -> float | None:
        """The median of the earlier runs; None when they are too few."""
        earlier = self.seconds[:-1]
        return median(earlier) if len(earlier) >= EARLIER_AT_LEAST else None

    @property
    def slower(self) -> bool:
        """More than a third slower than usual."""
        return self.usual_s is not None and self.seconds[-1] > self.usual_s * SLOWER

    def polyline(self, width: float, height: float) -> str:
        """Points of a sparkline, from zero up."""
        most = max(self.seconds) or 1.0
        step = width / max(1, len(self.seconds) - 1)
        return " ".join(
            f"{n * step:.1f},{height * (1 - value / most):.1f}"
            for n, value in enumerate(self.seconds)
        )


def line(proof: Proof) -> str:
    """One run as JSON: when, how fast, how long, and each alert's verdict and times in seconds."""
    when = datetime.fromtimestamp(proof.started, UTC).isoformat(timespec="seconds")
    return json.dumps({
        "started": when,
        "speed": proof.speed,
        "took_s": round(proof.took_s, 2),
        "alerts": {
            one.alert: {
                "outcome": str(one.outcome),
                "notified_s": _rounded(one.verdict.at_s("notified")),
                "floor_s": _rounded(one.deadlines.floor_s if one.deadlines else None),
                "fastest_s": _rounded(one.deadlines.fastest_s if one.deadlines else None),
            }
            for one in proof.results
        },
    })  # fmt: skip


def read(file: Path) -> list[Mapping[str, object]]:
    """The runs of a history, oldest first; none when there is no file yet.

    Raises BadInput with the number of a line that is not a run, or for a folder that is not there:
    known before anything is proven.
    """
    try:
        rows = file.read_text().splitlines()
    except FileNotFoundError:
        if file.parent.is_dir():
            return []
        raise BadInput(
            f"`--history {file}`: there is no folder `{file.parent}`.", cure="Make it first."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"`--history {file}` cannot be read: {error}.") from None
    runs: list[Mapping[str, object]] = []
    for number, row in enumerate(rows, 1):
        try:
            run = jsontext.read(row)
            runs.append({"speed": float(run["speed"]), "alerts": dict(run["alerts"])})
        except (ValueError, KeyError, TypeError, OverflowError):
            raise BadInput(
                f"`{file}` line {number} is not a recorded proof run.", cure="Delete the line."
            ) from None
    return runs


def append(file: Path, proof: Proof) -> None:
    """Add this run. Raises HostCannot."""
    try:
        with file.open("a") as history:
            history.write(line(proof) + "\n")
    except OSError as error:
        raise HostCannot(
            f"`--history {file}` cannot be written: {error.strerror}.", cure="Name another file."
        ) from None


def trends(runs: Sequence[Mapping[str, object]], proof: Proof) -> dict[str, Trend]:
    """How the proven alerts of this run did over the last ones of the same speed."""
    found = {}
    for one in proof.results:
        now_s = one.verdict.at_s("notified")
        if now_s is not None and one.outcome is Outcome.PROVEN:
            earlier = [_proven_s(run, one.alert) for run in runs if run["speed"] == proof.speed]
            seconds = [s for s in earlier if s is not None][-(RUNS_SHOWN - 1) :]
            found[one.alert] = Trend(alert=one.alert, seconds=(*seconds, now_s))
    return found


def _proven_s(run: Mapping[str, object], alert: str) -> float | None:
    alerts = run["alerts"]
    figures = alerts.get(alert) if isinstance(alerts, dict) else None
    if not isinstance(figures, dict) or figures.get("outcome") != Outcome.PROVEN:
        return None
    seconds = figures.get("notified_s")
    return float(seconds) if isinstance(seconds, int | float) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
