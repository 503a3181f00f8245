"""What came of it, in words and as data."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scenarios.capacity.answer import Machine
from scenarios.capacity.metrics.model import Line, line
from scenarios.capacity.metrics.receiver import ALIKE, Compared
from scenarios.capacity.metrics.sizes import Size
from scenarios.capacity.window import NOISY

SHAPE = 1
"""Of the JSON; another one where an older reader would misread it."""

WITHIN = 0.15
"""By so much a prediction from the small sizes may miss what is then measured at the large one."""

_MB, _GB = 1e6, 1e9
_DAY_S = 86_400.0
_BLOCK_S = 7200.0
"""A block is two hours long, until several become one."""

STANDS_S = 15.0
"""The interval at which the stack itself scrapes."""

KEEPS_UP = 0.95
"""Share of the samples that were due: whoever takes fewer has reached the wall."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was to be measured."""

    size: int
    steps: int
    reach: int
    interval_s: float
    rate: float
    churn_instances: float
    churn_labels: float
    seed: int
    settle_s: float
    window_s: float
    windows: int
    repeats: int
    remote_write: bool


@dataclass(kw_only=True)
class Found:
    """What there is, also of a run that was ended."""

    series_each: int = 0
    """Of one synthetic scheduler."""
    sizes: list[Size] = field(default_factory=list)
    """From which the lines are drawn, in the order in which they were measured."""
    reached: Size | None = None
    """The large one, that was predicted before."""
    wall: Size | None = None
    """Scraped so often that it cannot keep up."""
    wall_interval_s: float = 0.0
    cost: tuple[Size, Size] | None = None
    """Without remote write and with it, at the same time."""
    compared: Compared | None = None
    available_bytes: float = 0.0
    """Memory that nobody used before it began."""
    ended: str = ""
    """Why it ended early; empty when it did not."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the line says of the large size, and what was measured there."""

    name: str
    unit: str
    predicted: float
    half: float
    """NaN where nobody knows."""
    measured: float

    @property
    def ratio(self) -> float:
        return self.measured / self.predicted if self.predicted else math.nan

    @property
    def words(self) -> str:
        """Of memory."""
        half = f" ± {self.half / _GB:.2f}" if math.isfinite(self.half) else ""
        return (f"{self.predicted / _GB:.2f}{half} GB were predicted and {self.measured / _GB:.2f}"
                f" measured, {self.ratio:.2f} x")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What so many schedulers need."""

    targets: int
    interval_s: float
    series: float
    samples_per_s: float
    cores: float
    memory_bytes: float
    disk_bytes_a_day: float
    beyond: bool
    """More than ten times what was measured: not much more than a guess."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A run that is over, or was ended."""

    asked: Asked
    found: Found
    machine: Machine
    versions: str
    instance: str
    """Name and hash of the instance whose program and rules were measured."""
    started: float
    """Unix seconds."""
    took_s: float

    def line(self, x: str, y: str) -> Line | None:
        """One figure over another, through the sizes (not the one that was predicted)."""
        return line([(_of(one, x), _of(one, y)) for one in self.found.sizes if one.windows])

    @property
    def memory(self) -> Line | None:
        """Bytes over series."""
        return self.line("series", "memory_bytes")

    @property
    def peak(self) -> Line | None:
        return self.line("series", "peak_bytes")

    @property
    def cores(self) -> Line | None:
        """Cores over samples a second."""
        return self.line("samples_per_s", "cores")

    @property
    def rules(self) -> Line | None:
        """Seconds for all rules once, over series."""
        return self.line("series", "rules_s")

    @property
    def restart(self) -> Line | None:
        """Seconds over bytes of WAL."""
        stored = [one.storage for one in self.found.sizes if one.storage]
        return line([(one.wal_bytes, one.restart_s) for one in stored])

    @property
    def predictions(self) -> list[Prediction]:
        """Empty without a large size, or without a line."""
        large = self.found.reached
        if large is None or not large.windows:
            return []
        found = []
        for name, unit, drawn, x, y in (
            ("memory", "bytes", self.memory, "series", "memory_bytes"),
            ("most memory", "bytes", self.peak, "series", "peak_bytes"),
            ("CPU", "cores", self.cores, "samples_per_s", "cores"),
            ("all rules once", "s", self.rules, "series", "rules_s"),
        ):
            if drawn:
                at = _of(large, x)
                found.append(Prediction(name=name, unit=unit, predicted=drawn.at(at),
                                        half=drawn.half(at), measured=_of(large, y)))  # fmt: skip
        if self.restart and large.storage:
            at = large.storage.wal_bytes
            found.append(Prediction(
                name="restart", unit="s", predicted=self.restart.at(at),
                half=self.restart.half(at), measured=large.storage.restart_s,
            ))  # fmt: skip
        return found

    @property
    def memory_wall(self) -> float:
        """Series at which its peaks take all memory that nobody else uses; infinite where nobody
        knows."""
        return self.peak.reaches(self.found.available_bytes) if self.peak else math.inf

    @property
    def cpu_wall(self) -> float:
        """Samples a second at which it takes all cores; infinite where nobody knows."""
        return self.cores.reaches(self.machine.cores) if self.cores else math.inf

    @property
    def bytes_per_sample(self) -> float:
        """On the disk for good, in a block of two hours at this interval; NaN where nobody knows.

        Of the largest size: what is fixed counts least there."""
        stored = [one for one in self._all if one.storage]
        if not stored:
            return math.nan
        of = max(stored, key=lambda one: one.targets).storage
        return of.bytes_per_sample(_BLOCK_S / self.asked.interval_s) if of else math.nan

    @property
    def sizing(self) -> list[Sizing]:
        memory, cores = self.memory, self.cores
        if not memory or not cores or not self.found.series_each:
            return []
        largest = max(one.targets for one in self._all)
        rows = []
        for targets in (1, 10, 100, 1000, 10_000):
            for interval_s in dict.fromkeys((STANDS_S, self.asked.interval_s)):
                series = float(targets * self.found.series_each)
                samples = series / interval_s
                rows.append(Sizing(
                    targets=targets, interval_s=interval_s, series=series, samples_per_s=samples,
                    cores=max(0.0, cores.at(samples)), memory_bytes=max(0.0, memory.at(series)),
                    disk_bytes_a_day=samples * _DAY_S * self.bytes_per_sample,
                    beyond=targets > 10 * largest,
                ))  # fmt: skip
        return rows

    @property
    def _all(self) -> Sequence[Size]:
        return [*self.found.sizes, *([self.found.reached] if self.found.reached else [])]

    @property
    def sentence(self) -> str:
        """The answer, as one paragraph."""
        said = [*self._of_sizes(), *self._of_remote_write()]
        if not said:
            return f"No result: {self.found.ended or 'it ended before anything was measured'}."
        if self.found.ended:
            said.append(f"It ended early: {self.found.ended}.")
        return " ".join(said)

    def _of_sizes(self) -> list[str]:
        memory, cores = self.memory, self.cores
        if not memory or not cores:
            if not self._all:
                return []
            one = self._all[-1]
            return [f"Of {one.targets} schedulers ({one.series:,.0f} series) one Prometheus takes"
                    f" {one.mean('samples_per_s'):,.0f} samples/s with {one.mean('cores'):.2f}"
                    f" cores and {one.memory_bytes / _MB:,.0f} MB; what more take is not known from"
                    " one size."]  # fmt: skip
        said = [
            f"One Prometheus takes {_about(memory.slope / 1000, memory.slope_half / 1000)} KB of"
            f" memory for each series and {_about(cores.slope * 1e6, cores.slope_half * 1e6)} µs of"
            f" CPU for each sample; with {self.machine.cores} cores and"
            f" {self.found.available_bytes / _GB:.0f} GB it carries {_round(self.memory_wall)}"
            f" series by its memory and {_round(self.cpu_wall)} samples/s by its CPU:"
            f" {self._wall_in_words()}."
        ]
        if not math.isnan(self.bytes_per_sample):
            said.append(f"A sample takes {self.bytes_per_sample:.2f} bytes on the disk.")
        if (large := self.found.reached) and self.predictions:
            said.append(f"For {large.targets} schedulers {self.predictions[0].words}.")
        if (wall := self.found.wall) and wall.windows:
            due = wall.targets * self.found.series_each / self.found.wall_interval_s
            took = wall.mean("samples_per_s")
            said.append(
                f"Asked for {due:,.0f} samples/s it took {took:,.0f}"
                + (" and kept up: the wall lies beyond." if took >= KEEPS_UP * due and
                   not wall.mean("missed") else ": the wall was reached.")
            )  # fmt: skip
        return said

    def _wall_in_words(self) -> str:
        each = self.found.series_each
        by_memory = self.memory_wall / each if each else math.inf
        by_cpu = self.cpu_wall * self.asked.interval_s / each if each else math.inf
        if math.isinf(min(by_memory, by_cpu)):
            return "no wall is in sight"
        what = "memory" if by_memory < by_cpu else "CPU"
        return (f"at an interval of {self.asked.interval_s:g} s {what} is the wall, at"
                f" {_round(min(by_memory, by_cpu))} schedulers")  # fmt: skip

    def _of_remote_write(self) -> list[str]:
        said = []
        if self.found.cost:
            without, with_ = self.found.cost
            said.append(
                f"Remote write costs it {with_.mean('cores') / without.mean('cores'):.2f} x the CPU"
                f" and {with_.memory_bytes / without.memory_bytes:.2f} x the memory."
            )
        if compared := self.found.compared:
            kept = compared.kept
            lost = f"{kept.lost:,} of {kept.samples:,} samples are missing" if kept.lost else (
                f"none of {kept.samples:,} samples is missing")  # fmt: skip
            back = (
                f", {kept.caught_up_s:.0f} s after it was back"
                if kept.caught_up_s is not None
                else ""
            )
            said.append(
                f"{kept.trouble[:1].upper()}{kept.trouble[1:]}."
                if kept.trouble
                else f"After {kept.away_s:.0f} s without its receiver {lost}{back}."
            )
            if compared.answers:
                same = sum(one.alike == one.moments for one in compared.answers)
                said.append(f"{same} of {len(compared.answers)} rules give the same alerts there.")
        return said

    @property
    def notes(self) -> list[str]:
        """What whoever trusts the figures must know."""
        said = [*self.found.notes]
        noise = max((one.noise for one in self._all if one.windows), default=0.0)
        if noise > NOISY:
            said.append(f"Noisy: other programs took up to {noise:.1f} of {self.machine.cores}"
                        " cores meanwhile.")  # fmt: skip
        missed = [one.targets for one in self._all if one.windows and one.mean("missed") > 0]
        if missed:
            said.append("Scrapes failed or evaluations were left out with"
                        f" {', '.join(map(str, dict.fromkeys(missed)))} schedulers.")  # fmt: skip
        for one in self.predictions[:1]:
            if abs(one.ratio - 1) > WITHIN:
                said.append(f"Memory was {one.ratio:.2f} x what was predicted, more than"
                            f" {100 * WITHIN:.0f} % off.")  # fmt: skip
        if compared := self.found.compared:
            apart = [one.alert for one in compared.answers if one.measured_alike < one.moments]
            if apart:
                said.append(
                    f"What these rules measure differs by more than {100 * ALIKE:.0f} % at some"
                    f" moment, or in its series: {', '.join(apart)}. VictoriaMetrics counts the"
                    " sample before a range and does not extrapolate."
                )
        return said

    @property
    def shortcomings(self) -> list[str]:
        """Why this is no good end; empty when it is one."""
        said = [self.found.ended] if self.found.ended else []
        if compared := self.found.compared:
            kept = compared.kept
            if kept.trouble:
                said.append(kept.trouble)
            elif kept.lost:
                said.append(f"{kept.lost} samples are missing at the receiver")
            if kept.dropped:
                said.append(f"Prometheus gave up {kept.dropped:.0f} samples")
            other = [one.alert for one in compared.answers if one.alike < one.moments]
            if other:
                said.append(f"other alerts there: {', '.join(other)}")
        return said

    def document(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        found = self.found
        document: dict[str, Any] = _known({
            "shape": SHAPE,
            "answer": self.sentence,
            "shortcomings": self.shortcomings,
            "notes": self.notes,
            "asked": asdict(self.asked),
            "machine": asdict(self.machine),
            "versions": self.versions,
            "instance": self.instance,
            "started": self.started,
            "took_s": round(self.took_s, 1),
            "series_each": found.series_each,
            "available_bytes": found.available_bytes,
            "lines": {name: asdict(of) if of else None for name, of in (
                ("memory", self.memory), ("peak", self.peak), ("cores", self.cores),
                ("rules", self.rules), ("restart", self.restart))},
            "memory_wall_series": self.memory_wall,
            "cpu_wall_samples_per_s": self.cpu_wall,
            "bytes_per_sample": self.bytes_per_sample,
            "predictions": [{**asdict(one), "ratio": one.ratio} for one in self.predictions],
            "sizing": [asdict(one) for one in self.sizing],
            "sizes": [asdict(one) for one in found.sizes],
            "reached": asdict(found.reached) if found.reached else None,
            "wall": asdict(found.wall) if found.wall else None,
            "wall_interval_s": found.wall_interval_s or None,
            "remote_write": {
                "without": asdict(found.cost[0]) if found.cost else None,
                "with": asdict(found.cost[1]) if found.cost else None,
                "kept": asdict(found.compared.kept) if found.compared else None,
                "answers": [asdict(one) for one in found.compared.answers]
                if found.compared else None,
            } if self.asked.remote_write else None,
        })  # fmt: skip
        return document


def _of(size: Size, name: str) -> float:
    own: dict[str, Callable[[Size], float]] = {
        "series": lambda one: one.series,
        "memory_bytes": lambda one: one.memory_bytes,
        "peak_bytes": lambda one: one.peak_bytes,
    }
    return own[name](size) if name in own else size.mean(name)


def _about(value: float, half: float) -> str:
    return f"{value:.3g} ± {half:.2g}" if math.isfinite(half) else f"{value:.3g}"


def _round(value: float) -> str:
    """Two figures: nobody knows more of what is extrapolated."""
    if not math.isfinite(value):
        return "any number of"
    digits = max(0, len(str(int(value))) - 2)
    return f"{round(value, -digits):,.0f}"


def _known(node: Any) -> Any:
    """NaN and infinity, which JSON lacks, are null."""
    if isinstance(node, dict):
        return {key: _known(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_known(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node
