"""Deadlines from the timing of a rule and a route, against figures worked out by hand."""

from dataclasses import dataclass, replace

from scenarios.proof.deadlines import BUSY_MACHINE_S, Promised, derive
from scenarios.proof.timing import RouteTiming, RuleTiming


@dataclass(frozen=True)
class Slow:
    shows_after_s: float = 2.0
    shows_within_s: float = 3.0
    lingers_s: float = 2.5


def test_deadlines_add_up_every_step_on_the_way() -> None:
    rule = RuleTiming(alert="Slow", expression="", for_s=5, keep_firing_for_s=1, range_s=5,
                      evaluation_s=0.25, scrape_s=0.5, answer_s=0.125)  # fmt: skip
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=6, drain_s=6)
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
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5, drain_s=5)
    assert derive(rule, route, Slow()).tail_s >= 4 * 0.25 + 0.5  # type: ignore[arg-type]


RULE = RuleTiming(alert="Slow", expression="", for_s=1, keep_firing_for_s=0, range_s=0,
                  evaluation_s=0.25, scrape_s=0.25, answer_s=0.25)  # fmt: skip
ROUTE = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5, drain_s=5)


def test_deadlines_are_no_later_for_what_is_slower_than_promised() -> None:
    promised = Promised.to("critical", 60)
    sound = derive(RULE, ROUTE, Slow(), promised)  # type: ignore[arg-type]
    assert sound == derive(RULE, ROUTE, Slow())  # type: ignore[arg-type]
    for rule, route in (
        (RULE, replace(ROUTE, group_wait_s=10)),
        (replace(RULE, evaluation_s=5), ROUTE),
        (replace(RULE, scrape_s=5), ROUTE),
        (replace(RULE, for_s=60), ROUTE),
    ):
        slow = derive(rule, route, Slow(), promised)  # type: ignore[arg-type]
        # Two minutes at speed 60, and the longest `for`.
        assert slow.notified.seconds <= 3 + 0.5 + 6 + 2 + BUSY_MACHINE_S
        assert slow.notified.seconds < derive(rule, route, Slow()).notified.seconds  # type: ignore[arg-type]
    late = derive(RULE, replace(ROUTE, group_interval_s=30), Slow(), promised)  # type: ignore[arg-type]
    assert late.resolved.seconds == 2.5 + 0.5 + 12 + BUSY_MACHINE_S


def test_repetition_that_comes_too_soon_is_not_explained_by_the_route() -> None:
    often = derive(RULE, replace(ROUTE, repeat_interval_s=1), Slow(),  # type: ignore[arg-type]
                   Promised.to("critical", 60))  # fmt: skip
    assert often.repeat_s == 60


def test_what_joins_a_living_group_may_wait_for_its_next_flush() -> None:
    for promised in (None, Promised.to("critical", 60)):
        alone, joined = (
            derive(RULE, ROUTE, Slow(), promised, joins=joins)  # type: ignore[arg-type]
            for joins in (False, True)
        )
        assert joined.notified.seconds == alone.notified.seconds + ROUTE.group_interval_s
        assert "group interval 5" in joined.notified.why
        assert replace(joined, notified=alone.notified) == alone
