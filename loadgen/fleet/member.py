"""One synthetic scheduler: what it has counted, and the text that it answers."""

from random import Random

from loadgen.fleet.shape import Shape

_MOST_EVENTS = 20_000
"""Between two scrapes. Of one that nobody scraped for long, more is left out."""

_WANDER = 0.1
"""How far gauges go from their value, as a share of it."""


class Member:
    """Its values take memory by its series alone, however long it lives."""

    def __init__(self, name: str, shape: Shape, *, rate: float, started: float, seed: int) -> None:
        """`rate` is events a second; `started` in Unix seconds."""
        self.name = name
        self.generation = 0
        self._shape, self._rate = shape, rate
        self._random = Random(seed)
        self._until = started
        self._values = [*shape.first]
        for number in shape.started:
            self._values[number] = started

    def text(self, now: float, generation: int = 0) -> str:
        """What it answers at `now`, in Unix seconds, once so many of its label values were
        replaced."""
        self._live(now)
        while self.generation < generation:
            self.generation += 1
            for number in self._shape.replaced(self.generation):
                self._values[number] = self._shape.first[number]
        return self._shape.template(self.generation) % tuple(self._values)

    def _live(self, now: float) -> None:
        """Let happen what happens until then, each event at a random moment of its own."""
        shape, values, random = self._shape, self._values, self._random
        at, left, wait = self._until, _MOST_EVENTS, random.expovariate
        count = 0
        while left and (at := at + wait(self._rate)) < now:
            left, count = left - 1, count + 1
        self._until = now
        for event in random.choices(shape.events, cum_weights=shape.cumulative, k=count):
            for number in event.counted:
                values[number] += 1
            if event.summed is not None:
                values[event.summed] += random.uniform(*event.between)
        for number, each in shape.drifting.items():
            values[number] += each * count
        for number, middle in shape.wandering.items():
            value = middle * random.uniform(1 - _WANDER, 1 + _WANDER)
            values[number] = round(value) if middle == int(middle) else value
