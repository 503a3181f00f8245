"""Prometheus restarted in the middle of two alerts: one fires and was sent, one is pending."""

import time
from typing import Any

import yaml

from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.proof.timing import rule_timing
from scenarios.proof.watch import seconds_of
from scenarios.routing import second
from scenarios.routing.bench import Bench
from scenarios.routing.poster import Posted, resend_s
from scenarios.routing.second import Second
from stack import durations, loopback

FIRES, PENDS = "RoutedAcrossRestarts", "RoutedWhilePending"
FOR = {FIRES: "1m", PENDS: "4m"}


def prove(bench: Bench) -> None:
    """The pending clock survives; nothing is sent twice, nor a resolved notification too early."""
    begun, factor = time.time(), second.slow(bench.instance.speed)
    for_s = {alert: durations.seconds(text) / factor for alert, text in FOR.items()}
    # Found once more after the restart, sent, and sent again in case that was too early.
    sent_s = second.DISCOVERY_S + resend_s(factor) + BUSY_MACHINE_S
    over = begun + for_s[PENDS] + sent_s
    fires = bench.listen(FIRES, "critical", "database", at=begun)
    pends = bench.listen(PENDS, "warning", "scheduling", at=begun)
    wait_s = bench.route(fires).group_wait_s
    rules = _rules(bench, (fires, pends), factor, over)
    with second.prometheus(bench.instance, rules) as prometheus:
        pages = bench.hears(fires, after_s=for_s[FIRES], within_s=for_s[FIRES] + sent_s + wait_s)
        (since,) = _active(prometheus, PENDS)
        # Prometheus keeps the clock in whole seconds: it has to be well past those.
        _until(bench, since + 0.6 * for_s[PENDS])
        _restart(bench, prometheus)
        earliest_s = since + for_s[PENDS] - begun
        bench.hears(pends, after_s=earliest_s, within_s=earliest_s + sent_s + wait_s)
        _until(bench, over)
        bench.note("healed", f"{FIRES}, {PENDS}")
        ends = bench.hears_end(fires, over)
        bench.hears_end(pends, over)
        bench.one_key(pages + ends)
        bench.quiet()


def _restart(bench: Bench, prometheus: Second) -> None:
    """Stop and start it, and see that the clock of what is pending continues."""
    away = time.time()
    bench.note("restarted", "prometheus")
    prometheus.stop()
    prometheus.start()
    evaluation_s = rule_timing(PENDS, prometheus.configuration).evaluation_s
    # It restores the clock at its second evaluation, put off by the time that it was away
    # (rules/group.go, `RestoreForState`); a new one would start after the restart.
    bench.until(
        f"the clock of {PENDS} to continue from before the restart",
        lambda: [at < away for at in _active(prometheus, PENDS)] == [True],
        within_s=3 * evaluation_s + BUSY_MACHINE_S,
    )


def _rules(bench: Bench, alerts: tuple[Posted, ...], factor: float, over: float) -> str:
    """Rules that are true until then (Unix seconds), whatever is scraped; scaled by the factor."""
    rules = [
        {
            "alert": one.name,
            "expr": f"vector(time()) < {over:.3f}",
            "for": durations.scale_duration(FOR[one.name], factor),
            "labels": {name: text for name, text in one.labels.items() if name != "alertname"},
            "annotations": bench.poster.annotations(one),
        }
        for one in alerts
    ]
    return yaml.safe_dump({"groups": [{"name": "routing", "rules": rules}]})


def _until(bench: Bench, at: float) -> None:
    """Wait until then, Unix seconds."""
    remaining_s = max(0.0, at - bench.now())
    bench.until(f"+{at - bench.zero:.1f} s", lambda: bench.now() >= at, within_s=remaining_s + 1)


def _active(prometheus: Second, alert: str) -> list[float]:
    """Since when the alert is pending or firing, Unix seconds; empty when it is not."""
    answer = loopback.request("GET", f"{prometheus.url}/api/v1/alerts")
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["alerts"]
    return [seconds_of(one["activeAt"]) for one in found if one["labels"]["alertname"] == alert]
