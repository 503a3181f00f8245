"""How early the alerts warn: load grows until the objective breaks, and who fires when is noted.

The instance lives faster than written, as in a proof, so that what rules wait for in hours comes in
minutes; people are not sped up, and neither is what a request takes. Times are told as written. The
simulated host is as busy as the real one meanwhile, so that rules about a host's CPU see what one
whose host is monitored would see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenarios.capacity.limits import MACHINE
from scenarios.capacity.objective import LATENCY, Objective
from scenarios.capacity.search import Bench
from scenarios.capacity.window import Window, share

SPEED = 60.0

FROM, TO = 0.4, 1.5
"""Shares of the knee between which the load grows."""

GROWS_S = 180.0
"""Real seconds; three hours as written."""

STEP_S = 1.0

AFTERWARDS = 3.0
"""How many horizons of the objective are looked at once it is broken: who is told then."""

Firing = Callable[[], Mapping[str, str]]
"""Asks for the alerts that fire now: name → severity."""


@dataclass(frozen=True, kw_only=True)
class Fired:
    """The first time that an alert fired."""

    alert: str
    severity: str
    at_s: float
    """Real seconds since the load began to grow."""
    rate: float


@dataclass
class Lead:
    """What happened while the load grew; at any time, all that has been seen."""

    speed: float = SPEED
    fired: list[Fired] = field(default_factory=list)
    broke_s: float | None = None
    """Real seconds after which the objective was broken; None while it was not."""
    broke_rate: float = 0.0
    highest: float = 0.0
    """Arrivals a second, the most that were asked for."""
    died: str = ""

    def early_s(self, one: Fired) -> float | None:
        """Seconds, as written, from an alert until the objective broke; below 0 when it came
        later."""
        return None if self.broke_s is None else (self.broke_s - one.at_s) * self.speed

    @property
    def warned(self) -> list[Fired]:
        """Those that fired before it broke."""
        if self.broke_s is None:
            return []
        return [one for one in self.fired if one.at_s <= self.broke_s]

    @property
    def is_unannounced(self) -> bool:
        """It broke, and nobody had been told."""
        return self.broke_s is not None and not self.warned

    def rows(self) -> list[dict[str, Any]]:
        """As data, in the order in which they fired."""
        return [
            {"alert": one.alert, "severity": one.severity, "rate": round(one.rate, 1),
             "share": round(one.rate / self.broke_rate, 2) if self.broke_rate else None,
             "early_s": None if (early := self.early_s(one)) is None else round(early)}
            for one in sorted(self.fired, key=lambda one: one.at_s)
        ]  # fmt: skip


def grow(
    bench: Bench, firing: Firing, host: Callable[[float], None], objective: Objective, knee: float,
    lead: Lead, say: Callable[[str], None] = lambda words: None,
) -> None:  # fmt: skip
    """Let the load grow and fill in the `lead`; `host` is told the share of the machine's CPU that
    is in use. Raises Died."""
    bench.settle(FROM * knee, 5 * STEP_S)
    before, windows, passed = set(firing()), list[Window](), 0.0
    looked = max(objective.looks_s / lead.speed, 2 * STEP_S)
    until = GROWS_S + 60 * STEP_S
    while passed < until:
        rate = knee * min(TO, FROM + (TO - FROM) * passed / GROWS_S)
        bench.settle(rate, 0)
        windows.append(bench.measure(STEP_S))
        passed += windows[-1].seconds
        host(windows[-1].usage.get(MACHINE, 0.0))
        lead.highest = max(lead.highest, rate)
        for alert, severity in firing().items():
            if alert not in before:
                before.add(alert)
                lead.fired.append(Fired(alert=alert, severity=severity, at_s=passed, rate=rate))
                say(f"{rate:8.4g} arrivals/s {alert} fires")
        if lead.broke_s is None and is_broken(objective, _last(windows, looked)):
            lead.broke_s, lead.broke_rate = passed, rate
            say(f"{rate:8.4g} arrivals/s the objective is broken")
            until = passed + AFTERWARDS * objective.horizon_s / lead.speed
        if lead.broke_s is not None and any(one.alert == LATENCY for one in lead.fired):
            return


def is_broken(objective: Objective, windows: Sequence[Window]) -> bool:
    """Whether the middle of what was seen in these windows is beyond a limit: as a rule sees it."""
    slow = share([(one.slow(objective.latency_s), len(one.latencies)) for one in windows])
    failed = share([(one.failed + one.dropped, len(one.latencies) + one.dropped)
                    for one in windows])  # fmt: skip
    return slow.middle > 1 - objective.quantile or failed.middle > objective.errors


def _last(windows: Sequence[Window], seconds: float) -> Sequence[Window]:
    total = 0.0
    for count, one in enumerate(reversed(windows), 1):
        total += one.seconds
        if total >= seconds:
            return windows[-count:]
    return windows
