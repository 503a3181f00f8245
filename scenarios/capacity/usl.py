"""The Universal Scalability Law: how throughput grows with what shares the work, and when it stops.

X(n) = L n / (1 + S (n - 1) + K n (n - 1)): L is what one does, S (contention) what waits in a
queue, and K (coherence) what each has to settle with each other one; Neil Gunther, Guerrilla
Capacity Planning, 2007. n / X(n) is linear in 1 / L, S / L and K / L: least squares, none below 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POINTS = 3
"""The law has three unknowns."""

FARTHEST = 2.0
"""How many times the largest n that was measured may be asked for."""

NOTHING = 1e-6
"""Coherence that is rounding."""

_DRAWS = 400


@dataclass(frozen=True, kw_only=True)
class Law:
    """The law with what was found for its unknowns."""

    one: float
    """A second, of a single one."""
    contention: float
    coherence: float

    def at(self, n: float) -> float:
        """Throughput a second."""
        return self.one * n / (1 + self.contention * (n - 1) + self.coherence * n * (n - 1))

    @property
    def peak(self) -> float:
        """The n from which on more is less; infinite where none is."""
        if self.coherence < NOTHING:
            return math.inf
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherence)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The law that fits best, and where each of its unknowns lies in 95 of 100 draws."""

    law: Law
    one: tuple[float, float]
    contention: tuple[float, float]
    coherence: tuple[float, float]
    upto: float
    """The largest n that was measured."""
    error: float
    """Root mean square of what the points are off, a share."""

    def at(self, n: float) -> float:
        """Throughput a second; NaN beyond FARTHEST times what was measured, where nobody knows."""
        return self.law.at(n) if n <= FARTHEST * self.upto else math.nan

    @property
    def words(self) -> str:
        shares = ", ".join(
            f"{name} {_percent(of)} % ({_percent(low)} to {_percent(high)})"
            for name, of, (low, high) in (
                ("contention", self.law.contention, self.contention),
                ("coherence", self.law.coherence, self.coherence),
            )
        )
        if not math.isfinite(self.law.peak):
            return f"{shares}: no more at once would be less"
        if self.law.peak > FARTHEST * self.upto:
            return f"{shares}; the peak lies beyond {FARTHEST * self.upto:g}, unmeasured"
        return f"{shares}; the peak is at {self.law.peak:.3g}"


def _percent(share: float) -> str:
    of_100 = round(100 * share, 3)
    return f"{of_100:.0f}" if of_100 >= 10 else f"{of_100:.2g}"


def fit(points: Sequence[tuple[float, Sequence[float]]], seed: int = 7) -> Fit | None:
    """From n → throughputs that were measured with it; None from fewer than POINTS of n. The
    intervals are those of a bootstrap: what was measured with each n is drawn again."""
    usable = [(n, [x for x in found if x > 0]) for n, found in points]
    usable = [(n, found) for n, found in usable if found]
    if len(usable) < POINTS:
        return None
    counts = np.array([n for n, _ in usable], dtype=float)
    means = np.array([np.mean(found) for _, found in usable])
    law = _solved(counts, means)
    chance = np.random.default_rng(seed)
    drawn = [
        _solved(
            counts, np.array([np.mean(chance.choice(found, len(found))) for _, found in usable])
        )
        for _ in range(_DRAWS)
    ]

    def interval(of: str) -> tuple[float, float]:
        low, high = np.quantile([getattr(one, of) for one in drawn], (0.025, 0.975))
        return float(low), float(high)

    off = np.array([law.at(n) for n in counts]) / means - 1
    return Fit(
        law=law, one=interval("one"), contention=interval("contention"),
        coherence=interval("coherence"), upto=float(counts.max()),
        error=float(np.sqrt(np.mean(off**2))),
    )  # fmt: skip


def _solved(n: "np.ndarray[tuple[int], np.dtype[np.float64]]",
            x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Law:  # fmt: skip
    """Relative errors count, else the slowest points would decide alone."""
    y = n / x
    columns = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1) / y[:, None]
    best: tuple[float, Law] | None = None
    for used in ((0, 1, 2), (0, 1), (0, 2), (0,)):
        solved, *_ = np.linalg.lstsq(columns[:, used], np.ones_like(y), rcond=None)
        a, b, c = (float(solved[used.index(at)]) if at in used else 0.0 for at in range(3))
        if a <= 0 or b < 0 or c < 0:
            continue
        left = float(np.sum((columns @ np.array([a, b, c]) - 1) ** 2))
        if best is None or left < best[0] - 1e-12:
            best = left, Law(one=1 / a, contention=b / a, coherence=c / a)
    assert best, "the mean alone is always a solution"
    return best[1]
