"""Inhibit rules inhibit what `stack.config.audience` says, about the same thing, and no more.

What labels an alert really has is read from its unit tests, which promtool has proven.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import yaml

from stack.check import matchers
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, text
from stack.config.audience import SUPPRESSES

ROUTING = frozenset({"alertname", "severity", "team"})
"""Labels that say nothing of what the alert is about."""

Examples = Mapping[str, Mapping[str, frozenset[str]]]
"""Alert → label → the values that it has in unit tests."""

_CURE = "Fix the inhibit rules, or change stack/config/audience.py if they are right."


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    if not file:
        return
    seen = examples(configuration)
    routing = {
        alert.name: {name: text(alert.label(name)) for name in ("severity", "team")}
        for alert in configuration.alerts
    }
    names = {*routing, *SUPPRESSES, *(one for muted in SUPPRESSES.values() for one in muted)}
    rules = [
        (rule, matchers.read(rule, "source_matchers"), matchers.read(rule, "target_matchers"))
        for rule in entries(file.root, "inhibit_rules")
    ]
    for loud in sorted(names):
        for quiet in sorted(names):
            sides = [{"alertname": name, **routing.get(name, {})} for name in (loud, quiet)]
            found = [
                rule
                for rule, source, target in rules
                if source.matches(sides[0]) and target.matches(sides[1])
            ]
            yield from _pair(file, loud, quiet, found)
            if quiet in SUPPRESSES.get(loud, ()):
                for rule in found:
                    yield from _equal(file, rule, (loud, quiet), seen)


def _pair(file: ConfigFile, loud: str, quiet: str, found: list[yaml.Node]) -> Iterator[Problem]:
    wanted = quiet in SUPPRESSES.get(loud, ())
    if bool(found) == wanted:
        return
    said = "does not inhibit" if wanted else "would inhibit"
    yield Problem(
        check="inhibition/pairs",
        path=file.path,
        line=line(found[0]) if found else None,
        what=f"`{loud}` {said} `{quiet}`"
        + (", which it should while it fires." if wanted else "; nobody would be notified of it."),
        cure=_CURE,
    )


def _equal(
    file: ConfigFile, rule: yaml.Node, pair: tuple[str, str], seen: Examples
) -> Iterator[Problem]:
    """The labels of `equal` are on both alerts, and all that tell one thing from another."""
    if any(name not in seen for name in pair):
        return  # without unit tests, which is reported elsewhere
    loud, quiet = (seen[name] for name in pair)
    equal = {text(one) for one in entries(rule, "equal")}
    where = f"the inhibit rule of `{pair[0]}` and `{pair[1]}`"
    both = ", ".join(sorted(set(loud) & set(quiet)))
    for name in sorted(equal):
        for alert, labels in zip(pair, (loud, quiet), strict=True):
            if name not in labels:
                yield Problem(
                    check="inhibition/equal",
                    path=file.path,
                    line=line(get(rule, "equal") or rule),
                    what=f"{where} compares `{name}`, which `{alert}` does not have: one that is "
                    "missing on both sides counts as equal.",
                    cure=f"Compare labels that both have: {both}.",
                )
    shared = {name for name in (set(loud) & set(quiet)) - ROUTING if loud[name] & quiet[name]}
    for name in sorted(shared - equal):
        yield Problem(
            check="inhibition/equal",
            path=file.path,
            line=line(get(rule, "equal") or rule),
            what=f"{where} does not compare `{name}`, so it also inhibits alerts about another "
            f"`{name}`.",
            cure=f"Add `{name}` to `equal`.",
        )


def examples(configuration: Configuration) -> Examples:
    """The labels of each alert that fires in a unit test."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in configuration.unit_tests:
        for group in entries(file.root, "tests"):
            for case in entries(group, "alert_rule_test"):
                for alert in entries(case, "exp_alerts"):
                    for name, value in pairs(get(alert, "exp_labels")):
                        found[text(get(case, "alertname"))][name].add(text(value))
    return {
        alert: {name: frozenset(values) for name, values in labels.items()}
        for alert, labels in found.items()
    }
