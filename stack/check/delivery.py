"""Alerts of every severity and team reach exactly whom `stack.config.audience` names.

The routing tree is followed; nothing is started. Routes may also choose by other labels, so alerts
are tried with each value that a matcher names, and so is each alert that a rule has.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import yaml

from stack.check import receivers, witness
from stack.check.configuration import Configuration
from stack.check.inhibition import Examples, examples
from stack.check.matchers import Matcher
from stack.check.problem import Problem
from stack.check.receivers import Destination, Receiver
from stack.check.routes import Route
from stack.check.yamlfile import ConfigFile, line, text
from stack.config.audience import CHANNELS, GROUPED_BY, TEAMS, destinations

UNKNOWN = "unheard-of"
SEVERITIES = (*CHANNELS, UNKNOWN, None)
HOMES = (*TEAMS, UNKNOWN, None)

_CURE = (
    "Fix the routes (order, matchers, `continue`), or change stack/config/audience.py if they are"
    " right."
)
_ADD = {
    "email": "Write it in that `to` as well, after a comma",
    "slack": "Correct that `channel`, or write a further entry with it",
}
"""Channel → how a receiver that is reached tells one more."""

Combination = tuple[str | None, str | None]

_CHOOSING = ("severity", "team")
"""Labels that may decide who is notified."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Labels that an alert may have, and how it is spoken of."""

    labels: Mapping[str, str]
    said: str = ""
    """Which alerts these are, apart from severity and team."""

    @property
    def combination(self) -> Combination:
        return self.labels.get("severity") or None, self.labels.get("team") or None


def check(configuration: Configuration) -> Iterator[Problem]:
    file, top = configuration.alertmanager, configuration.route
    # What cannot be read is told by `routing`; who hears then is anybody's guess.
    if not file or not top or top.unreadable:
        return
    known = receivers.read(file)
    yield from _combinations(file, top, known, list(cases(configuration, top)))
    yield from _unreached(file, known)
    yield from _grouping(file, top)


def cases(configuration: Configuration, top: Route) -> Iterator[Case]:
    """The plain ones come first: what goes wrong for them is not said again."""
    plain = [
        {"severity": severity or "", "team": team or ""}
        for severity in SEVERITIES
        for team in HOMES
    ]
    yield from (Case(labels={"alertname": "Any", **one}) for one in plain)
    seen = examples(configuration)
    real = {
        alert.name: {name: text(alert.label(name)) for name in _CHOOSING}
        for alert in configuration.alerts
    }
    for name, own in real.items():
        for one in seen.get(name, [{}]):
            yield Case(labels={**one, **own, "alertname": name}, said=f"alert `{name}`")
    for extra in _extras(top, seen):
        said = " and ".join(f'`{name}="{value}"`' for name, value in sorted(extra.items()))
        name = extra.get("alertname", "Any")
        if name in real and len(extra) == 1:
            continue  # tried already
        for one in [real[name]] if name in real else plain:
            yield Case(labels={"alertname": name, **one, **extra}, said=f"alerts with {said}")


def _extras(top: Route, seen: Examples) -> Iterator[dict[str, str]]:
    """Values of other labels that routes choose by: one by one, and together where they meet."""
    having: dict[str, set[str]] = defaultdict(set)
    for each in seen.values():
        for one in each:
            for name, value in one.items():
                having[name].add(value)

    def values(matcher: Matcher) -> list[str]:
        return witness.values(matcher, frozenset(having[matcher.name]))

    def below(route: Route, above: dict[str, str]) -> Iterator[dict[str, str]]:
        met = dict(above)
        for matcher in route.matchers.readable:
            if matcher.name in _CHOOSING:
                continue
            for value in values(matcher):
                yield {matcher.name: value}
            if matcher.operator in ("=", "=~") and not matcher.matches(met):
                # One value must do for all matchers of the label.
                met[matcher.name] = next(iter(values(matcher)), "")
        if met != above:
            yield met
        for child in route.routes:
            yield from below(child, met)

    told: list[dict[str, str]] = [{}]
    for extra in below(top, {}):
        found = {name: value for name, value in extra.items() if value}
        if found not in told:
            told.append(found)
            yield found


def _combinations(
    file: ConfigFile, top: Route, known: list[Receiver], cases: list[Case]
) -> Iterator[Problem]:
    """Combinations that go wrong in the same way are one problem."""
    reached = {receiver.name: receiver for receiver in known}
    wrong: dict[tuple[str, str, int, str], dict[str, list[Combination]]] = defaultdict(
        lambda: defaultdict(list)
    )

    def add(
        verb: str, whom: Destination, at: yaml.Node, case: Case, by: str = "", but: str = ""
    ) -> None:
        if by:
            named = next(where for one, where in reached[by].destinations if one == whom)
            by = f", by receiver `{by}` (line {line(named)})"
        by = by or but
        found = wrong[verb, _said(whom), line(at), by]
        if case.combination not in found[""] and case.combination not in found[case.said]:
            found[case.said].append(case.combination)

    for case in cases:
        nodes = [one.receiver for one in top.leaves(case.labels) if one.receiver]
        found = [
            (one, node)
            for node in nodes
            if text(node) in reached
            for one, _ in reached[text(node)].destinations
        ]
        told = [one for one, _ in found]
        wanted = set(destinations(*case.combination))
        for lost in sorted(wanted - set(told)):
            leading = {one.name for one in known if lost in dict(one.destinations)}
            if not leading and (near := _nearest(lost, found, reached, wanted)):
                add("is not notified of", lost, near[1], case, but=f": {near[0]}")
                continue
            kept = _kept_from(top, leading, case.labels) or (nodes or [top.node])[-1]
            add("is not notified of", lost, kept, case)
        for one, node in found:
            if one not in wanted:
                add("is notified of", one, node, case, text(node))
        for one in sorted({one for one in told if one in wanted and told.count(one) > 1}):
            at = next(node for other, node in reversed(found) if other == one)
            add("is notified twice of", one, at, case, text(at))
    for (verb, whom, number, by), by_kind in wrong.items():
        for said, combinations in by_kind.items():
            if combinations:
                yield Problem(
                    check="routes/destinations",
                    path=file.path,
                    line=number,
                    what=f"{whom} {verb} {said or 'alerts'} of {_words(combinations)}{by}.",
                    cure=f"{_ADD[whom.partition(' ')[0]]}, or change stack/config/audience.py if"
                    " it is right."
                    if by.startswith(":")
                    else _CURE,
                )


def _nearest(
    lost: Destination,
    found: Sequence[tuple[Destination, yaml.Node]],
    reached: Mapping[str, Receiver],
    wanted: AbstractSet[Destination],
) -> tuple[str, yaml.Node] | None:
    """Where to add a destination that no receiver has: of the receivers `found` to be reached by
    the channel the best, in words, and the node that names whom it tells; None without any."""
    channel = lost[0]
    names = {text(node): None for (known, _), node in found if known == channel}
    best = max(
        (reached[name] for name in names),
        key=lambda one: len(wanted & dict(one.destinations).keys()),
        default=None,
    )
    if best is None or channel not in _ADD:
        return None
    at = next(node for (known, _), node in best.destinations if known == channel)
    key = "to" if channel == "email" else "channel"
    return f"receiver `{best.name}` (line {line(at)}) has `{key}: {text(at)}`", at


def _kept_from(route: Route, leading: set[str], labels: Mapping[str, str]) -> yaml.Node | None:
    """What keeps an alert, which has come as far as `route`, from receivers below it: a route that
    takes it without `continue`, or the first on the way to them that does not take it."""
    taker: Route | None = None
    narrow: yaml.Node | None = None
    for child in route.routes:
        takes = child.matchers.matches(labels)
        if any(text(one.receiver) in leading for one in child.every()):
            if taker:
                return taker.node
            if takes and (found := _kept_from(child, leading, labels)):
                return found
            narrow = narrow or (None if takes else child.node)
        if takes and not child.goes_on:
            taker = taker or child
    own = text(route.receiver) in leading
    return taker.node if own and taker else narrow


def _unreached(file: ConfigFile, known: list[Receiver]) -> Iterator[Problem]:
    """A receiver with a destination that the audience does not name is proven by no scenario."""
    named = {
        one for severity in SEVERITIES for team in HOMES for one in destinations(severity, team)
    }
    for receiver in known:
        for one, at in receiver.destinations:
            if one not in named:
                yield Problem(
                    check="routes/unproven",
                    path=file.path,
                    line=line(at),
                    what=f"no scenario reaches receiver `{receiver.name}`: "
                    f"`stack/config/audience.py` assigns {_said(one)} to no team.",
                    cure="Add its team or channel there; scenarios/routing/ proves what it says.",
                )


def _grouping(file: ConfigFile, top: Route) -> Iterator[Problem]:
    """What one message is about is the same for every route."""
    told = set()
    for route in top.every():
        at = route.grouped_at or top.node
        if line(at) in told:
            continue
        told.add(line(at))
        lacking = [f"`{one}`" for one in GROUPED_BY if one not in route.group_by]
        beside = [f"`{one}`" for one in route.group_by if one not in GROUPED_BY]
        if beside:
            what = f"`group_by` has {', '.join(beside)}: what belongs together is sent one by one"
        elif lacking:
            what = (
                f"`group_by` lacks {', '.join(lacking)}: alerts of different "
                f"{'alerts' if '`alertname`' in lacking else 'teams'} become one message"
            )
        else:
            continue
        yield Problem(
            check="routes/grouping",
            path=file.path,
            line=line(at),
            what=f"{what}.",
            cure=f"Write `group_by: [{', '.join(GROUPED_BY)}]`, or change GROUPED_BY in "
            "stack/config/audience.py if it is right.",
        )


def _said(destination: Destination) -> str:
    channel, where = destination
    return f"{channel} `{where}`"


def _words(combinations: list[Combination]) -> str:
    """`severity `critical`, all teams`, or those teams."""
    by_severity: dict[str | None, list[str]] = defaultdict(list)
    for severity, team in combinations:
        by_severity[severity].append(f"`{team}`" if team else "none")
    return "; ".join(
        f"severity {f'`{severity}`' if severity else 'none'}, "
        + ("whatever the team" if len(teams) == len(HOMES) else f"team {', '.join(teams)}")
        for severity, teams in by_severity.items()
    )
