"""Finds the knee: the highest rate of arrivals at which the objective holds.

Pure but for what it is given: a bench that makes load and measures, and a clock. First the rate
grows by a factor until the objective is breached for long enough, then the rates between the last
that held and the first that did not are halved, in proportion, until they are close.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from scenarios.capacity import limits
from scenarios.capacity.objective import MOST, Objective, judged, window_of
from scenarios.capacity.window import Step, Verdict, Window

AGAIN = 3
"""Windows of a step that are measured again where others took the machine; then it is a noisy
one."""


class Died(Exception):
    """What was measured is gone; the words say what."""


class Bench(Protocol):
    """Makes load and measures what becomes of it."""

    def settle(self, rate: float, seconds: float) -> None:
        """Offer `rate` from now on, and let so long pass. Raises Died."""

    def measure(self, seconds: float) -> Window:
        """What the next seconds come to. Raises Died."""

    def drain(self) -> None:
        """Offer nothing until all is answered that can be. Raises Died."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to search. Rates in requests a second."""

    start: float = 10.0
    highest: float = 5000.0
    factor: float = 2.0
    """By which the rate grows until it is too high."""
    close: float = 0.04
    """How far apart the two rates around the knee may be in the end, in proportion."""
    dwell_s: float = 3.0
    """Length of a window."""
    settle_s: float = 2.0
    """After each change of the rate, not measured."""
    budget_s: float = 360.0
    """All of it."""


@dataclass
class Found:
    """What is known so far; at any time, all that has been measured."""

    steps: list[Step] = field(default_factory=list)
    repeated: int = 0
    """Windows that were measured again, because others took the machine meanwhile."""
    ended: str = ""
    """Why it ended before its time, in words; empty when it did not."""

    @property
    def low(self) -> float:
        """The highest rate at which the objective held; 0 when it held at none. What a generator
        that falls behind does not offer, no server has held."""
        return window_of([one for one in self.steps if not limits.generator(one)])[0]

    @property
    def high(self) -> float | None:
        """The lowest rate beyond it at which it did not; None when none was tried."""
        return window_of(self.steps)[1]

    @property
    def knee(self) -> float | None:
        """None unless it lies between two rates that were measured."""
        return (self.low + self.high) / 2 if self.low and self.high else None

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2 if self.low and self.high else math.inf

    @property
    def limit(self) -> limits.Limit:
        return limits.first(self.steps)


class Search:
    """One search. What `found` holds is good whenever `run` ends, also by an exception."""

    def __init__(
        self,
        bench: Bench,
        objective: Objective,
        plan: Plan,
        clock: Callable[[], float],
        say: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self.found = Found()
        self._bench, self._objective, self._plan = bench, objective, plan
        self._clock, self._say = clock, say
        self._give_up = clock() + plan.budget_s

    def run(self) -> Found:
        """Search. Ends when the knee is known well enough, time is over, the generator can do no
        more or the server has died."""
        try:
            self._ramp()
            self._halve()
        except Died as death:
            self.found.ended = f"{death}; that step is void"
        return self.found

    def _ramp(self) -> None:
        rate = self._plan.start
        while not self.found.ended:
            step = self._step(rate)
            if step.verdict is Verdict.BREACHES or self.found.ended:
                return
            if limits.generator(step):
                self.found.ended = "the load generator could do no more"
            elif rate >= self._plan.highest:
                self.found.ended = f"it held up to {rate:.4g} arrivals/s, the highest tried"
            rate = min(rate * self._plan.factor, self._plan.highest)

    def _halve(self) -> None:
        while (low := self.found.low) and (high := self.found.high) and not self.found.ended:
            if high / low <= 1 + self._plan.close:
                return
            self._step(math.sqrt(low * high))

    def _step(self, rate: float) -> Step:
        """Measure at a rate until it is decided, or has been measured often enough."""
        plan, windows = self._plan, list[Window]()
        self._bench.settle(rate, plan.settle_s)
        verdict, why, again = Verdict.OPEN, "", 0
        while verdict is Verdict.OPEN:
            window = self._bench.measure(plan.dwell_s)
            if window.is_noisy and again < AGAIN:
                again += 1
                self.found.repeated += 1
                continue
            windows.append(window)
            over = self._clock() + plan.dwell_s > self._give_up
            last = over or len(windows) == MOST
            verdict, why = judged(self._objective, windows, last=last)
            if over:
                self.found.ended = f"time was over after {plan.budget_s:.0f} s"
        step = Step(rate=rate, windows=tuple(windows), verdict=verdict, why=why)
        self.found.steps.append(step)
        self._say(step)
        if verdict is Verdict.BREACHES and not self.found.ended:
            self._bench.drain()
        return step
