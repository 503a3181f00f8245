"""An alert that keeps firing is sent again, and not too soon."""

from scenarios.proof.deadlines import Promised
from scenarios.routing import second
from scenarios.routing.bench import Bench, Broken


def prove(bench: Bench) -> None:
    """After `repeat_interval`, at the next flush, everybody is notified once more; then of its end.
    Nobody is reminded sooner than is promised, whatever is configured.

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
    promised = Promised.to("critical", second.fast(bench.instance.speed))
    gap_s = min(one.at for one in again) - max(one.at for one in first)
    if promised and gap_s < promised.spared_s:
        raise Broken(f"sent again after {gap_s:.2f} s, promised is at most every"
                     f" {promised.spared_s:.2f} s")  # fmt: skip
    healed = bench.heal(alert)
    bench.one_key(first + bench.hears_end(alert, healed))
    bench.quiet()
