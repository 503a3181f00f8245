"""What was found of logs, in words and as data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scenarios.capacity.answer import Baseline, Machine
from scenarios.capacity.limits import MACHINE
from scenarios.capacity.logs.pair import PARTS
from scenarios.capacity.logs.questions import Question
from scenarios.capacity.logs.stored import Disk, Stored
from scenarios.capacity.metrics.model import Line, line
from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Found, Plan
from scenarios.capacity.window import NOISY, OTHERS, Step

SHAPE = 1
"""Of the JSON; another one where an older reader would misread it."""
KIND = "logs"

DAY_S = 86400
RATES = (10.0, 100.0, 1000.0)
"""Lines a second for which the disk is given, beside the most that is shipped in time."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a rate of lines takes on the disk."""

    rate: float
    cores: float | None
    """Of the shipper and the store together; None where that is not known."""
    per_day_bytes: float
    kept_bytes: float
    """As long as lines are kept."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A measurement that is over, or was ended."""

    found: Found
    stored: Stored
    objective: Objective
    plan: Plan
    machine: Machine
    questions: Sequence[Question]
    instance: str
    """Name and hash of what was measured, and which programs."""
    started: float
    """Unix seconds."""
    took_s: float
    kept_s: float
    """How long lines are kept, by the configuration."""
    text_bytes: float = 0.0
    """Of a line as it is written; 0 when none was."""
    unshipped: int = 0
    """Lines that were written and never reached the store, all in all."""
    ended: str = ""
    """Why it ended before its time, in words."""
    need: float | None = None
    baseline: Baseline | None = None
    tolerance: float = 0.1
    pair: str = field(default="the pair")

    @property
    def generator_was_the_limit(self) -> bool:
        """Then nothing is known of the pair's own limit."""
        return bool(self.found.steps) and self.found.limit.is_generator

    @property
    def sentence(self) -> str:
        """The answer, as one paragraph."""
        said = (self._shipped, self._cost, self._kept, self._asked, self._ended)
        return " ".join(filter(None, said))

    @property
    def _ended(self) -> str:
        why = self.ended or (self.found.ended if self.found.knee else "")
        return f"It ended early: {of_lines(why)}." if why else ""

    @property
    def _shipped(self) -> str:
        found, limit = self.found, self.found.limit
        if not found.steps:
            return "How many lines are shipped in time was not measured."
        if self.generator_was_the_limit:
            return (f"No result: who writes the lines was the limit; {of_lines(limit.evidence)}."
                    f" Up to"
                    f" {self._rate(found.low)} were shipped in time.")  # fmt: skip
        words = self.objective.words
        if not found.low:
            step = min(found.steps, key=lambda one: one.rate)
            why = of_lines(step.why)
            return f"Not even {self._rate(step.rate)} are shipped in time: {why}."
        if found.high is None:
            why = of_lines(found.ended)
            return f"At least {self._rate(found.low)} are shipped with {words}; {why}."
        return (
            f"{self.pair} take {round(found.knee or 0)} ± {round(found.half_width)} lines/s"
            f" ({(found.knee or 0) * self.text_bytes / 1e6:.2g} MB/s) with {words}. First at its"
            f" limit: {self._limit}. Beyond it:"
            f" {of_lines(self.breach.why)}."
        )

    def _rate(self, lines: float) -> str:
        return f"{amount(lines)} lines/s ({lines * self.text_bytes / 1e6:.2g} MB/s)"

    @property
    def _limit(self) -> str:
        limit = self.found.limit
        if limit.what == MACHINE and (others := self.breach.figures.get(OTHERS, 0.0)):
            return (f"the machine, of whose {self.machine.cores} cores other programs had"
                    f" {others:.1f} at {amount(self.breach.rate)} lines/s")  # fmt: skip
        return f"{limit.what}, {of_lines(limit.evidence)}"

    @property
    def breach(self) -> Step:
        """The lowest rate that did not hold. Only where there is one."""
        return next(one for one in self.found.steps if one.rate == self.found.high)

    @property
    def cores(self) -> Mapping[str, Line]:
        """Cores of each of the two over lines a second, up to the knee: beyond it they wait for
        what is at its limit."""
        steps = [one for one in self.found.steps if one.rate <= self.found.low]
        lines = {
            name: line([(one.rate, one.figures[f"cores of {name}"]) for one in steps
                        if f"cores of {name}" in one.figures])
            for name in PARTS.values()
        }  # fmt: skip
        return {name: found for name, found in lines.items() if found}

    @property
    def _cost(self) -> str:
        each = [f"{1000 * one.slope:.2g} cores of the {name}" for name, one in self.cores.items()]
        return f"A thousand lines/s take {' and '.join(each)}." if each else ""

    @property
    def _kept(self) -> str:
        disk = self.stored.disk
        if disk is None or not disk.lines:
            return ""
        needs = self.needs
        last = needs[-1]
        return (
            f"A line of {disk.text_bytes:.0f} bytes takes {disk.per_line:.0f} on the disk:"
            f" {gigabytes(last.per_day_bytes)} a day at {amount(last.rate)} lines/s,"
            f" {gigabytes(last.kept_bytes)} for the {self.kept_s / DAY_S:g} days that they are"
            " kept."
        )

    @property
    def _asked(self) -> str:
        if not self.stored.volumes:
            return ""
        whose, took_s = self.stored.slowest()
        rising = self.stored.line(whose)
        grows = ""
        if rising and rising.slope > rising.slope_half:
            grows = (f", {1e6 * rising.slope:.2g} ± {1e6 * rising.slope_half:.1g} s more for each"
                     " million")  # fmt: skip
        return (
            f"Of what dashboards and rules ask, `{whose}` takes longest: {took_s:.2g} s with"
            f" {self.stored.volumes[-1].lines} lines in the hour{grows}."
        )

    @property
    def needs(self) -> list[Need]:
        """By rate, the knee last where there is one."""
        disk = self.stored.disk
        if disk is None or not disk.lines:
            return []
        rates = [*RATES, *([self.found.knee] if self.found.knee else [])]
        cores = self.cores.values()
        return [
            Need(rate=rate, cores=sum(one.at(rate) for one in cores) if cores else None,
                 per_day_bytes=rate * disk.per_line * DAY_S,
                 kept_bytes=rate * disk.per_line * self.kept_s)
            for rate in rates
        ]  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What whoever trusts the figures must know."""
        others = [one.figures.get(OTHERS, 0.0) for one in self.found.steps]
        said = []
        if (noise := max(others, default=0.0)) > NOISY:
            said.append(f"Noisy: other programs took up to {noise:.1f} of {self.machine.cores}"
                        " cores meanwhile.")  # fmt: skip
        unsure = [amount(one.rate) for one in self.found.steps if "not sure" in one.why]
        if unsure and not self.generator_was_the_limit:
            said.append(f"Decided by what is likelier: {', '.join(unsure)} lines/s.")
        if self.unshipped > 0:
            said.append(f"{self.unshipped} lines were rotated away before they were read: beyond"
                        " the limit the files of the log do not last.")  # fmt: skip
        return said

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """The knee over the baseline's: middle, lowest and highest; None without either."""
        before, found = self.baseline, self.found
        if before is None or before.knee is None or found.knee is None or found.high is None:
            return None
        return (found.knee / before.knee, found.low / (before.knee + before.half_width),
                found.high / max(1e-9, before.knee - before.half_width))  # fmt: skip

    @property
    def shortcomings(self) -> list[str]:
        """Why this is no good end; empty when it is one."""
        found, said = self.found, []
        if self.generator_was_the_limit:
            said.append("who writes the lines was the limit, which is no result")
        elif found.steps and not found.low:
            said.append("no rate that was tried is shipped in time")
        ends = (self.ended, found.ended)
        said += [one for one in ends if any(bad in one for bad in ("died", "cannot", "store "))]
        if self.need is not None and found.low < self.need:
            said.append(
                f"{self.need:g} lines/s are needed, {amount(found.low)} were shipped in time"
            )
        if self.ratio and self.ratio[0] < 1 - self.tolerance:
            middle, low, high = self.ratio
            said.append(f"the knee is {middle:.2f} ({low:.2f} to {high:.2f}) of the baseline's;"
                        f" {1 - self.tolerance:.2f} is allowed")  # fmt: skip
        return said

    def document(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        found, disk = self.found, self.stored.disk
        return {
            "shape": SHAPE, "kind": KIND, "answer": self.sentence,
            "shortcomings": self.shortcomings, "notes": self.notes,
            "knee": found.knee, "half_width": found.half_width if found.knee else None,
            "low": found.low, "high": found.high, "ended": of_lines(self.ended or found.ended),
            "limit": asdict(found.limit) if found.steps else None,
            "line_bytes": self.text_bytes, "unshipped": self.unshipped,
            "objective": asdict(self.objective), "plan": asdict(self.plan),
            "machine": asdict(self.machine), "instance": self.instance,
            "started": self.started, "took_s": self.took_s, "need": self.need,
            "ratio": self.ratio,
            "steps": [_step(one) for one in found.steps],
            "questions": [asdict(one) for one in self.questions],
            "volumes": [{"lines": one.lines, "took_s": {k: [*v] for k, v in one.took.items()}}
                        for one in self.stored.volumes],
            "push_lines_s": self.stored.push_lines_s or None,
            "disk": _disk(disk) if disk else None,
            "needs": [asdict(one) for one in self.needs],
            "cores": {
                name: {"at_nought": one.at_nought, "per_line_s": one.slope,
                       "half_width": _known(one.slope_half)}
                for name, one in self.cores.items()
            },
        }  # fmt: skip


def _disk(disk: Disk) -> dict[str, float]:
    return {**asdict(disk), "bytes_per_line": disk.per_line}


def _step(step: Step) -> dict[str, Any]:
    return {
        "rate": step.rate, "seconds": step.seconds, "written": step.offered, "late": step.late,
        "p50_s": _known(step.latency(0.5)), "p95_s": _known(step.latency(0.95)),
        "p99_s": _known(step.latency(0.99)), "windows": len(step.windows),
        "verdict": step.verdict, "why": of_lines(step.why), "usage": dict(step.usage),
        "figures": dict(step.figures),
    }  # fmt: skip


def _known(value: float) -> float | None:
    return value if value == value else None


def of_lines(words: str) -> str:
    """What a search says of requests, said of lines."""
    plain = re.sub(r"\d\.?\d*e\+\d+", lambda found: amount(float(found[0])), words)
    return plain.replace("arrivals", "lines").replace("requests", "lines")


def amount(value: float) -> str:
    """Of lines, for people: four digits, or all of them."""
    return f"{value:.4g}" if value < 10_000 else f"{value:.0f}"


def gigabytes(value: float) -> str:
    """Bytes for people."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e3:.3g} kB"
