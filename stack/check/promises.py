"""Rules, intervals and routes keep what `stack.config.audience` promises, at true durations.

A proof runs on durations that all come from the same files, so it cannot see that they are too
long: it only waits longer. What is found is named where the largest part of the delay is written.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stack import durations
from stack.check import pace
from stack.check.configuration import AlertRule, Configuration
from stack.check.pace import Setting
from stack.check.problem import Problem
from stack.check.routes import DEFAULTS_S, Route
from stack.check.yamlfile import get, text
from stack.config.audience import PROMISES, Promise
from stack.durations import duration
from stack.errors import BadInput

ROUTE_DEFAULTS_S = DEFAULTS_S
"""Alertmanager's own, of what no route sets."""

CURE = "Shorten it, or change the promise in stack/config/audience.py."

NAMED = 3
"""Alerts that are named; of the others it is said how many they are."""

Delay = tuple[tuple[str, Setting], ...]
"""What a message waits for, in the order of the way."""


@dataclass(frozen=True, kw_only=True)
class _Broken:
    """One promise that one delay of one severity does not keep."""

    check: str
    severity: str
    said: str
    at: Setting


def check(configuration: Configuration) -> Iterator[Problem]:
    """Alerts that break a promise in the same way at the same line are one problem."""
    broken: dict[_Broken, list[str]] = defaultdict(list)
    for rule in configuration.alerts:
        severity = text(rule.label("severity"))
        unknown = rule.on_logs and "loki" in configuration.gaps
        if unknown or severity not in PROMISES or not pace.readable(configuration, rule):
            continue
        try:
            for one in _of(rule, severity, PROMISES[severity], configuration):
                broken[one].append(rule.name)
        except BadInput:  # a duration that is none: promtool or amtool says so
            continue
    for one, alerts in broken.items():
        names = [f"`{name}`" for name in dict.fromkeys(alerts)]
        more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
        named = ", ".join(names[:NAMED] + more)
        yield Problem(
            check=one.check,
            path=one.at.path,
            line=one.at.line,
            what=f"severity `{one.severity}`: {one.said} ({named}).",
            cure=CURE,
        )


def _of(
    rule: AlertRule, severity: str, promise: Promise, configuration: Configuration
) -> Iterator[_Broken]:
    waits = pace.setting(None, rule.path, get(rule.node, "for"), _here(rule))
    keeps = pace.setting(None, rule.path, get(rule.node, "keep_firing_for"), _here(rule))
    evaluation = pace.evaluation(rule, configuration)
    seen: Delay = (
        ("scrape", _scrape(rule, configuration)),
        ("two evaluations", _times(2, evaluation)),
        ("query offset", pace.lag(rule, configuration)),
    )
    if waits.seconds > _s(promise.lasts):
        yield _Broken(
            check="promises/for", severity=severity, at=waits,
            said=f"`for: {duration(waits.seconds)}`, promised are at most {promise.lasts}",
        )  # fmt: skip
    for route in _routes(rule, configuration):
        timing = _timing(route, configuration)
        told = (*seen, ("`group_wait`", timing["group_wait"]))
        over = (*seen, ("`keep_firing_for`", keeps), ("`group_interval`", timing["group_interval"]))
        yield from _late("promises/told", severity, "the first message", told, promise.told)
        yield from _late("promises/over", severity, "the message that it is over", over,
                         promise.over)  # fmt: skip
        yield from _repeats(severity, promise, timing)


def _late(check: str, severity: str, what: str, delay: Delay, promised: str) -> Iterator[_Broken]:
    total_s = sum(one.seconds for _, one in delay)
    if total_s > _s(promised):
        terms = " + ".join(f"{name} {duration(one.seconds)}" for name, one in delay if one.seconds)
        longest = max((one for _, one in delay), key=lambda one: one.seconds)
        yield _Broken(
            check=check, severity=severity, at=longest,
            said=f"{what} comes after up to {duration(total_s)} ({terms}), promised is {promised}",
        )  # fmt: skip


def _repeats(severity: str, promise: Promise, timing: Mapping[str, Setting]) -> Iterator[_Broken]:
    """Alertmanager repeats at the first flush of the group after `repeat_interval`."""
    written, flush_s = timing["repeat_interval"], timing["group_interval"].seconds
    every_s = max(1, math.ceil(written.seconds / flush_s)) * flush_s if flush_s else written.seconds
    said = f"`repeat_interval: {duration(written.seconds)}`: the message is repeated every "
    said += duration(every_s)
    if every_s > _s(promise.reminded):
        yield _Broken(check="promises/reminded", severity=severity, at=written,
                      said=f"{said}, promised is at least every {promise.reminded}")  # fmt: skip
    if min(every_s, written.seconds) < _s(promise.spared):
        yield _Broken(check="promises/spared", severity=severity, at=written,
                      said=f"{said}, promised is at most every {promise.spared}")  # fmt: skip


def _routes(rule: AlertRule, configuration: Configuration) -> list[Route]:
    labels = {name: text(rule.label(name)) for name in ("severity", "team")}
    top = configuration.route
    return list(top.leaves({**labels, "alertname": rule.name})) if top else []


def _timing(route: Route, configuration: Configuration) -> dict[str, Setting]:
    file = configuration.alertmanager
    path = configuration.root / "alertmanager" / "alertmanager.yml"
    return {
        key: pace.setting(file, path, route.timing.get(key), default_s)
        for key, default_s in ROUTE_DEFAULTS_S.items()
    }


def _scrape(rule: AlertRule, configuration: Configuration) -> Setting:
    if rule.on_logs:
        return _here(rule)
    jobs = pace.jobs_of(rule.expression, configuration)
    return pace.of_jobs(configuration, jobs, "scrape_interval")


def _here(rule: AlertRule) -> Setting:
    """Nothing, at the rule."""
    return Setting(seconds=0.0, path=rule.path, line=rule.line)


def _times(count: int, one: Setting) -> Setting:
    return Setting(seconds=count * one.seconds, path=one.path, line=one.line)


def _s(promised: str) -> float:
    return durations.seconds(promised)
