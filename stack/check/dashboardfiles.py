"""Dashboards as data: what `grafana/dashboards/*.json` say, with the line of everything.

Grafana's classic schema. JSON is read as such first, and then as the YAML that it also is, whose
nodes know their lines.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, line, parse, text

RUNBOOK = re.compile(r"^Runbook: (\w+)$")
"""The title of a panel's link that says which alert the panel shows."""

FORMER = "Import it into Grafana, save it, and take the JSON that it has then."
"""What to do about a dashboard of an old schema."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One query of a panel."""

    panel: "Panel"
    node: yaml.Node

    @property
    def ref(self) -> str:
        return text(get(self.node, "refId"))

    @property
    def expression(self) -> str:
        return text(get(self.node, "expr"))

    @property
    def line(self) -> int:
        return line(get(self.node, "expr") or self.node)

    @property
    def source(self) -> str:
        """The data source's uid: its own, or the panel's."""
        own = text(get(self.node, "datasource", "uid"))
        return own or text(get(self.panel.node, "datasource", "uid"))

    @property
    def on_logs(self) -> bool:
        return self.source == "loki"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One tile, or a row's heading."""

    dashboard: "Dashboard"
    node: yaml.Node

    @property
    def id(self) -> str:
        return text(get(self.node, "id"))

    @property
    def kind(self) -> str:
        return text(get(self.node, "type"))

    @property
    def title(self) -> str:
        return text(get(self.node, "title"))

    @property
    def line(self) -> int:
        return line(self.node)

    @property
    def name(self) -> str:
        """For messages."""
        return f"panel {self.id} `{self.title}`"

    @cached_property
    def targets(self) -> list[Target]:
        return [Target(panel=self, node=node) for node in entries(self.node, "targets")]

    @cached_property
    def alerts(self) -> dict[str, yaml.Node]:
        """The alerts that it shows, by its links to their runbooks."""
        named = [
            (RUNBOOK.match(text(get(one, "title"))), one) for one in entries(self.node, "links")
        ]
        return {match[1]: one for match, one in named if match}


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One file."""

    path: Path
    node: yaml.Node

    @property
    def uid(self) -> str:
        return text(get(self.node, "uid"))

    @cached_property
    def panels(self) -> list[Panel]:
        """All of them, those in collapsed rows after their row."""
        nodes = [
            inner
            for one in entries(self.node, "panels")
            for inner in (one, *entries(one, "panels"))
        ]
        return [Panel(dashboard=self, node=node) for node in nodes]

    @property
    def variables(self) -> list[yaml.Node]:
        return entries(self.node, "templating", "list")

    def problem(self, check: str, number: int | None, what: str, cure: str) -> Problem:
        """Something wrong in this file."""
        return Problem(check=check, path=self.path, line=number, what=what, cure=cure)


@dataclass(frozen=True, kw_only=True)
class Dashboards:
    """All that lie in one folder."""

    all: list[Dashboard]
    problems: list[Problem]

    def panel(self, uid: str, number: str) -> Panel | None:
        """The panel of that id, None if there is none."""
        found = (panel for one in self.all if one.uid == uid for panel in one.panels)
        return next((panel for panel in found if panel.id == number), None)

    @property
    def panels(self) -> Iterator[Panel]:
        """Every panel that shows something."""
        return (panel for one in self.all for panel in one.panels if panel.kind != "row")


def folder(root: Path) -> Path:
    return root / "grafana" / "dashboards"


def load(root: Path) -> Dashboards:
    """The dashboards below the configuration's root; none where there is no such folder."""
    read = [_read(path, path.read_bytes()) for path in sorted(folder(root).glob("*.json"))]
    return Dashboards(
        all=[one for one in read if isinstance(one, Dashboard)],
        problems=[one for one in read if isinstance(one, Problem)],
    )


@lru_cache(maxsize=64)
def _read(path: Path, content: bytes) -> Dashboard | Problem:
    """By its content: who checks many times reads it once."""
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        number, said = getattr(error, "lineno", None), getattr(error, "msg", str(error))
        at = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return Problem(
            check="dashboards/json",
            path=path,
            line=number,
            what=f"not valid JSON{at}: {said[:1].lower()}{said[1:]}.",
            cure="Fix this line, or the end of the one before it.",
        )
    found = parse(path)
    node = found.root if isinstance(found, ConfigFile) else None
    if isinstance(rows := get(node, "rows"), yaml.SequenceNode) and rows.value:
        return Problem(
            check="dashboards/former",
            path=path,
            line=line(rows),
            what="its panels stand in `rows`, as before Grafana 5: Grafana and the viewer each "
            "place them in their own way, and no check reads them.",
            cure=FORMER,
        )
    if not isinstance(node, yaml.MappingNode) or not isinstance(
        get(node, "panels"), yaml.SequenceNode
    ):
        return Problem(
            check="dashboards/json",
            path=path,
            line=1,
            what="this is not a dashboard: it has no list `panels`.",
            cure="Export one from Grafana in its classic form, or take one of ours.",
        )
    return Dashboard(path=path, node=node)
