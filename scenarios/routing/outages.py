"""Nothing is lost or sent twice when the inbox or Alertmanager is away for a while, or slow."""

import re
import time
from collections import Counter

from loadgen.faults.base import update_control
from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.routing.bench import Bench
from stack import loopback
from stack.config.audience import CHANNELS

_FAILED = re.compile(
    r'^alertmanager_notification_requests_failed_total\{.*?integration="(\w+)".*?\} (\S+)$', re.M
)
_WAITED = re.compile(
    r'^alertmanager_notification_latency_seconds_sum\{.*?integration="slack".*?\} (\S+)$', re.M
)
TRIES = 2
"""How often each channel must be refused before the inbox comes back."""

SLOW_S = 2.0
"""Real seconds that Slack takes to answer. Alertmanager gives a notification at least ten."""


def inbox_down(bench: Bench) -> None:
    """Notifications that find no inbox arrive when it is back, each once, on every channel."""
    before = _failed(bench)
    bench.note("stopped", "inbox")
    bench.instance.stop_service("inbox")
    alert = bench.fire("RoutedIntoTheVoid", "critical", "infrastructure")
    wait_s = bench.route(alert).group_wait_s
    bench.until(
        f"each channel to be refused {TRIES} times",
        lambda: all(_failed(bench)[one] - before[one] >= TRIES for one in CHANNELS["critical"]),
        within_s=wait_s + 2 * BUSY_MACHINE_S,
    )
    bench.instance.start_service("inbox")
    away_s = time.time() - alert.at
    bench.note("started", f"inbox, after {away_s:.1f} s")
    # Each pause of Alertmanager is at most half as long as all the time it has tried before; when
    # it has given up, the next flush tries again.
    interval_s = bench.route(alert).group_interval_s
    bench.hears(alert, within_s=away_s + max(2 * away_s, interval_s))
    bench.quiet()
    healed = bench.heal(alert)
    bench.hears_end(alert, healed)
    bench.quiet()


def alertmanager_restart(bench: Bench) -> None:
    """A restarted Alertmanager does not send a known alert again, only its end."""
    alert = bench.fire("RoutedAcrossARestart", "critical", "database")
    first = bench.hears(alert)
    bench.note("restarted", "alertmanager")
    bench.instance.restart_service("alertmanager")
    # Prometheus sends it all that fires again.
    bench.until(
        "Alertmanager to hold it again",
        lambda: bench.state(alert) == "active",
        within_s=bench.poster.resend_s + BUSY_MACHINE_S,
    )
    bench.quiet()
    healed = bench.heal(alert)
    bench.one_key(first + bench.hears_end(alert, healed))
    bench.quiet()


def slow_channel(bench: Bench) -> None:
    """Nobody waits for a Slack that takes its time to answer, and nothing is sent twice."""
    control, before_s = bench.instance.control_file("inbox"), _waited_s(bench)
    bench.note("slowed", f"Slack answers after {SLOW_S:g} s")
    update_control(control, put={"slack": {"delay": SLOW_S}})
    try:
        alert = bench.fire("RoutedThroughMud", "critical", "infrastructure")
        bench.hears(alert)
        bench.until(
            "Alertmanager to have waited for Slack",
            lambda: _waited_s(bench) - before_s >= SLOW_S,
            within_s=SLOW_S + 2 * BUSY_MACHINE_S,
        )
        bench.quiet()
        healed = bench.heal(alert)
        bench.hears_end(alert, healed)
        bench.quiet(for_s=SLOW_S)
    finally:
        update_control(control, drop={"slack"})


def _waited_s(bench: Bench) -> float:
    """How long Alertmanager has waited for Slack's answers since it started."""
    text = loopback.request("GET", f"{bench.poster.url}/metrics").text
    return sum(float(value) for value in _WAITED.findall(text))


def _failed(bench: Bench) -> Counter[str]:
    """Channel → notifications of it that failed since Alertmanager started."""
    text = loopback.request("GET", f"{bench.poster.url}/metrics").text
    found: Counter[str] = Counter()
    for channel, value in _FAILED.findall(text):
        found[channel] += int(float(value))
    return found
