"""An alert that keeps firing is sent again."""

from scenarios.routing.bench import Bench


def prove(bench: Bench) -> None:
    """After `repeat_interval`, at the next flush, everybody is notified once more; then of its end.

    Its bench has an Alertmanager of its own, whose hours are seconds (`second`).
    """
    alert = bench.fire("RoutedAgain", "critical", "compliance")
    first = bench.hears(alert)
    route = bench.route(alert)
    again = bench.hears(
        alert,
        since=min(one.at for one in first),
        after_s=route.repeat_interval_s,
        within_s=route.repeat_interval_s + 2 * route.group_interval_s,
    )
    bench.one_key(first + again)
    healed = bench.heal(alert)
    bench.one_key(first + bench.hears_end(alert, healed))
    bench.quiet()
