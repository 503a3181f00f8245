"""How long scenarios will take, before any instance is there: for their order, and to say so."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scenarios.proof.absence import VALID_FOR
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.play import RESEND_S
from scenarios.proof.timing import route_timing, rule_timing
from stack.check.configuration import Configuration
from stack.errors import BadInput

REAL_S = 8.0
"""At any speed: logging in, the gate, being busy, and the quiet after it."""

START_S = 6.0
"""Real seconds until an instance is up."""


def length_s(found: ScenarioFile, configuration: Configuration, of_proof: float) -> float:
    """About how long the scenario takes, in real seconds; 0 when that cannot be known."""
    scenario, fault = found.scenario, found.scenario.fault
    try:
        rule = rule_timing(scenario.alert, configuration)
        route = route_timing(scenario.routed, configuration)
        real_s = float(fault.shows_within_s + fault.lingers_s + REAL_S)
    except (BadInput, AttributeError, TypeError):
        return 0.0
    written_s = (
        scenario.missed_after_s
        + (VALID_FOR * RESEND_S if scenario.always else 0)
        + rule.for_s
        + rule.keep_firing_for_s
        + rule.range_s
        + 4 * rule.evaluation_s
        + route.group_wait_s
        + route.group_interval_s
    )
    return real_s + written_s / scenario.speed(of_proof)


LATE = 1.5
"""What takes so many times longer than it should is not known any more to end soon."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What is played together on one instance: a group of scenarios, or the routing cases."""

    names: tuple[str, ...]
    about_s: float
    """How long it takes, in real seconds; 0 when that cannot be known."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A turn that has begun: how long it should take, and has taken."""

    about_s: float
    took_s: float
    over: bool


def left_s(begun: Sequence[Measured], waiting: Sequence[float], instances: int) -> float | None:
    """Real seconds until all is over, at the pace of what is over; None when nobody knows: of one
    of them nothing is known, or it should be over by now. `waiting` are the lengths of what waits,
    in order."""
    lengths = [*waiting, *(one.about_s for one in begun if not one.over)]
    if not lengths or not all(lengths):
        return None
    paces = [one.took_s / (START_S + one.about_s) for one in begun if one.over and one.about_s]
    pace = max(1.0, median(paces)) if paces else 1.0  # the lengths are floors
    expected = [(pace * (START_S + one.about_s), one.took_s) for one in begun if not one.over]
    if any(took_s > LATE * about_s for about_s, took_s in expected):
        return None
    running = [max(0.0, about_s - took_s) for about_s, took_s in expected]
    idle = [START_S] * (instances - len(running)) if waiting else []
    return total_s([pace * one for one in waiting], free=[*running, *idle]) or None


def total_s(lengths: Sequence[float], *, free: Sequence[float]) -> float:
    """Until the last group is over, when each instance takes the next one as it becomes free."""
    free = list(free) or [START_S]
    heapq.heapify(free)
    for length in lengths:
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


def counted(number: int, what: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def words(seconds: float) -> str:
    """`45 s`, `12 min` or `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


EXACT_UP_TO_S = 600
"""Of what takes longer nobody counts the seconds."""


def exact(seconds: float) -> str:
    """As `words`, but to the second below ten minutes: `1 min 45 s`. For what is no estimate."""
    whole = round(seconds)
    if not 90 <= whole < EXACT_UP_TO_S:
        return words(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
