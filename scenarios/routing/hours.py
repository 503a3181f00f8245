"""Time intervals: in each of them, and outside of it, those are told who do not rest."""

from datetime import datetime

import yaml

from scenarios.proof.scenario import Want
from scenarios.routing.bench import Bench
from scenarios.routing.poster import Posted
from stack import loopback, yamltext
from stack.config.audience import CHANNELS, HOME, TEAMS
from stack.speed import hours

_FILE = "alertmanager/alertmanager.yml"


def prove(bench: Bench) -> None:
    """At moments that show each interval inside and outside: an alert of every severity and team is
    told to who does not rest then. At the next moment those who rest no more are told of it as
    well, nobody a second time; and of its end those who do not rest then.

    Its bench has an Alertmanager of its own (`second`), at moments of the proof's choosing: its
    intervals are rendered as always or never, and it reads them anew.
    """
    known = hours.read(yamltext.load(bench.instance.layout.config_root / _FILE))
    states = hours.states(known, hours.MOMENT)
    for count, (moment, on) in enumerate(states):
        _live(bench, moment, on)
        alerts = [
            bench.fire(f"Routed{severity.capitalize()}AtMoment{count}", severity, team)
            for severity in CHANNELS
            if severity != "none"
            for team in (HOME, *sorted({*TEAMS} - {HOME}), None)
        ]
        told = {id(alert): _told(bench, alert) for alert in alerts}
        bench.quiet()
        _live(bench, *states[(count + 1) % len(states)])
        since = bench.now()
        for alert in alerts:
            waits_s = bench.route(alert).group_interval_s
            bench.hears(alert, since=since, after_s=0, within_s=waits_s, but=told[id(alert)])
        bench.quiet()
        healed = bench.heal(*alerts)
        for alert in alerts:
            bench.hears_end(alert, healed)
        bench.quiet()
        # Whoever rested when it ended may hear of that when Alertmanager reads its file again, and
        # otherwise never (prometheus/alertmanager issue 226).
        bench.leave(*alerts)


def _told(bench: Bench, alert: Posted) -> list[Want]:
    bench.hears(alert)
    return bench.wants(alert)


def _live(bench: Bench, moment: datetime, on: frozenset[str]) -> None:
    """Have its Alertmanager live at a moment, which lies in these intervals."""
    named = ", ".join(f"`{name}`" for name in sorted(on)) or "none of the intervals"
    bench.note("moment chosen", f"{moment:%A %Y-%m-%d %H:%M} UTC, in {named}")
    file = bench.configuration.root / _FILE
    pinned = hours.pin(yamltext.load(file), on)
    file.write_text(yaml.safe_dump(pinned, sort_keys=False))
    bench.now_in = on
    loopback.request("POST", f"{bench.poster.url}/-/reload").raise_for_status()
