"""How long rules and routes take, read from a configuration.

For an instance that is the one it was rendered to, where the speed is already in all durations, so
that figures are real seconds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from stack import durations, speed
from stack.check.configuration import PROMQL, AlertRule, Configuration
from stack.check.yamlfile import entries, get, text
from stack.errors import BadInput
from stack.speed import logql
from stack.speed.loki import evaluation_interval

DEFAULT_INTERVAL_S = 60.0
"""Prometheus' `evaluation_interval` and `scrape_interval` when unset."""

DEFAULT_TIMEOUT_S = 10.0
"""Prometheus' `scrape_timeout` when unset."""

DEFAULT_ROUTE_S = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 4 * 3600.0}
"""Alertmanager's defaults when no route sets them."""

SHIPPING_S = 1.0
"""What a line may take from its program into the store, real seconds at any speed. Shipper and
store wait for each other's batches; the median is a fifth of that."""

FLEETING_S = 1.0
"""A `for` shorter than that rides out no scrape that a busy machine loses."""


@dataclass(frozen=True, kw_only=True)
class RuleTiming:
    """One alert rule as it is evaluated; times in seconds."""

    alert: str
    expression: str
    for_s: float
    keep_firing_for_s: float
    range_s: float
    """The longest look back of its expression."""
    evaluation_s: float
    scrape_s: float
    """Between two scrapes of what it reads, by the slowest of its jobs."""
    answer_s: float
    """How long such a scrape may take, its timeout."""
    ship_s: float = 0.0
    """How long a log line that it reads may be on its way; then there are no scrapes."""
    language: str = PROMQL

    @property
    def on_logs(self) -> bool:
        return self.language != PROMQL


@dataclass(frozen=True, kw_only=True)
class RouteTiming:
    """What Alertmanager does with an alert: the receivers and their slowest timing, in seconds."""

    receivers: tuple[str, ...]
    group_wait_s: float
    group_interval_s: float
    repeat_interval_s: float = DEFAULT_ROUTE_S["repeat_interval"]
    """The shortest of them."""


def rule_timing(alert: str, configuration: Configuration) -> RuleTiming:
    """Of the rule of `alert`, in PromQL or LogQL.

    Raises BadInput when there is none, or more than one.
    """
    found = [rule for rule in configuration.alerts if rule.name == alert]
    if len(found) != 1:
        raise BadInput(
            f"alert `{alert}`: {len(found)} rules in `{configuration.root}`, expected one.",
            cure="Give each alert one rule with a name of its own.",
        )
    [rule] = found
    return _in_logql(rule, configuration) if rule.on_logs else _in_promql(rule, configuration)


def _in_promql(rule: AlertRule, configuration: Configuration) -> RuleTiming:
    root = configuration.prometheus.root if configuration.prometheus else None
    shared = get(root, "global")
    # Only `job="…"` narrows it down; a pattern does not, so that the slowest job counts.
    named = re.findall(r'job\s*=\s*"([^"]*)"', rule.expression)
    every = entries(root, "scrape_configs")
    jobs = [job for job in every if text(get(job, "job_name")) in named] or every

    def slowest(key: str, default_s: float) -> float:
        shared_s = _seconds(get(shared, key), default_s)
        return max((_seconds(get(job, key), shared_s) for job in jobs), default=shared_s)

    paced = get(rule.group, "interval") or get(shared, "evaluation_interval")
    return RuleTiming(
        alert=rule.name,
        expression=rule.expression,
        for_s=_seconds(get(rule.node, "for")),
        keep_firing_for_s=_seconds(get(rule.node, "keep_firing_for")),
        range_s=speed.longest_range(rule.expression),
        evaluation_s=_seconds(paced, DEFAULT_INTERVAL_S),
        scrape_s=slowest("scrape_interval", DEFAULT_INTERVAL_S),
        answer_s=slowest("scrape_timeout", DEFAULT_TIMEOUT_S),
    )


def _in_logql(rule: AlertRule, configuration: Configuration) -> RuleTiming:
    every_s = evaluation_interval(configuration.loki.plain if configuration.loki else {})
    return RuleTiming(
        alert=rule.name,
        expression=rule.expression,
        language=rule.language,
        for_s=_seconds(get(rule.node, "for")),
        keep_firing_for_s=_seconds(get(rule.node, "keep_firing_for")),
        range_s=logql.longest_range(rule.expression),
        evaluation_s=_seconds(get(rule.group, "interval"), every_s),
        scrape_s=0.0,
        answer_s=0.0,
        ship_s=SHIPPING_S,
    )


def route_timing(labels: Mapping[str, str], configuration: Configuration) -> RouteTiming:
    """Of an alert with these labels (`alertname` included).

    Raises BadInput when some matcher cannot be read, or when no receiver is notified.
    """
    top = configuration.route
    for route in top.every() if top else ():
        for error in route.matchers.unreadable:
            raise error
    leaves = [one for one in (top.leaves(labels) if top else ()) if one.receiver]
    if not leaves:
        raise BadInput(f"alertmanager.yml in `{configuration.root}` has no route with a receiver.")
    seconds = {
        key: [_seconds(route.timing.get(key), default_s) for route in leaves]
        for key, default_s in DEFAULT_ROUTE_S.items()
    }
    return RouteTiming(
        receivers=tuple(dict.fromkeys(text(one.receiver) for one in leaves)),
        group_wait_s=max(seconds["group_wait"]),
        group_interval_s=max(seconds["group_interval"]),
        repeat_interval_s=min(seconds["repeat_interval"]),
    )


def fleeting(configuration: Configuration) -> frozenset[str]:
    """Alerts whose `for`, at the instance's speed, is so short that a single lost scrape makes them
    fire; as written, it takes several."""
    return frozenset(
        rule.name
        for rule in configuration.alerts
        if 0 < _seconds(get(rule.node, "for")) < FLEETING_S
    )


def _seconds(node: yaml.Node | None, default_s: float = 0.0) -> float:
    """Raises BadInput for what is not a duration."""
    return durations.seconds(text(node)) if node else default_s
