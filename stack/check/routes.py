"""Alertmanager's routing tree and inhibit rules, read and walked as Alertmanager does.

The only place that walks the tree. Upstream: dispatch/route.go, inhibit/inhibit.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from stack import durations
from stack.check import matchers
from stack.check.matchers import Matchers, Unreadable
from stack.check.yamlfile import entries, get, is_null, line, text, truth
from stack.errors import BadInput

TIMING = ("group_wait", "group_interval", "repeat_interval")

DEFAULTS_S = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 4 * 3600.0}
"""What counts when no route sets it."""

EVERY_LABEL = "..."
"""As `group_by`: each alert is a group of its own."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One node of the tree, with what it inherits from those above it."""

    node: yaml.Node
    receiver: yaml.Node | None
    """Name of the receiver; None when neither it nor any above it has one."""
    matchers: Matchers
    goes_on: bool = False
    """`continue`: an alert that it takes is offered to the routes after it, too."""
    group_by: tuple[str, ...] = ()
    """Labels that tell groups apart; `EVERY_LABEL` alone for all that an alert has."""
    grouped_at: yaml.Node | None = None
    """Where `group_by` is written; None when nowhere."""
    timing: Mapping[str, yaml.Node] = field(default_factory=dict)
    """Key of `TIMING` → duration; without those that are nowhere set."""
    mute: tuple[yaml.Node, ...] = ()
    """Names of the intervals in which it notifies nobody; no route below it inherits them."""
    active: tuple[yaml.Node, ...] = ()
    """Names of those outside of which it notifies nobody; not inherited either."""
    own_faults: tuple[Unreadable, ...] = ()
    routes: tuple["Route", ...] = ()

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What is wrong with it and with all below it."""
        below = (one for child in self.routes for one in child.unreadable)
        return (*self.matchers.unreadable, *self.own_faults, *below)

    def every(self) -> Iterator["Route"]:
        """It and all below it."""
        yield self
        for child in self.routes:
            yield from child.every()

    def leaves(self, labels: Mapping[str, str]) -> Iterator["Route"]:
        """The routes that notify of an alert with these labels, in order; it has come this far.

        Raises BadInput when a matcher on the way cannot be read.
        """
        taken = False
        for child in self.routes:
            if child.matchers.matches(labels):
                taken = True
                yield from child.leaves(labels)
                if not child.goes_on:
                    break
        if not taken:
            yield self

    def seconds(self, key: str) -> float:
        """The duration below a key of `TIMING`. Raises BadInput."""
        node = self.timing.get(key)
        return durations.seconds(text(node)) if node else DEFAULTS_S[key]


def read(node: yaml.Node, above: Route | None = None) -> Route:
    """The tree below a node of alertmanager.yml."""
    faults: list[Unreadable] = []
    if not isinstance(node, yaml.MappingNode):
        faults.append(
            Unreadable(line=line(node), what="a route is not a mapping.", cure="Write its keys.")
        )
    receiver = get(node, "receiver")
    own = {key: found for key in TIMING if (found := get(node, key)) and not is_null(found)}
    own_matchers = Matchers(readable=()) if above is None else matchers.read(node)
    if above is None and (written := matchers.read(node)) != own_matchers:
        # The top route takes every alert; Alertmanager refuses matchers there.
        what = "the top route has matchers."
        cure = "Move them to a route below it; the top one takes every alert."
        faults += written.unreadable or [Unreadable(line=line(node), what=what, cure=cure)]
    grouped_at = get(node, "group_by")
    group_by = _group_by(grouped_at, faults)
    if not group_by:
        group_by = above.group_by if above else ()
        grouped_at = above.grouped_at if above else None
    route = Route(
        node=node,
        # An empty name is inherited as if it were not there.
        receiver=receiver
        if receiver and text(receiver) and not is_null(receiver)
        else (above.receiver if above else None),
        matchers=own_matchers,
        goes_on=_goes_on(get(node, "continue"), faults),
        group_by=group_by,
        grouped_at=grouped_at,
        timing={**(above.timing if above else {}), **own},
        mute=tuple(entries(node, "mute_time_intervals")),
        active=tuple(entries(node, "active_time_intervals")),
    )
    for key, value in own.items():
        _duration(key, value, faults)
    children = get(node, "routes")
    if children and not is_null(children) and not isinstance(children, yaml.SequenceNode):
        faults.append(
            Unreadable(line=line(children), what="`routes` is not a list.", cure="Begin with `-`.")
        )
    return replace(
        route,
        own_faults=tuple(faults),
        routes=tuple(read(child, route) for child in entries(node, "routes")),
    )


def _goes_on(node: yaml.Node | None, faults: list[Unreadable]) -> bool:
    """A truth in any of YAML 1.1's spellings, without quotes."""
    if node is None or is_null(node):
        return False
    said = truth(node)
    if said is None:
        faults.append(
            Unreadable(
                line=line(node),
                what="`continue` is neither true nor false.",
                cure="Write `continue: true`, without quotes, or leave it out.",
            )
        )
    return bool(said)


def _group_by(node: yaml.Node | None, faults: list[Unreadable]) -> tuple[str, ...]:
    """Empty when it is not there: then it is inherited."""
    if node is None or is_null(node):
        return ()
    names = ["" if is_null(one) else text(one) for one in entries(node)]

    def fault(what: str) -> None:
        cure = "Write a list of labels, or `['...']` alone for a group per alert."
        faults.append(Unreadable(line=line(node), what=f"`group_by` {what}.", cure=cure))

    if not isinstance(node, yaml.SequenceNode) or not all(names):
        fault("is not a list of labels")
    elif len(set(names) - {EVERY_LABEL}) < len([one for one in names if one != EVERY_LABEL]):
        fault("names a label twice")
    elif EVERY_LABEL in names and set(names) != {EVERY_LABEL}:
        fault("names `...`, every label, and others beside it")
    return tuple(dict.fromkeys(names))


def _duration(key: str, node: yaml.Node, faults: list[Unreadable]) -> None:
    try:
        length_s = durations.seconds(text(node))
    except BadInput as error:
        faults.append(
            Unreadable(line=line(node), what=f"`{key}`: {error.what}", cure=error.cure or "")
        )
    else:
        if not length_s and key != "group_wait":
            faults.append(
                Unreadable(
                    line=line(node), what=f"`{key}` is zero.", cure="Write more than nothing."
                )
            )


@dataclass(frozen=True, kw_only=True)
class InhibitRule:
    """While an alert of its source fires, nobody is notified of those of its target."""

    node: yaml.Node
    source: Matchers
    target: Matchers
    equal: tuple[str, ...]
    """Labels that both must have with the same value; one missing on both counts as the same."""
    own_faults: tuple[Unreadable, ...] = ()

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return (*self.source.unreadable, *self.target.unreadable, *self.own_faults)

    def pairs(self, loud: Mapping[str, str], quiet: Mapping[str, str]) -> bool:
        """Whether `loud` inhibits `quiet` if they agree in `equal`. Raises BadInput."""
        if not (self.source.matches(loud) and self.target.matches(quiet)):
            return False
        # Alerts that are source and target alike do not inhibit each other.
        return not (self.source.matches(quiet) and self.target.matches(loud))


def inhibit_rules(root: yaml.Node | None) -> list[InhibitRule]:
    """Those of alertmanager.yml."""
    return [
        InhibitRule(
            node=node,
            source=matchers.read(node, "source_"),
            target=matchers.read(node, "target_"),
            equal=tuple(text(one) for one in entries(node, "equal")),
            own_faults=_equal_faults(get(node, "equal")),
        )
        for node in entries(root, "inhibit_rules")
    ]


def _equal_faults(node: yaml.Node | None) -> tuple[Unreadable, ...]:
    if node is None or is_null(node):
        return ()
    if isinstance(node, yaml.SequenceNode) and all(
        text(one) and not is_null(one) for one in node.value
    ):
        return ()
    what = "`equal` is not a list of labels."
    return (Unreadable(line=line(node), what=what, cure="Write `equal: [label]`."),)
