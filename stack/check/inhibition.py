"""Inhibit rules inhibit what `stack.config.audience` says, and no more.

What labels an alert really has is read from its unit tests, which promtool has proven.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.routes import InhibitRule, inhibit_rules
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, text
from stack.config.audience import BREAKS, SUPPRESSES, suppressed

ROUTING = frozenset({"alertname", "severity", "team"})
"""Labels that say nothing of what the alert is about."""

Examples = Mapping[str, Sequence[Mapping[str, str]]]
"""Alert → the label sets with which it fires in unit tests."""

_LISTED = 8
"""How many alerts are named; of more, the rest is counted."""

_CURE = "Fix the inhibit rules, or change stack/config/audience.py if they are right."


def check(configuration: Configuration) -> Iterator[Problem]:
    file = configuration.alertmanager
    rules = inhibit_rules(file.root if file else None)
    # What cannot be read is told by `routing`; what it inhibits is anybody's guess.
    if not file or any(rule.unreadable for rule in rules):
        return
    seen = examples(configuration)
    routing = {
        alert.name: {name: text(alert.label(name)) for name in ("severity", "team")}
        for alert in configuration.alerts
    }
    names = {*routing, *SUPPRESSES, *(one for muted in SUPPRESSES.values() for one in muted)}
    cases = {
        name: [
            {"alertname": name, **one, **routing.get(name, {})}
            for one in seen.get(name, ()) or [{}]
        ]
        for name in names
    }
    pairs = product(sorted(names), sorted(names))
    between: dict[tuple[str, str], list[InhibitRule]] = {pair: [] for pair in pairs}
    for rule in rules:
        louds = [name for name in names if any(map(rule.source.matches, cases[name]))]
        quiets = [name for name in names if any(map(rule.target.matches, cases[name]))]
        for loud, quiet in product(louds, quiets):
            if _ever(rule, cases[loud], cases[quiet]):
                between[loud, quiet].append(rule)
    idle = [rule for rule in rules if not any(rule in found for found in between.values())]
    # One that silences what it should not says what is wrong with it: which labels it compares
    # with the few that it may silence would only lead astray.
    reckless = [
        rule
        for pair, found in between.items()
        if pair[1] not in SUPPRESSES.get(pair[0], ())
        for rule in found
    ]
    # What one broken rule does wrong with many alerts is said once.
    wrong: dict[tuple[bool, int | None], list[tuple[str, str]]] = defaultdict(list)
    for (loud, quiet), found in between.items():
        wanted = quiet in SUPPRESSES.get(loud, ())
        if bool(found) != wanted:
            nearly = (one for one in (*idle, *rules) if _half(one, cases[loud], cases[quiet]))
            at = next(nearly, None) if wanted else found[0]
            wrong[wanted, line(at.node) if at else None].append((loud, quiet))
        if found and quiet in SUPPRESSES.get(loud, ()):
            yield from _always(file, (loud, quiet), found, cases)
            for rule in (one for one in found if one not in reckless):
                yield from _equal(file, rule, (loud, quiet), cases, seen)
    for (wanted, number), apart in wrong.items():
        yield _wrong(file, wanted, number, apart)
    for rule in idle:
        yield _idle(file, rule, cases)
    yield from _unnamed(configuration)


def _unnamed(configuration: Configuration) -> Iterator[Problem]:
    """Whoever is told of a cause alone has to read in it what else is wrong."""
    for alert in configuration.alerts:
        description = get(get(alert.node, "annotations"), "description")
        lacking = sorted(one for one in BREAKS.get(alert.name, ()) if one not in text(description))
        if description is not None and lacking:
            yield Problem(
                check="inhibition/named",
                path=alert.path,
                line=line(description),
                what=f"the description of `{alert.name}` does not name {_listed(lacking)}, which "
                "nobody is notified of while it fires.",
                cure="Name what is not sent in the description.",
            )


def _ever(
    rule: InhibitRule, louds: Sequence[Mapping[str, str]], quiets: Sequence[Mapping[str, str]]
) -> bool:
    return any(rule.pairs(loud, quiet) for loud in louds for quiet in quiets)


def _idle(
    file: ConfigFile, rule: InhibitRule, cases: Mapping[str, Sequence[Mapping[str, str]]]
) -> Problem:
    """Of a rule that inhibits nothing: why."""
    sides = {"source": rule.source, "target": rule.target}
    lacking = [
        side
        for side, asked in sides.items()
        if not any(asked.matches(one) for own in cases.values() for one in own)
    ]
    why = f"no rule has labels that its {' or its '.join(lacking)} asks for"
    cure = "Fix its matchers or delete it."
    if not lacking:
        why = (
            "the same alerts match its source and its target, and Alertmanager lets no alert that "
            "matches both sides be inhibited by another that does, too"
        )
        cure = "Narrow one side, so that no alert matches both, or delete it."
    return Problem(
        check="inhibition/idle",
        path=file.path,
        line=line(rule.node),
        what=f"this inhibit rule inhibits no alert: {why}.",
        cure=cure,
    )


def _half(
    rule: InhibitRule, louds: Sequence[Mapping[str, str]], quiets: Sequence[Mapping[str, str]]
) -> bool:
    """Whether one of its sides is about them: then it is the rule to be fixed."""
    return any(map(rule.source.matches, louds)) or any(map(rule.target.matches, quiets))


def _always(
    file: ConfigFile,
    pair: tuple[str, str],
    found: list[InhibitRule],
    cases: Mapping[str, Sequence[Mapping[str, str]]],
) -> Iterator[Problem]:
    """No alert of either name that is meant is left out, and no other is inhibited."""
    louds, all_quiets = (cases[name] for name in pair)
    quiets = [one for one in all_quiets if suppressed(*pair, one)]
    for one in all_quiets:
        if one not in quiets and any(_ever(rule, louds, [one]) for rule in found):
            yield Problem(
                check="inhibition/pairs",
                path=file.path,
                line=line(found[0].node),
                what=f"`{pair[0]}` would inhibit `{pair[1]}` with {_told(one)}; nobody would be "
                "notified of it.",
                cure=_CURE,
            )
    for name, own in zip(pair, (louds, quiets), strict=True):
        for one in own:
            sides = ([one], quiets) if own is louds else (louds, [one])
            if not any(_ever(rule, *sides) for rule in found):
                yield Problem(
                    check="inhibition/pairs",
                    path=file.path,
                    line=line(found[0].node),
                    what=f"`{pair[0]}` does not inhibit every `{pair[1]}`: the rule leaves out "
                    f"`{name}` with {_told(one)}.",
                    cure=_CURE,
                )


def _told(labels: Mapping[str, str]) -> str:
    named = (f'{key}="{value}"' for key, value in sorted(labels.items()) if key not in ROUTING)
    return ", ".join(named)


def _wrong(
    file: ConfigFile, wanted: bool, number: int | None, pairs: Sequence[tuple[str, str]]
) -> Problem:
    """Of a rule that should inhibit, or that should not: who whom."""
    louds, quiets = (_listed(names) for names in zip(*pairs, strict=True))
    does = "do" if len({loud for loud, _ in pairs}) > 1 else "does"
    return Problem(
        check="inhibition/pairs",
        path=file.path,
        line=number,
        what=f"{louds} {does} not inhibit {quiets}, which it should while it fires."
        if wanted
        else f"{louds} would inhibit {quiets}; nobody would be notified of it.",
        cure=_CURE,
    )


def _listed(names: Sequence[str]) -> str:
    known = [f"`{name}`" for name in dict.fromkeys(names)]
    if len(known) > _LISTED:
        known = [*known[:_LISTED], f"{len(known) - _LISTED} more"]
    return " and ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def _equal(
    file: ConfigFile,
    rule: InhibitRule,
    pair: tuple[str, str],
    cases: Mapping[str, Sequence[Mapping[str, str]]],
    seen: Examples,
) -> Iterator[Problem]:
    """The labels of `equal` are on both alerts, with values that may agree, and they are all that
    tell one thing from another."""
    if any(name not in seen for name in pair):
        return  # without unit tests, which is reported elsewhere
    loud, quiet = (_values(cases[name]) for name in pair)
    equal = set(rule.equal)
    where = f"the inhibit rule of `{pair[0]}` and `{pair[1]}`"
    both = sorted(name for name in (set(loud) & set(quiet)) - ROUTING if loud[name] & quiet[name])

    def problem(what: str, cure: str) -> Problem:
        return Problem(
            check="inhibition/equal",
            path=file.path,
            line=line(get(rule.node, "equal") or rule.node),
            what=f"{where} {what}.",
            cure=cure,
        )

    cure = f"Compare labels that both have: {', '.join(both) or 'there are none'}."
    for name in sorted(equal):
        for alert, labels in zip(pair, (loud, quiet), strict=True):
            if name not in labels:
                yield problem(
                    f"compares `{name}`, which `{alert}` does not have: one that is "
                    "missing on both sides counts as equal",
                    cure,
                )
        if name in loud and name in quiet and not loud[name] & quiet[name]:
            values = (" or ".join(f"`{one}`" for one in sorted(each[name])[:3])
                      for each in (loud, quiet))  # fmt: skip
            yield problem(
                f"compares `{name}`, which is never the same ({' and '.join(values)}): it "
                "inhibits nothing",
                cure,
            )
    for name in both:
        if name not in equal:
            yield problem(
                f"does not compare `{name}`, so it also inhibits alerts about another `{name}`",
                f"Add `{name}` to `equal`.",
            )


def _values(cases: Sequence[Mapping[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one in cases:
        for name, value in one.items():
            if value:
                found[name].add(value)
    return found


def examples(configuration: Configuration) -> Examples:
    """The label sets with which each alert fires in a unit test, of metrics or of logs."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for file in (*configuration.unit_tests, *configuration.log_tests):
        for group in entries(file.root, "tests"):
            for case in entries(group, "alert_rule_test"):
                for alert in entries(case, "exp_alerts"):
                    labels = {key: text(value) for key, value in pairs(get(alert, "exp_labels"))}
                    if labels not in found[text(get(case, "alertname"))]:
                        found[text(get(case, "alertname"))].append(labels)
    return {alert: tuple(each) for alert, each in found.items() if each}
