"""Deadlines of an alert that always fires, whose silence a heartbeat's receiver must report."""

from loadgen.faults.base import Fault
from scenarios.proof.deadlines import BUSY_MACHINE_S, Deadline, Deadlines
from scenarios.proof.timing import RouteTiming, RuleTiming

VALID_FOR = 4
"""Prometheus says that an alert ends this many resend delays, or evaluations if those are longer,
after each time that it sends it; Alertmanager repeats it until then (`sendAlerts` in
cmd/prometheus/main.go)."""

NOTHING = Deadline(terms=())


def derive_absence(
    rule: RuleTiming, route: RouteTiming, fault: Fault, *, missed_after_s: float, resend_s: float
) -> Deadlines:
    """Of one scenario whose fault silences the alert; seconds at the instance's speed. Pure."""
    notified = NOTHING.plus(
        fault_shows=fault.shows_within_s,
        alert_still_valid=VALID_FOR * max(resend_s, rule.evaluation_s),
        a_last_repeat=max(route.group_interval_s, route.repeat_interval_s),
        missed_after=missed_after_s,
        busy_machine=BUSY_MACHINE_S,
    )
    inactive = NOTHING.plus(
        fault_lingers=fault.lingers_s,
        two_evaluations=2 * rule.evaluation_s,
        busy_machine=2 * BUSY_MACHINE_S,
    )
    return Deadlines(
        pending=NOTHING,
        firing=NOTHING,
        held=NOTHING,
        notified=notified,
        inactive=inactive,
        resolved=inactive.plus(
            group_wait=route.group_wait_s,
            group_interval=max(route.group_interval_s, route.repeat_interval_s),
        ),
        tail_s=4 * rule.evaluation_s + route.group_wait_s,
        floor_s=missed_after_s,
        shows_after_s=fault.shows_after_s,
        repeat_s=route.repeat_interval_s,
        drain_s=route.drain_s + BUSY_MACHINE_S / 2,
        held_s=route.group_wait_s + 4 * rule.evaluation_s,
        steady=NOTHING.plus(
            traffic_starts=10.0,
            scrapes=4 * rule.scrape_s,
            evaluations=6 * rule.evaluation_s,
            group_wait=route.group_wait_s,
            group_interval=route.drain_s,
            busy_machine=3 * BUSY_MACHINE_S,
        ),
    )
