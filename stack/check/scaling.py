"""What is written can be scaled: the lab's proofs run far faster than production.

And it means at true speed what a proof shows: under speed, floors would give a range that is too
short for its scrapes enough of them (`stack.speed.promql`).
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from stack import speed
from stack.check import pace
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.settings import line_of
from stack.check.yamlfile import ConfigFile, entries, get, line, plain, text
from stack.durations import duration
from stack.errors import BadInput
from stack.speed import tree
from stack.speed.loki import evaluation_interval, scale_log_rules, scale_loki

SPEED = 60.0
"""Proofs run at this speed unless told otherwise."""


def check(configuration: Configuration) -> Iterator[Problem]:
    if "prometheus" not in configuration.gaps:
        yield from _sparse(configuration)
    interval_s = 15.0
    if file := configuration.prometheus:
        try:
            scaled = speed.scale_prometheus(file.plain, SPEED)
            interval_s = speed.scrape_interval(scaled)
        except BadInput as error:
            yield _problem(error, check="speed/prometheus", path=file.path,
                           line=_line(file, error))  # fmt: skip
    if file := configuration.alertmanager:
        try:
            speed.scale_alertmanager(file.plain, SPEED)
        except BadInput as error:
            yield _problem(error, check="speed/alertmanager", path=file.path,
                           line=_line(file, error))  # fmt: skip
    yield from _rules(configuration, interval_s)
    yield from _log_rules(configuration)


def _rules(configuration: Configuration, interval_s: float) -> Iterator[Problem]:
    """Each rule by itself, so that the line of the one that is refused is known."""
    for file in configuration.rules:
        for alone, rule in _alone(file):
            try:
                speed.scale_rules(alone, SPEED, scrape_interval_s=interval_s, file=file.path.name)
            except BadInput as error:
                yield _problem(error, check="speed/rules", path=file.path, line=line(rule))


def _sparse(configuration: Configuration) -> Iterator[Problem]:
    """Ranges that hold too few samples at the pace at which their series are written."""
    for file in configuration.rules:
        for group in entries(file.root, "groups"):
            for rule in entries(group, "rules"):
                try:
                    yield from _ranges(file, rule, configuration)
                except BadInput:  # no PromQL, or no duration: said by promtool
                    continue


def _ranges(file: ConfigFile, rule: yaml.Node, configuration: Configuration) -> Iterator[Problem]:
    for node in tree.read(text(get(rule, "expr"))).walk():
        if node.kind != "selector" or not node.range_s:
            continue
        if pace.recorded(configuration, node.metric):
            every, how = pace.overall(configuration, "evaluation_interval"), "recorded"
        else:
            jobs = pace.fed_by(node, configuration)
            every, how = pace.of_jobs(configuration, jobs, "scrape_interval"), "scraped"
        if node.range_s < speed.SCRAPES_PER_RANGE * every.seconds:
            name = text(get(rule, "alert")) or text(get(rule, "record"))
            yield Problem(
                check="speed/range",
                path=file.path,
                line=line(get(rule, "expr") or rule),
                what=f"`{name}`: `{node.text}` looks back over {duration(node.range_s)}, but what "
                f"it reads is {how} every {duration(every.seconds)} "
                f"({every.path.name}:{every.line}): at true speed too few samples are in it.",
                cure=f"Make the range at least {speed.SCRAPES_PER_RANGE} intervals long, "
                "or shorten the interval.",
            )


def _log_rules(configuration: Configuration) -> Iterator[Problem]:
    every_s = 60.0
    if file := configuration.loki:
        try:
            scale_loki(file.plain, SPEED)
            every_s = evaluation_interval(file.plain)
        except BadInput as error:
            yield _problem(error, check="speed/loki", path=file.path,
                           line=_line(file, error))  # fmt: skip
    for file in configuration.log_rules:
        for alone, rule in _alone(file):
            try:
                scale_log_rules(alone, SPEED, evaluation_interval_s=every_s, file=file.path.name)
            except BadInput as error:
                yield _problem(error, check="speed/rules", path=file.path, line=line(rule))


def _alone(file: ConfigFile) -> Iterator[tuple[dict[str, Any], yaml.Node]]:
    """Each rule as the only one of a file, and its node."""
    for group in entries(file.root, "groups"):
        for rule in entries(group, "rules"):
            yield {"groups": [{"name": text(get(group, "name")), "rules": [plain(rule)]}]}, rule


_PLACE = re.compile(r"((?:[\w.\[\]]+: )*)(?:`([a-z_]+)`)?")
"""``alertmanager: route.routes[1]: `mute_time_intervals` …``"""


def _line(file: ConfigFile, error: BadInput) -> int | None:
    """The line of the key that is named first."""
    found = _PLACE.match(error.what)
    steps = [*found[1].split(": ")[:-1], found[2]] if found else []
    named = [step for step in steps if step and step not in ("alertmanager", "prometheus", "loki")]
    return line_of(file.root, ".".join(named))


def _problem(error: BadInput, **where: Any) -> Problem:
    cure = error.cure or 'Write it in a way that can be scaled, or annotate it `speed: "none"`.'
    return Problem(what=" ".join(error.what.split()), cure=cure, **where)
