"""How long scenarios will take, before any instance is there: for their order, and to say so."""

import heapq
from collections.abc import Sequence

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


def total_s(lengths: Sequence[float], instances: int) -> float:
    """Until the last group is over, when each instance takes the next one as it becomes free."""
    free = [START_S] * max(1, instances)
    heapq.heapify(free)
    for length in lengths:
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


def words(seconds: float) -> str:
    """`45 s`, `12 min` or `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
