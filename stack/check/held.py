"""What follows from a cause is held for as long as the cause may need: told first, it would wake
people twice.
"""

from collections.abc import Iterator

from stack import durations
from stack.check import pace
from stack.check.configuration import AlertRule, Configuration
from stack.check.problem import Problem
from stack.check.routes import DEFAULTS_S
from stack.check.yamlfile import get, line, text
from stack.config.audience import BREAKS
from stack.durations import duration
from stack.errors import BadInput


def check(configuration: Configuration) -> Iterator[Problem]:
    if configuration.gaps & {"prometheus", "loki", "alertmanager"}:
        return  # how long anything takes is not known
    rules = {alert.name: alert for alert in configuration.alerts}
    for cause, effects in BREAKS.items():
        for effect in effects:
            if cause in rules and effect in rules:
                yield from _pair(rules[cause], rules[effect], configuration)


def _pair(cause: AlertRule, effect: AlertRule, configuration: Configuration) -> Iterator[Problem]:
    try:
        needs_s = _needs_s(cause, configuration)
        held_s = _for_s(effect) + _group_wait_s(effect, configuration)
    except BadInput:  # a duration that is none: promtool or amtool says so
        return
    if held_s < needs_s:
        yield Problem(
            check="inhibition/sooner",
            path=effect.path,
            line=line(get(effect.node, "for") or effect.node),
            what=f"`{effect.name}` may be told {duration(held_s)} after it begins, before its "
            f"cause `{cause.name}` fires, which may take {duration(needs_s)}.",
            cure=f"Hold it for {duration(needs_s - held_s)} longer, or have `{cause.name}` fire "
            "sooner.",
        )


def _for_s(rule: AlertRule) -> float:
    written = get(rule.node, "for")
    return durations.seconds(text(written)) if written else 0.0


def _needs_s(rule: AlertRule, configuration: Configuration) -> float:
    """From what goes wrong until the rule fires, at most: a scrape, an evaluation and its `for`."""
    jobs = pace.jobs_of(rule.expression, configuration) if not rule.on_logs else []
    scrape_s = pace.of_jobs(configuration, jobs, "scrape_interval").seconds if jobs else 0.0
    return scrape_s + pace.evaluation(rule, configuration).seconds + _for_s(rule)


def _group_wait_s(rule: AlertRule, configuration: Configuration) -> float:
    """The shortest of its ways."""
    labels = {name: text(rule.label(name)) for name in ("severity", "team")}
    top = configuration.route
    ways = [*top.leaves({**labels, "alertname": rule.name})] if top else []
    waits = [one.timing.get("group_wait") for one in ways]
    return min((durations.seconds(text(one)) if one else DEFAULTS_S["group_wait"] for one in waits),
               default=0.0)  # fmt: skip
