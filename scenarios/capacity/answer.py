"""What a search found, in words and as data."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from scenarios.capacity.endpoints import Change, Medians, changes, medians
from scenarios.capacity.lead import Lead
from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Found, Plan
from scenarios.capacity.sizing import Series, Size, sizes
from scenarios.capacity.usl import Fit, fit
from scenarios.capacity.window import NOISY, OTHERS, STOLEN, Step
from stack import durations, jsontext
from stack.errors import BadInput

SHAPE = 2
"""Of the JSON; another one where an older reader would misread it."""

DRIFT = 0.05
"""How much faster or slower the machine itself may be in two measurements, before that is said."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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
    """What an earlier run found."""

    knee: float
    half_width: float
    machine: dict[str, Any]
    took_s: float = 0.0
    """What `bench.calibrated` was then; 0 where that is not known."""
    medians: Medians = field(default_factory=dict)


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
    """How much lower than the baseline's the knee may be, and how much slower an endpoint; a
    share."""
    calibrated: tuple[float, float] | None = None
    """Seconds of `bench.calibrated`, before and after."""
    people: Sequence[tuple[int, Sequence[float]]] = ()
    """How many ask again as soon as they are answered, and answers a second in each window."""
    scaling: Mapping[int, Found] = field(default_factory=dict)
    """Processes of the scheduler, two or more → what was found with so many."""
    lead: Lead | None = None
    series: Series | None = None

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
        words = f"{words} It ended early: {found.ended}." if found.ended else words
        return " ".join([words, *self._scaled, *self._told])

    @property
    def _scaled(self) -> list[str]:
        """What more processes carry."""
        said = []
        for count, found in self.scaling.items():
            name = NUMBERS[count] if count < len(NUMBERS) else f"{count}"
            if self.found.knee and found.knee and not found.limit.is_generator:
                low = found.low / (self.found.high or math.inf)
                high = (found.high or math.inf) / self.found.low
                said.append(
                    f"{name.capitalize()} processes carry {found.knee / self.found.knee:.2g}"
                    f" times as much ({low:.2g} to {high:.2g}); first at its limit then:"
                    f" {found.limit.what}."
                )
            else:
                why = "the load generator was the limit" if found.limit.is_generator else \
                    found.ended or "no knee was found"  # fmt: skip
                said.append(f"What {name} processes carry is not known: {why}.")
        return said

    @property
    def _told(self) -> list[str]:
        """Who was told before the objective broke, the last of them first at hand."""
        lead = self.lead
        if lead is None or lead.broke_s is None:
            return []
        if lead.is_unannounced:
            return ["It broke unannounced: no alert fired before."]
        last = max(lead.warned, key=lambda one: one.rate)
        early = durations.duration(round(lead.early_s(last) or 0))
        return [f"{last.alert} fires at {last.rate / lead.broke_rate:.2f} of the load at which the"
                f" objective breaks, {early} before it."]  # fmt: skip

    @property
    def concurrency(self) -> Fit | None:
        """The law of scalability over how many are asked at once."""
        return fit([(float(count), found) for count, found in self.people])

    @property
    def processes(self) -> Fit | None:
        """The same over how many processes there are."""
        points = [(1, self.found), *self.scaling.items()]
        return fit([(float(count), [found.low, found.high]) for count, found in points
                    if found.low and found.high])  # fmt: skip

    @property
    def sizes(self) -> list[Size]:
        return sizes(self.found.steps, self.found.knee or self.found.low, self.series)

    @property
    def breach(self) -> Step:
        """The lowest rate that did not hold. Only where there is one."""
        return next(one for one in self.found.steps if one.rate == self.found.high)

    @property
    def notes(self) -> list[str]:
        """What whoever trusts the figures must know."""
        others = [one.figures.get(OTHERS, 0.0) + one.figures.get(STOLEN, 0.0)
                  for one in self.found.steps]  # fmt: skip
        said = []
        if (noise := max(others, default=0.0)) > NOISY:
            said.append(f"Noisy: other programs took up to {noise:.1f} of {self.machine.cores}"
                        " cores meanwhile.")  # fmt: skip
        elif self.found.repeated:
            said.append(f"{self.found.repeated} windows were measured again, because other programs"
                        " took the machine.")  # fmt: skip
        if self.calibrated and abs((drift := self.calibrated[1] / self.calibrated[0]) - 1) > DRIFT:
            said.append(f"The machine itself was {drift:.2f} times as slow in the end as in the"
                        " beginning.")  # fmt: skip
        if self.lead and self.lead.is_unannounced:
            said.append("Finding: the objective broke and no alert had fired. A rule on what was at"
                        " its limit would have.")  # fmt: skip
        if self.generator_was_the_limit or not self.found.steps:
            return said
        unsure = [f"{one.rate:.4g}" for one in self.found.steps if "not sure" in one.why]
        if unsure:
            said.append(f"Decided by what is likelier: {', '.join(unsure)} arrivals/s.")
        return said

    @property
    def drift(self) -> float:
        """How many times as slow as at the time of the baseline the machine itself is."""
        if not self.calibrated or not self.baseline or not self.baseline.took_s:
            return 1.0
        return min(self.calibrated) / self.baseline.took_s

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """The knee over the baseline's: middle, lowest and highest; None without either. On a
        machine that is slower by itself now, as if it were not."""
        before, found = self.baseline, self.found
        if before is None or found.knee is None or found.high is None:
            return None
        return (
            self.drift * found.knee / before.knee,
            self.drift * found.low / (before.knee + before.half_width),
            self.drift * found.high / max(1e-9, before.knee - before.half_width),
        )

    @property
    def changes(self) -> list[Change]:
        """Of each endpoint, against the baseline."""
        if self.baseline is None:
            return []
        return changes(self.baseline.medians, medians(self.found.steps, self.found.knee))

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
        said += [f"{one.words}; {1 + self.tolerance:.2f} is allowed" for one in self.changes
                 if one.low > 1 + self.tolerance]  # fmt: skip
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
            "drift": self.drift,
            "changes": [asdict(one) for one in self.changes],
            "calibrated": self.calibrated,
            "medians": medians(found.steps, found.knee),
            "concurrency": law(self.concurrency, self.people),
            "processes": law(
                self.processes,
                [
                    (count, one.knee)
                    for count, one in ((1, found), *self.scaling.items())
                    if one.knee
                ],
            ),
            "lead": self.lead
            and {
                "speed": self.lead.speed,
                "broke_at": self.lead.broke_rate or None,
                "highest": self.lead.highest,
                "alerts": self.lead.rows(),
            },
            "series": self.series and asdict(self.series),
            "sizes": [asdict(one) for one in self.sizes],
            "steps": [row(one) for one in found.steps],
            "more": {
                str(count): [row(one) for one in other.steps]
                for count, other in self.scaling.items()
            },
        }


def law(found: Fit | None, points: Any) -> dict[str, Any]:
    """A fit as data, with the points that it is of."""
    return {"points": points, "fit": found and asdict(found), "words": found.words if found else ""}


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


def baseline_of(said: Any) -> Baseline | None:
    """What a run's JSON says it found; None when that has no knee, or is of another version. Raises
    what reading something else does."""
    if said["shape"] != SHAPE or said["knee"] is None:
        return None
    return Baseline(
        knee=float(said["knee"]), half_width=float(said["half_width"]),
        machine={str(key): value for key, value in said["machine"].items()},
        took_s=min(map(float, said["calibrated"])) if said["calibrated"] else 0.0,
        medians={str(endpoint): {str(rate): [float(one) for one in seconds if one > 0]
                                 for rate, seconds in rates.items()}
                 for endpoint, rates in said["medians"].items()},
    )  # fmt: skip


def is_alike(baseline: Baseline, machine: Machine) -> bool:
    """Whether it was measured on such a machine."""
    return not _differing(baseline, machine)


def _differing(baseline: Baseline, machine: Machine) -> list[str]:
    here = asdict(machine)
    return [key for key in ("cpu", "cores") if baseline.machine.get(key) != here[key]]


def read_baseline(file: Path, machine: Machine) -> Baseline:
    """The knee of the run that wrote `file`. Raises BadInput when it has none, or was measured on
    another machine."""
    try:
        said = jsontext.read(file.read_text())
        found = baseline_of(said)
    except OSError as error:
        raise BadInput(f"--baseline: `{file}`: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError):
        found = said = None
    if said and said["shape"] != SHAPE:
        raise BadInput(f"--baseline: `{file}` is of another version of the lab.")
    if found is None:
        raise BadInput(
            f"--baseline: `{file}` is not the report.json of a run that found a knee.",
            cure="`doit capacity` writes one beside its report.html.",
        )
    if differs := _differing(found, machine):
        raise BadInput(
            f"--baseline: `{file}` was measured on another machine: its {differs[0]} is"
            f" {found.machine.get(differs[0])}, here {asdict(machine)[differs[0]]}.",
            cure="Compare runs of one machine.",
        )
    return found
