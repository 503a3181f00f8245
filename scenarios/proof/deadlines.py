"""When each link of an alert's chain must be there.

Derived from the timing of its rule and route and from what `stack.config.audience` promises to its
severity, whichever is tighter: a rule that is slower than promised must not get more time. All
figures are real seconds on the instance. Each deadline is a list of named terms, so that a
report can say why.
"""

from dataclasses import dataclass

from loadgen.faults.base import Fault
from scenarios.proof.timing import RouteTiming, RuleTiming
from stack import durations
from stack.check.promises import ROUTE_DEFAULTS_S
from stack.config.audience import PROMISES
from stack.durations import INTERVAL_FLOOR_S
from stack.speed.rules import PATIENCE

BUSY_MACHINE_S = 2.0
"""What two busy cores may add to a chain, whatever the speed: processes wait for their turn, and
a scrape, an evaluation or a delivery comes late. Added once to each deadline."""

POLL_S = 0.2
"""How often the evidence is gathered; a state is seen at most that much late."""


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Seconds after its zero, as the sum of named terms."""

    terms: tuple[tuple[str, float], ...]

    @property
    def seconds(self) -> float:
        return sum(value for _, value in self.terms)

    def plus(self, **terms: float) -> "Deadline":
        """Later by the given terms; underscores in names become spaces."""
        named = tuple((name.replace("_", " "), value) for name, value in terms.items() if value)
        return Deadline(terms=self.terms + named)

    @property
    def why(self) -> str:
        """The terms, as a sum in words."""
        return " + ".join(f"{name} {value:.3g}" for name, value in self.terms)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.why})"


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What is promised to a severity, in real seconds at an instance's speed."""

    lasts_s: float
    told_s: float
    over_s: float
    spared_s: float

    @classmethod
    def to(cls, severity: str, speed: float) -> "Promised | None":
        """None for a severity to which nothing is promised; `doit check` refuses that."""
        promise = PROMISES.get(severity)
        if not promise:
            return None
        lasts_s, told_s, over_s, spared_s = (
            durations.seconds(written) / speed
            for written in (promise.lasts, promise.told, promise.over, promise.spared)
        )
        return cls(
            # At any speed a `for` keeps its evaluations, and these and scrapes their floor.
            lasts_s=max(lasts_s, PATIENCE * INTERVAL_FLOOR_S),
            told_s=max(told_s, FLOORS * INTERVAL_FLOOR_S),
            over_s=max(over_s, (FLOORS + 1) * INTERVAL_FLOOR_S),
            spared_s=spared_s,
        )


FLOORS = 4
"""Intervals from a condition to its message that have a floor: a scrape, and two evaluations and
one more, since the first may just have missed the scrape; to the end, also `group_interval`."""


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """The chain of one scenario; the first four count from the fault, the last two from its end."""

    pending: Deadline
    firing: Deadline
    held: Deadline
    notified: Deadline
    inactive: Deadline
    resolved: Deadline
    tail_s: float
    """Quiet to be seen after the last expected notification."""
    floor_s: float
    """`for` + `group_wait`: no notification can come sooner after the fault."""
    shows_after_s: float
    """What the fault itself takes before it can be seen: real time at any speed."""
    steady_evaluations: int = 4
    """Evaluations of the rule that must be seen inactive before the fault."""
    steady: Deadline = Deadline(terms=())
    """Within which the gate must be passed, counted from the start of the traffic."""
    repeat_s: float = ROUTE_DEFAULTS_S["repeat_interval"]
    """At this pace the route repeats a notification while the alert fires."""
    drain_s: float = 0.0
    """After an alert was active, nothing may be for that long before the fault: its group
    notifies of its end at its next flush."""
    held_s: float = 0.0
    """For how long Alertmanager must have held an alert that always fires before the fault."""

    @property
    def fastest_s(self) -> float:
        """The floor, and what the fault takes before it."""
        return self.floor_s + self.shows_after_s


def derive(
    rule: RuleTiming,
    route: RouteTiming,
    fault: Fault,
    promised: Promised | None = None,
    *,
    joins: bool = False,
) -> Deadlines:
    """The deadlines of one scenario. Pure.

    With `joins` its notification group lives already, because of an earlier alert: what joins it
    is told at the group's next flush, which no promise foresees.
    """
    # The fault shows, the next scrape sees it, a window over it fills, the next evaluation reads
    # it. One more evaluation: the scrape may land just after the first.
    pending = Deadline(terms=()).plus(
        fault_shows=fault.shows_within_s,
        scrape=rule.scrape_s,
        answer=rule.answer_s,
        shipping=rule.ship_s,
        range=rule.range_s,
        two_evaluations=2 * rule.evaluation_s,
        busy_machine=BUSY_MACHINE_S,
    )
    # Prometheus fires at the first evaluation at which `for` has passed: it rounds up.
    firing = pending.plus(**{"for": rule.for_s, "evaluation": rule.evaluation_s})
    # Prometheus sends at once; only being busy can delay it, and that is in already.
    held = firing.plus(poll=POLL_S)
    notified = firing.plus(group_wait=route.group_wait_s)
    joined = Deadline(terms=()).plus(group_interval=route.group_interval_s if joins else 0.0)
    inactive = Deadline(terms=()).plus(
        fault_lingers=fault.lingers_s,
        scrape=rule.scrape_s,
        answer=rule.answer_s,
        shipping=rule.ship_s,
        range=rule.range_s,
        two_evaluations=2 * rule.evaluation_s,
        keep_firing_for=rule.keep_firing_for_s,
        busy_machine=BUSY_MACHINE_S,
    )
    # A group that has notified once does so again at its next flush, at worst an interval later.
    resolved = inactive.plus(group_interval=route.group_interval_s)
    if promised:
        seen = Deadline(terms=()).plus(
            # A job with a time-out of its own is scraped no faster than that, at any speed.
            answer=2 * rule.answer_s,
            shipping=rule.ship_s,
            range=rule.range_s,
            busy_machine=BUSY_MACHINE_S,
        )
        told = seen.plus(
            fault_shows=fault.shows_within_s,
            lasts=min(rule.for_s, promised.lasts_s),
            promised=promised.told_s,
        )
        over = seen.plus(fault_lingers=fault.lingers_s, promised=promised.over_s)
        notified = min(notified, told, key=lambda one: one.seconds)
        resolved = min(resolved, over, key=lambda one: one.seconds)
    notified = Deadline(terms=notified.terms + joined.terms)
    steady = Deadline(terms=()).plus(
        # Locust starts, its users log in, a rate needs two scrapes, and what an earlier fault left
        # in the windows and groups of the same instance has to drain.
        traffic_starts=10.0,
        range=rule.range_s,
        scrapes=4 * rule.scrape_s,
        evaluations=6 * rule.evaluation_s,
        group_interval=route.drain_s,
        busy_machine=2 * BUSY_MACHINE_S,
    )
    return Deadlines(
        pending=pending,
        firing=firing,
        held=held,
        notified=notified,
        inactive=inactive,
        resolved=resolved,
        # A stray that the same cause sets off has been scraped, evaluated and grouped by then.
        tail_s=rule.scrape_s + 4 * rule.evaluation_s + route.group_wait_s + 2 * POLL_S,
        floor_s=rule.for_s + route.group_wait_s,
        shows_after_s=fault.shows_after_s,
        steady=steady,
        # A repetition that comes sooner than promised is one too many.
        repeat_s=max(route.repeat_interval_s, promised.spared_s if promised else 0.0),
        drain_s=route.drain_s + BUSY_MACHINE_S / 2,
    )
