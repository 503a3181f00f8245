"""What a search found, in words and as data."""

import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Found, Plan
from scenarios.capacity.window import Step
from stack import jsontext
from stack.errors import BadInput

SHAPE = 1
"""Of the JSON; another one where an older reader would misread it."""

NOISY = 0.5
"""Cores that others took while it was measured, from which on that is said."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What figures are comparable on."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str

    @classmethod
    def here(cls) -> "Machine":
        named = [line.partition(":")[2].strip()
                 for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")]  # fmt: skip
        return cls(
            cpu=named[0] if named else platform.machine(),
            cores=psutil.cpu_count() or 1,
            memory_bytes=psutil.virtual_memory().total,
            system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        )


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The knee of an earlier run and its half width."""

    knee: float
    half_width: float
    machine: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A search that is over, or was ended."""

    found: Found
    objective: Objective
    plan: Plan
    machine: Machine
    instance: str
    """Name and hash of what was loaded."""
    started: float
    """Unix seconds."""
    took_s: float
    need: float | None = None
    """Rate that must hold."""
    baseline: Baseline | None = None
    tolerance: float = 0.1
    """How much lower than the baseline the knee may be, a share."""

    @property
    def generator_was_the_limit(self) -> bool:
        """Then it is no result: nothing is known of the server's own limit."""
        return self.found.limit.is_generator

    @property
    def sentence(self) -> str:
        """The answer, as one paragraph."""
        found, limit = self.found, self.found.limit
        if self.generator_was_the_limit:
            held = (
                f"held the objective at {found.low:.4g} arrivals/s" if found.low else "was not seen"
            )
            return (f"No result: the load generator was the limit; {limit.evidence}. The scheduler"
                    f" {held}, and what more it can do is not known.")  # fmt: skip
        if not found.steps:
            return f"No result: {found.ended or 'it ended before anything was measured'}."
        if not found.low:
            step = min(found.steps, key=lambda one: one.rate)
            return (f"The objective does not hold even at {step.rate:.4g} arrivals/s: {step.why}."
                    f" It wants {self.objective.words}.")  # fmt: skip
        if found.high is None:
            return (f"One scheduler carries at least {found.low:.4g} arrivals/s; {found.ended}."
                    f" The objective is {self.objective.words}.")  # fmt: skip
        served = max(one.served for one in found.steps if one.rate == found.low)
        words = (
            f"One scheduler carries {found.knee:.4g} ± {found.half_width:.2g} arrivals/s"
            f" ({served:.4g} requests/s answered) with {self.objective.words}. First at its limit:"
            f" {limit.what}, {limit.evidence}. Beyond it: {self.breach.why}."
        )
        return f"{words} It ended early: {found.ended}." if found.ended else words

    @property
    def breach(self) -> Step:
        """The lowest rate that did not hold. Only where there is one."""
        return next(one for one in self.found.steps if one.rate == self.found.high)

    @property
    def notes(self) -> list[str]:
        """What whoever trusts the figures must know."""
        others = [one.figures.get("cores of others", 0.0) for one in self.found.steps]
        said = []
        if (noise := max(others, default=0.0)) > NOISY:
            said.append(f"Noisy: other programs took up to {noise:.1f} of {self.machine.cores}"
                        " cores meanwhile.")  # fmt: skip
        if self.generator_was_the_limit or not self.found.steps:
            return said
        unsure = [f"{one.rate:.4g}" for one in self.found.steps if "not sure" in one.why]
        if unsure:
            said.append(f"Decided by what is likelier: {', '.join(unsure)} arrivals/s.")
        return said

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """The knee over the baseline's: middle, lowest and highest; None without either."""
        before, found = self.baseline, self.found
        if before is None or found.knee is None or found.high is None:
            return None
        return (
            found.knee / before.knee,
            found.low / (before.knee + before.half_width),
            found.high / max(1e-9, before.knee - before.half_width),
        )

    @property
    def shortcomings(self) -> list[str]:
        """Why this is no good end; empty when it is one."""
        found, said = self.found, []
        if self.generator_was_the_limit:
            said.append("the load generator was the limit, which is no result")
        elif not found.low:
            said.append("the objective holds at no rate that was tried")
        elif "died" in found.ended:
            said.append(found.ended)
        if self.need is not None and found.low < self.need:
            beyond = " (the generator can do no more)" if self.generator_was_the_limit else ""
            said.append(f"{self.need:g} arrivals/s are needed, {found.low:.4g} held{beyond}")
        if self.ratio and self.ratio[0] < 1 - self.tolerance:
            middle, low, high = self.ratio
            said.append(f"the knee is {middle:.2f} ({low:.2f} to {high:.2f}) of the baseline's;"
                        f" {1 - self.tolerance:.2f} is allowed")  # fmt: skip
        return said

    def document(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        found = self.found
        return {
            "shape": SHAPE,
            "answer": self.sentence,
            "shortcomings": self.shortcomings,
            "notes": self.notes,
            "knee": found.knee,
            "half_width": found.half_width if found.knee else None,
            "held": found.low,
            "breached": found.high,
            "ended": found.ended,
            "limit": asdict(found.limit),
            "objective": asdict(self.objective),
            "plan": asdict(self.plan),
            "machine": asdict(self.machine),
            "instance": self.instance,
            "started": self.started,
            "took_s": round(self.took_s, 1),
            "ratio": self.ratio,
            "steps": [row(one) for one in found.steps],
        }


def row(step: Step) -> dict[str, Any]:
    """A step as data; NaN, which JSON lacks, is null."""
    return {
        "rate": step.rate, "offered": step.offered, "served": step.served,
        "p50_s": _known(step.latency(0.5)), "p95_s": _known(step.latency(0.95)),
        "p99_s": _known(step.latency(0.99)), "failed": step.failed, "late": step.late,
        "windows": len(step.windows), "verdict": step.verdict, "why": step.why,
        "usage": dict(step.usage), "figures": dict(step.figures),
    }  # fmt: skip


def _known(value: float) -> float | None:
    return value if value == value else None


def read_baseline(file: Path, machine: Machine) -> Baseline:
    """The knee of the run that wrote `file`. Raises BadInput when it has none, or was measured on
    another machine."""
    try:
        said = jsontext.read(file.read_text())
        found = Baseline(knee=float(said["knee"]), half_width=float(said["half_width"]),
                         machine=said["machine"])  # fmt: skip
        shape = said["shape"]
    except OSError as error:
        raise BadInput(f"--baseline: `{file}`: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, OverflowError):
        raise BadInput(
            f"--baseline: `{file}` is not the report.json of a run that found a knee.",
            cure="`doit capacity` writes one beside its report.html.",
        ) from None
    if shape != SHAPE:
        raise BadInput(f"--baseline: `{file}` is of another version of the lab.")
    here = asdict(machine)
    if differs := [key for key in ("cpu", "cores") if found.machine.get(key) != here[key]]:
        raise BadInput(
            f"--baseline: `{file}` was measured on another machine: its {differs[0]} is"
            f" {found.machine.get(differs[0])}, here {here[differs[0]]}.",
            cure="Compare runs of one machine.",
        )
    return found
