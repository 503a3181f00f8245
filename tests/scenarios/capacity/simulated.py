"""A server of known capacity in a time of its own: servers that each take a fixed time."""

import heapq
import random
from dataclasses import dataclass, field

from scenarios.capacity.search import Died
from scenarios.capacity.window import Window


@dataclass
class Simulated:
    """`servers` requests at once, `service_s` each: `servers / service_s` are all that it can do.

    Arrivals are even. A generator that can do no more than `generator` requests a second falls
    behind. `noise` is how much service times differ, in proportion.
    """

    servers: int
    service_s: float
    generator: float = 1e9
    errors: float = 0.0
    noise: float = 0.0
    dies_at: float = 1e9
    """Rate at which it is gone."""
    resource: str = "CPU of backend"
    extra: dict[str, float] = field(default_factory=dict)
    """Endpoint → seconds that it takes beside its service, without being in anybody's way; they are
    asked in turns."""
    now: float = 0.0
    _rate: float = 0.0
    _due: float = 0.0
    _free: list[float] = field(default_factory=list)
    _answers: list[tuple[float, float]] = field(default_factory=list)
    _sent: float = 0.0
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    @property
    def capacity(self) -> float:
        return self.servers / self.service_s if self.service_s else float("inf")

    def clock(self) -> float:
        return self.now

    def settle(self, rate: float, seconds: float) -> None:
        self._rate, self._due = rate, self.now
        self._pass(seconds)

    def drain(self) -> None:
        self._rate = 0.0
        if self._answers:
            self.now = max(self.now, max(self._answers)[0])
            self._answers.clear()

    def measure(self, seconds: float) -> Window:
        begun = len(self._answers)
        offered, late, ended, busy = self._pass(seconds)
        failed = sum(self._chance.random() < self.errors for _ in ended)
        return Window(
            seconds=seconds, offered=offered, dropped=0, late=late, by_name=self._named(ended),
            failed=failed, in_flight=(begun, len(self._answers)),
            usage={self.resource: min(1.0, busy / seconds / self.servers),
                   "generator CPU": min(1.0, self._rate / self.generator)},
        )  # fmt: skip

    def _named(self, ended: list[float]) -> dict[str, list[float]]:
        names = [*self.extra] or ["GET /"]
        found: dict[str, list[float]] = {}
        for n, seconds in enumerate(ended):
            name = names[n % len(names)]
            more = self.extra.get(name, 0.0) * (1 + self._chance.uniform(-0.3, 0.3))
            found.setdefault(name, []).append(seconds + more)
        return found

    def _pass(self, seconds: float) -> tuple[int, int, list[float], float]:
        """Requests due, late ones, latencies of those that ended, and seconds of service."""
        if self._rate >= self.dies_at:
            raise Died("the scheduler died")
        until = self.now + seconds
        offered = late = 0
        busy = 0.0
        self._free = self._free or [0.0] * self.servers
        while self._rate and self._due < until:
            # A generator at its limit sends one after the other.
            sent = max(self._due, self._sent + 1 / self.generator)
            if sent >= until:
                break
            self._sent = sent
            offered += 1
            late += sent - self._due > 0.1
            took = self.service_s * (1 + self._chance.uniform(-self.noise, self.noise))
            begin = max(sent, heapq.heappop(self._free))
            heapq.heappush(self._free, begin + took)
            heapq.heappush(self._answers, (begin + took, self._due))
            busy += took
            self._due += 1 / self._rate
        ended = []
        while self._answers and self._answers[0][0] < until:
            answered, due = heapq.heappop(self._answers)
            ended.append(answered - due)
        self.now = until
        return offered, late, ended, busy
