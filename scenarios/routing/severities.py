"""Severity chooses the channels, the team the destination within each."""

from collections.abc import Callable

from scenarios.routing.bench import Bench
from stack.config.audience import TEAMS


def of(severity: str | None) -> Callable[[Bench], None]:
    """Every team, an unknown one, and none: each is notified on its own channels, twice."""

    def prove(bench: Bench) -> None:
        teams = (*TEAMS, "unheard-of", None)
        name = f"Routed{(severity or 'Unranked').capitalize()}"
        alerts = [bench.fire(name, severity, team) for team in teams]
        for alert in alerts:
            bench.hears(alert)
        bench.quiet()
        healed = bench.heal(*alerts)
        for alert in alerts:
            bench.hears_end(alert, healed)
        bench.quiet()

    return prove
