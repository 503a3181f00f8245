"""A silence keeps its alert quiet until it expires."""

import time
from datetime import UTC, datetime

from scenarios.routing.bench import Bench
from stack import loopback


def prove(bench: Bench) -> None:
    """A silenced alert is sent when the silence is over, its neighbour at once."""
    neighbour = bench.fire("RoutedBesides", "warning", "scheduling")
    interval_s = bench.route(neighbour).group_interval_s
    over = time.time() + interval_s / 2
    _silence(bench, "RoutedInSilence", over)
    silenced = bench.fire("RoutedInSilence", "warning", "scheduling")
    bench.holds(silenced, "suppressed")
    bench.hears(neighbour)
    bench.quiet()
    bench.hears(silenced, since=over, after_s=0, within_s=interval_s)
    healed = bench.heal(silenced, neighbour)
    bench.hears_end(silenced, healed)
    bench.hears_end(neighbour, healed)
    bench.quiet()


def _silence(bench: Bench, alert: str, until: float) -> None:
    """As somebody on call would, until then (Unix seconds)."""
    bench.note("silenced", f"{alert} until +{until - bench.zero:.1f} s")
    silence = {
        "matchers": [{"name": "alertname", "value": alert, "isRegex": False, "isEqual": True}],
        "startsAt": datetime.fromtimestamp(time.time(), UTC).isoformat(),
        "endsAt": datetime.fromtimestamp(until, UTC).isoformat(),
        "createdBy": bench.name,
        "comment": "proves that silences hold and end",
    }
    url = f"{bench.poster.url}/api/v2/silences"
    loopback.request("POST", url, json=silence).raise_for_status()
