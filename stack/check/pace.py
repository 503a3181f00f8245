"""At what pace a rule is fed and evaluated, and where that is written.

Which jobs feed it is read from the selectors of its syntax tree, through recording rules.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from stack import durations
from stack.check.configuration import AlertRule, Configuration
from stack.check.yamlfile import ConfigFile, entries, get, line, text
from stack.errors import BadInput
from stack.speed import tree

DEFAULTS_S = {
    "scrape_interval": 60.0,
    "scrape_timeout": 10.0,
    "evaluation_interval": 60.0,
    "rule_query_offset": 0.0,
}
"""Prometheus' own, of what is nowhere set."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A duration in seconds, and where it is written; line 1 when it is a default."""

    seconds: float
    path: Path
    line: int = 1


def setting(
    file: ConfigFile | None, path: Path, node: yaml.Node | None, default: Setting | float
) -> Setting:
    """Of a node. Raises BadInput for what is not a duration."""
    if node:
        return Setting(
            seconds=durations.seconds(text(node)), path=file.path if file else path, line=line(node)
        )
    return default if isinstance(default, Setting) else Setting(seconds=default, path=path)


def overall(configuration: Configuration, key: str) -> Setting:
    """A global setting of prometheus.yml. Raises BadInput."""
    file = configuration.prometheus
    path = configuration.root / "prometheus" / "prometheus.yml"
    return setting(file, path, get(file.root if file else None, "global", key), DEFAULTS_S[key])


def of_jobs(configuration: Configuration, jobs: list[yaml.Node], key: str) -> Setting:
    """The slowest of these jobs; the global one without jobs. Raises BadInput."""
    shared, file = overall(configuration, key), configuration.prometheus
    found = [setting(file, shared.path, get(job, key), shared) for job in jobs]
    return max(found, key=lambda one: one.seconds, default=shared)


def jobs_of(expression: str, configuration: Configuration) -> list[yaml.Node]:
    """The jobs that an expression may read. Raises BadInput when it is not PromQL."""
    found = [
        job for node in selectors(expression, configuration) for job in fed_by(node, configuration)
    ]
    return list(dict.fromkeys(found))


def fed_by(node: tree.Node, configuration: Configuration) -> list[yaml.Node]:
    """The jobs that a selector may read: all, but for its matchers of `job`."""
    file = configuration.prometheus
    every = entries(file.root if file else None, "scrape_configs")
    return [job for job in every if _matches(node, text(get(job, "job_name")))]


def _matches(node: tree.Node, job: str) -> bool:
    return all(
        (job == value if "~" not in operator else bool(_pattern(value).fullmatch(job)))
        == (operator in ("=", "=~"))
        for name, operator, value in node.matchers
        if name == "job"
    )


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """What Python cannot read may be any job."""
    try:
        return re.compile(text)
    except re.error:
        return re.compile(".*", re.DOTALL)


def selectors(
    expression: str, configuration: Configuration, known: frozenset[str] = frozenset()
) -> Iterator[tree.Node]:
    """The selectors of an expression; of a recorded series, those of its recording rule."""
    for node in tree.read(expression).walk():
        if node.kind != "selector":
            continue
        rules = [] if node.metric in known else recorded(configuration, node.metric)
        if not rules:
            yield node
        for rule in rules:
            yield from selectors(text(get(rule, "expr")), configuration, known | {node.metric})


def recorded(configuration: Configuration, metric: str) -> list[yaml.Node]:
    """The rules that record a metric."""
    return [
        rule
        for file in configuration.rules
        for group in entries(file.root, "groups")
        for rule in entries(group, "rules")
        if metric and text(get(rule, "record")) == metric
    ]


def evaluation(rule: AlertRule, configuration: Configuration) -> Setting:
    """Between two evaluations of a rule. Raises BadInput."""
    if own := get(rule.group, "interval"):
        return setting(None, rule.path, own, 0.0)
    if not rule.on_logs:
        return overall(configuration, "evaluation_interval")
    file = configuration.loki
    path = configuration.root / "loki" / "loki-config.yml"
    node = get(file.root if file else None, "ruler", "evaluation_interval")
    return setting(file, path, node, 60.0)


def lag(rule: AlertRule, configuration: Configuration) -> Setting:
    """How far in the past a rule is evaluated. Raises BadInput."""
    own = get(rule.group, "query_offset")
    if own or rule.on_logs:
        return setting(None, rule.path, own, 0.0)
    return overall(configuration, "rule_query_offset")


def readable(configuration: Configuration, rule: AlertRule) -> bool:
    """Whether the expression can be read; what is wrong with it is said elsewhere."""
    if rule.on_logs:
        return True
    try:
        jobs_of(rule.expression, configuration)
    except BadInput:
        return False
    return True
