"""How long rules and routes take, read from a configuration.

For an instance that is the one it was rendered to, where the speed is already in all durations, so
that figures are real seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from stack import durations, speed
from stack.check import pace
from stack.check.configuration import PROMQL, AlertRule, Configuration
from stack.check.promises import ROUTE_DEFAULTS_S
from stack.check.routes import EVERY_LABEL
from stack.check.yamlfile import get, text
from stack.errors import BadInput
from stack.speed import logql

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
    drain_s: float
    """The longest `group_interval` of all routes: for so long an alert of another route, which an
    earlier fault set off, may yet be told as over."""
    repeat_interval_s: float = ROUTE_DEFAULTS_S["repeat_interval"]
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
    jobs = pace.jobs_of(rule.expression, configuration)
    return RuleTiming(
        alert=rule.name,
        expression=rule.expression,
        for_s=_seconds(get(rule.node, "for")),
        keep_firing_for_s=_seconds(get(rule.node, "keep_firing_for")),
        range_s=speed.longest_range(rule.expression),
        evaluation_s=pace.evaluation(rule, configuration).seconds,
        scrape_s=pace.of_jobs(configuration, jobs, "scrape_interval").seconds,
        answer_s=pace.of_jobs(configuration, jobs, "scrape_timeout").seconds,
    )


def _in_logql(rule: AlertRule, configuration: Configuration) -> RuleTiming:
    return RuleTiming(
        alert=rule.name,
        expression=rule.expression,
        language=rule.language,
        for_s=_seconds(get(rule.node, "for")),
        keep_firing_for_s=_seconds(get(rule.node, "keep_firing_for")),
        range_s=logql.longest_range(rule.expression),
        evaluation_s=pace.evaluation(rule, configuration).seconds,
        scrape_s=0.0,
        answer_s=0.0,
        ship_s=SHIPPING_S,
    )


def route_timing(labels: Mapping[str, str], configuration: Configuration) -> RouteTiming:
    """Of an alert with these labels (`alertname` included).

    Raises BadInput when some matcher cannot be read, or when no receiver is notified.
    """
    top = configuration.route
    for one in top.unreadable if top else ():
        raise one.error
    leaves = [one for one in (top.leaves(labels) if top else ()) if one.receiver]
    if not leaves:
        raise BadInput(f"alertmanager.yml in `{configuration.root}` has no route with a receiver.")
    seconds = {
        key: [_seconds(route.timing.get(key), default_s) for route in leaves]
        for key, default_s in ROUTE_DEFAULTS_S.items()
    }
    return RouteTiming(
        receivers=tuple(dict.fromkeys(text(one.receiver) for one in leaves)),
        group_wait_s=max(seconds["group_wait"]),
        group_interval_s=max(seconds["group_interval"]),
        repeat_interval_s=min(seconds["repeat_interval"]),
        drain_s=max(
            _seconds(one.timing.get("group_interval"), ROUTE_DEFAULTS_S["group_interval"])
            for one in (top.every() if top else ())
        ),
    )


Group = tuple[int, tuple[tuple[str, str], ...]]


def notification_groups(
    labels: Mapping[str, str], configuration: Configuration
) -> frozenset[Group]:
    """The groups in which Alertmanager tells of an alert with these labels (`alertname` included):
    for each route that notifies of it, the route and the labels by which it groups."""
    top = configuration.route
    return frozenset(
        (
            id(route),
            tuple(
                sorted(
                    (name, value)
                    for name, value in labels.items()
                    if name in route.group_by or EVERY_LABEL in route.group_by
                )
            ),
        )
        for route in (top.leaves(labels) if top else ())
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
