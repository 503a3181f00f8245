"""What is written can be scaled: the lab's proofs run far faster than production.

And it means at true speed what a proof shows: under speed, floors would give a range that is too
short for its scrapes enough of them (`stack.speed.promql`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
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
    """Ranges that hold too few samples at the pace at which their series are written. Where that
    is too slow for many, it is told once, where it is set."""
    found: list[_Sparse] = []
    for file in configuration.rules:
        for group in entries(file.root, "groups"):
            for rule in entries(group, "rules"):
                try:
                    found += _ranges(file, rule, configuration)
                except BadInput:  # no PromQL, or no duration: said by promtool
                    continue
    by_place: dict[tuple[Path, int | None], list[_Sparse]] = defaultdict(list)
    for one in found:
        by_place[one.every.path, one.every.line].append(one)
    for alike in by_place.values():
        names = list(dict.fromkeys(one.name for one in alike))
        yield from [_too_slow(alike, names)] if len(names) > _MANY else map(_too_short, alike)


_MANY = 5
"""Rules whose ranges are too short for one interval: more, and it is the interval."""


@dataclass(frozen=True, kw_only=True)
class _Sparse:
    """One range of one rule."""

    name: str
    range_text: str
    range_s: float
    every: pace.Setting
    how: str
    path: Path
    line: int | None


def _too_slow(alike: list[_Sparse], names: list[str]) -> Problem:
    shortest = min(alike, key=lambda one: one.range_s)
    fits = shortest.range_s / speed.SCRAPES_PER_RANGE
    return Problem(
        check="speed/range",
        path=shortest.every.path,
        line=shortest.every.line,
        what=f"what is {shortest.how} every {duration(shortest.every.seconds)} has too few samples"
        f" in the ranges of {len(names)} rules, `{names[0]}`, `{names[1]}` …; the shortest is"
        f" {duration(shortest.range_s)}, of `{shortest.name}`.",
        cure=f"Shorten the interval to {duration(fits)} or less.",
    )


def _too_short(one: _Sparse) -> Problem:
    return Problem(
        check="speed/range",
        path=one.path,
        line=one.line,
        what=f"`{one.name}`: `{one.range_text}` looks back over {duration(one.range_s)}, but what "
        f"it reads is {one.how} every {duration(one.every.seconds)} "
        f"({one.every.path.name}:{one.every.line}): at true speed too few samples are in it.",
        cure=f"Make the range at least {speed.SCRAPES_PER_RANGE} intervals long, "
        "or shorten the interval.",
    )


def _ranges(file: ConfigFile, rule: yaml.Node, configuration: Configuration) -> Iterator[_Sparse]:
    for node in tree.read(text(get(rule, "expr"))).walk():
        if node.kind != "selector" or not node.range_s:
            continue
        if pace.recorded(configuration, node.metric):
            every, how = pace.overall(configuration, "evaluation_interval"), "recorded"
        else:
            jobs = pace.fed_by(node, configuration)
            every, how = pace.of_jobs(configuration, jobs, "scrape_interval"), "scraped"
        if node.range_s < speed.SCRAPES_PER_RANGE * every.seconds:
            yield _Sparse(
                name=text(get(rule, "alert")) or text(get(rule, "record")),
                range_text=node.text, range_s=node.range_s, every=every, how=how,
                path=file.path, line=line(get(rule, "expr") or rule),
            )  # fmt: skip


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
