"""Deadlines from the timing of a rule and a route, against figures worked out by hand."""

from dataclasses import dataclass

from scenarios.proof.deadlines import BUSY_MACHINE_S, derive
from scenarios.proof.timing import RouteTiming, RuleTiming


@dataclass(frozen=True)
class Slow:
    shows_after_s: float = 2.0
    shows_within_s: float = 3.0
    lingers_s: float = 2.5


def test_deadlines_add_up_every_step_on_the_way() -> None:
    rule = RuleTiming(alert="Slow", expression="", for_s=5, keep_firing_for_s=1, range_s=5,
                      evaluation_s=0.25, scrape_s=0.5, answer_s=0.125)  # fmt: skip
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=6)
    found = derive(rule, route, Slow())  # type: ignore[arg-type]
    assert found.pending.seconds == 3 + 0.5 + 0.125 + 5 + 0.5 + BUSY_MACHINE_S
    assert found.firing.seconds == found.pending.seconds + 5 + 0.25
    assert found.notified.seconds == found.firing.seconds + 0.5
    assert found.inactive.seconds == 2.5 + 0.5 + 0.125 + 5 + 0.5 + 1 + BUSY_MACHINE_S
    assert found.resolved.seconds == found.inactive.seconds + 6
    assert (found.floor_s, found.fastest_s) == (5.5, 7.5)
    assert "range 5 + two evaluations 0.5 + busy machine 2" in str(found.pending)


def test_deadlines_leave_room_to_see_strays() -> None:
    rule = RuleTiming(alert="Slow", expression="", for_s=0, keep_firing_for_s=0, range_s=0,
                      evaluation_s=0.25, scrape_s=0.25, answer_s=0.25)  # fmt: skip
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5)
    assert derive(rule, route, Slow()).tail_s >= 4 * 0.25 + 0.5  # type: ignore[arg-type]
