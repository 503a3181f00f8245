"""Timings of routes that Alertmanager takes, and then does something else than is written."""

from collections.abc import Iterator

import yaml

from stack import durations
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.routes import Route
from stack.check.yamlfile import ConfigFile, get, is_null, line, text
from stack.errors import BadInput
from stack.speed import ALERTMANAGER_RETENTION

RESEND_S = 60.0
"""Prometheus and the log store's ruler send an alert again after so long."""


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    if not file or not configuration.route or configuration.route.unreadable:
        return
    told = set()
    for route in configuration.route.every():
        for problem in _route(file, route):
            # What is inherited is said once, where it is written.
            if problem not in told:
                told.add(problem)
                yield problem
    yield from _resolve_timeout(file)


def _route(file: ConfigFile, route: Route) -> Iterator[Problem]:
    wait_s, interval_s, repeat_s = map(
        route.seconds, ("group_wait", "group_interval", "repeat_interval")
    )

    def problem(key: str, other: str, what: str, cure: str) -> Problem:
        """On the line of the two that the route itself has, the first of them if it has both."""
        at = get(route.node, key) or get(route.node, other) or route.timing.get(key)
        return Problem(
            check="routes/limits",
            path=file.path,
            line=line(at or route.timing.get(other) or route.node),
            what=what,
            cure=cure,
        )

    wait, interval, repeat = map(durations.duration, (wait_s, interval_s, repeat_s))
    if repeat_s > durations.seconds(ALERTMANAGER_RETENTION):
        yield problem(
            "repeat_interval",
            "repeat_interval",
            f"`repeat_interval` is {repeat}, but Alertmanager forgets what it sent after "
            f"{ALERTMANAGER_RETENTION} (`--data.retention`) and sends it again then.",
            f"Write at most {ALERTMANAGER_RETENTION}.",
        )
    if repeat_s < interval_s:
        yield problem(
            "repeat_interval",
            "group_interval",
            f"`repeat_interval` is {repeat}, less than the `group_interval` of {interval}: "
            "Alertmanager looks at a group no more often, so nothing is repeated that soon.",
            "Write a `repeat_interval` of at least the `group_interval`.",
        )
    if wait_s > interval_s:
        yield problem(
            "group_wait",
            "group_interval",
            f"`group_wait` is {wait}, more than the `group_interval` of {interval}: the first "
            "message of a group would wait longer than all that follow.",
            "Write a `group_wait` of at most the `group_interval`.",
        )


def _resolve_timeout(file: ConfigFile) -> Iterator[Problem]:
    node: yaml.Node | None = get(file.root, "global", "resolve_timeout")
    if node is None or is_null(node):
        return
    try:
        timeout_s = durations.seconds(text(node))
    except BadInput as error:
        yield _timeout(file, node, f"`resolve_timeout`: {error.what}")
        return
    if timeout_s < 2 * RESEND_S:
        yield _timeout(
            file,
            node,
            f"`resolve_timeout` is {text(node)}: alerts are sent once in "
            f"{durations.duration(RESEND_S)}, so one that names no end would be taken for over "
            "as soon as a single sending is late.",
        )


def _timeout(file: ConfigFile, node: yaml.Node, what: str) -> Problem:
    return Problem(
        check="routes/limits",
        path=file.path,
        line=line(node),
        what=what,
        cure=f"Write at least {durations.duration(2 * RESEND_S)}, such as Alertmanager's own 5m.",
    )
