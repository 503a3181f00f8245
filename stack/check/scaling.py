"""What is written can be lived at speed: the lab's proofs run far faster than production."""

from collections.abc import Iterator
from typing import Any

import yaml

from stack import speed
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.source import entries, get, line, text
from stack.errors import BadInput

SPEED = 60.0
"""Proofs run at this speed unless told otherwise."""


def check(configuration: Configuration) -> Iterator[Problem]:
    interval_s = 15.0
    if source := configuration.prometheus:
        try:
            scaled = speed.scale_prometheus(_value(source.root), SPEED)
            interval_s = speed.scrape_interval(scaled)
        except BadInput as error:
            yield _problem(error, check="speed/prometheus", path=source.path)
    if source := configuration.alertmanager:
        try:
            speed.scale_alertmanager(_value(source.root), SPEED)
        except BadInput as error:
            yield _problem(error, check="speed/alertmanager", path=source.path)
    yield from _rules(configuration, interval_s)


def _rules(configuration: Configuration, interval_s: float) -> Iterator[Problem]:
    """Each rule by itself, so that the line of the one that is refused is known."""
    for source in configuration.rules:
        for group in entries(source.root, "groups"):
            for rule in entries(group, "rules"):
                alone = {"groups": [{"name": text(get(group, "name")), "rules": [_value(rule)]}]}
                try:
                    speed.scale_rules(
                        alone, SPEED, scrape_interval_s=interval_s, file=source.path.name
                    )
                except BadInput as error:
                    yield _problem(error, check="speed/rules", path=source.path, line=line(rule))


def _value(node: yaml.Node | None) -> dict[str, Any]:
    """The plain value of a mapping."""
    found = yaml.SafeLoader("").construct_document(node) if node else {}
    return found if isinstance(found, dict) else {}


def _problem(error: BadInput, **where: Any) -> Problem:
    cure = error.cure or 'Write it in a way that can be scaled, or annotate it `speed: "none"`.'
    return Problem(what=" ".join(error.what.split()), cure=cure, **where)
