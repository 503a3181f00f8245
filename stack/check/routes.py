"""Alertmanager's routing tree, walked as Alertmanager does. The only place that walks it.

Upstream: dispatch/route.go, `Match`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from stack.check import matchers
from stack.check.matchers import Matchers
from stack.check.yamlfile import entries, flag, get

TIMING = ("group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One node of the tree, with what it inherits from those above it."""

    node: yaml.Node
    receiver: yaml.Node | None
    """Name of the receiver; None when neither it nor any above it has one."""
    matchers: Matchers
    timing: Mapping[str, yaml.Node] = field(default_factory=dict)
    """Key of `TIMING` → duration; without those that are nowhere set."""
    routes: tuple["Route", ...] = ()

    def every(self) -> Iterator["Route"]:
        """It and all below it."""
        yield self
        for child in self.routes:
            yield from child.every()

    def leaves(self, labels: Mapping[str, str]) -> Iterator["Route"]:
        """The routes that notify of an alert with these labels, in order; it has come this far."""
        taken = False
        for child in self.routes:
            if child.matchers.matches(labels):
                taken = True
                yield from child.leaves(labels)
                if not flag(get(child.node, "continue")):
                    break
        if not taken:
            yield self


def read(node: yaml.Node, above: Route | None = None) -> Route:
    """The tree below a node of alertmanager.yml."""
    own = {key: found for key in TIMING if (found := get(node, key))}
    route = Route(
        node=node,
        receiver=get(node, "receiver") or (above.receiver if above else None),
        # The top route takes every alert.
        matchers=matchers.read(node, "matchers") if above else Matchers(readable=()),
        timing={**(above.timing if above else {}), **own},
    )
    return replace(route, routes=tuple(read(child, route) for child in entries(node, "routes")))
