"""What rules on logs read is what promtail-config.yml makes of lines: labels and their services."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import yaml

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, line, pairs, text
from stack.logql import LogQLError
from stack.logql.ast import LogQuery, Matcher, RangeAggregation, VectorAggregation
from stack.logql.parse import parse
from stack.logql.walk import nodes, selectors

_GROUP = re.compile(r"\(\?P<(\w+)>")


def check(configuration: Configuration, services: Collection[str]) -> Iterator[Problem]:
    """`services` are those whose log files have their names."""
    file = configuration.promtail
    if not file:
        return
    for scrape in entries(file.root, "scrape_configs"):
        yield from _sources(configuration, scrape)
    written = lines(configuration, services)
    for rules in configuration.log_rules:
        for group in entries(rules.root, "groups"):
            for rule in entries(group, "rules"):
                for what, cure, word in faults(text(get(rule, "expr")), written):
                    yield Problem(
                        check="metrics/logs", path=rules.path, line=_line(get(rule, "expr"), word),
                        what=f"`{text(get(rule, 'alert'))}`: {what}.", cure=cure,
                    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What the shipper makes of lines."""

    labels: frozenset[str]
    services: frozenset[str]
    """Values of the label `service`."""
    jobs: frozenset[str]
    """Values of the label `job`; none where lines decide them."""


def lines(configuration: Configuration, services: Collection[str]) -> Lines:
    """By promtail-config.yml; nothing where there is none."""
    file = configuration.promtail
    scrapes = entries(file.root, "scrape_configs") if file else []
    labels = {name for scrape in scrapes for name in _labels(scrape)}
    static = {text(value) for scrape in scrapes for config in entries(scrape, "static_configs")
              for name, value in pairs(get(config, "labels")) if name == "service"}  # fmt: skip
    # Left out of the files that have their service's name.
    excluded = {word for scrape in scrapes for config in entries(scrape, "static_configs")
                for word in re.findall(r"[\w-]+", _file(config, "__path_exclude__"))}  # fmt: skip
    jobs = [{text(get(config, "labels", "job"))} for scrape in scrapes
            for config in entries(scrape, "static_configs")]  # fmt: skip
    decided = any(get(stage, "labels", "job") for scrape in scrapes
                  for stage in entries(scrape, "pipeline_stages"))  # fmt: skip
    return Lines(
        labels=frozenset(labels),
        services=frozenset(static | ({*services} - excluded)),
        jobs=frozenset() if decided else frozenset().union(*jobs),
    )


def _line(node: yaml.Node | None, word: str) -> int | None:
    if node is None:
        return None
    below = 1 + text(node).partition(word)[0].count("\n")
    return line(node) + (below if getattr(node, "style", None) == "|" else 0)


def _file(config: yaml.Node, label: str) -> str:
    return text(get(config, "labels", label)).rpartition("/")[2]


def _labels(scrape: yaml.Node) -> set[str]:
    """The labels that the lines of a scrape end up with."""
    found = {name for config in entries(scrape, "static_configs")
             for name, _ in pairs(get(config, "labels")) if not name.startswith("__")}  # fmt: skip
    found.add("filename")
    for stage in entries(scrape, "pipeline_stages"):
        found |= {name for name, _ in pairs(get(stage, "labels"))}
        found -= {text(one) for one in entries(stage, "labeldrop")}
    return found


def _sources(configuration: Configuration, scrape: yaml.Node) -> Iterator[Problem]:
    """A stage uses what one before it has found."""
    file = configuration.promtail
    known = {"filename"} | {name for config in entries(scrape, "static_configs")
                            for name, _ in pairs(get(config, "labels"))}  # fmt: skip
    for stage in entries(scrape, "pipeline_stages"):
        used: list[tuple[str, yaml.Node]] = []
        for name, settings in pairs(stage):
            if name == "json":
                known |= {one for one, _ in pairs(get(settings, "expressions"))}
            elif name == "regex":
                known |= set(_GROUP.findall(text(get(settings, "expression"))))
            if name == "labels":
                used += [(text(value) or one, value) for one, value in pairs(settings)]
            elif (source := get(settings, "source")) and text(source):
                used.append((text(source), source))
        for one, node in used:
            if one not in known and file:
                yield Problem(
                    check="promtail/source", path=file.path, line=line(node),
                    what=f"job `{text(get(scrape, 'job_name'))}`: a stage uses `{one}`, which no "
                    "stage before it finds.",
                    cure=nearest(one, known),
                )  # fmt: skip


def faults(expression: str, written: Lines) -> Iterator[tuple[str, str, str]]:
    """What a query reads that no line has: what is wrong, what to do, and a word to find the line
    by. Nothing for text that is not LogQL."""
    labels, services = written.labels, written.services
    try:
        query = parse(expression)
    except LogQLError:
        return  # `logrules` says so
    for matchers in selectors(query):
        for one in matchers:
            if one.name not in labels:
                yield (f"it reads label `{one.name}`, which promtail-config.yml gives to no line",
                       nearest(one.name, labels), one.name)  # fmt: skip
            elif one.name == "service" and not any(_holds(one, name) for name in services):
                yield (f"no service writes as `{one.value}`", nearest(one.value, services),
                       one.value)  # fmt: skip
            elif (
                one.name == "job"
                and written.jobs
                and not any(_holds(one, name) for name in written.jobs)
            ):
                yield (f"no line is of job `{one.value}`", nearest(one.value, written.jobs),
                       one.value)  # fmt: skip
    if isinstance(query, LogQuery):
        return
    for node in nodes(query):
        plain = isinstance(node, RangeAggregation) and not _parses(node.query)
        inner = isinstance(node, VectorAggregation) and all(
            not _parses(part.query) for part in nodes(query) if isinstance(part, RangeAggregation)
        )
        grouping = node.grouping if plain or inner else None  # type: ignore[union-attr]
        for name in grouping.labels if grouping else ():
            if name not in labels:
                yield (f"it groups by `{name}`, which promtail-config.yml gives to no line",
                       nearest(name, labels), name)  # fmt: skip


def _parses(query: LogQuery) -> bool:
    """Whether the query takes labels out of lines: nobody knows which."""
    return any(type(stage).__name__ != "LineFilter" for stage in query.stages)


def _holds(matcher: Matcher, value: str) -> bool:
    try:
        same = matcher.op.value in ("=", "!=") and value == matcher.value
        same = same or (matcher.op.value in ("=~", "!~")
                        and bool(re.fullmatch(matcher.value, value)))  # fmt: skip
    except re.error:
        return True
    return same == (matcher.op.value in ("=", "=~"))
