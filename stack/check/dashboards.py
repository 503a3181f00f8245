"""Each dashboard by itself: ids, places, types, data sources, variables, and the words on it.

What its queries read is `panelqueries`', how it fits the rules `shownalerts`'.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import yaml

from stack.check import macros
from stack.check.dashboardfiles import FORMER, Dashboard, Dashboards, Panel
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.supported import Supported
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, scalars, text

COLUMNS = 24
"""Width of Grafana's grid."""

OWN = "-- Grafana --"
"""Grafana's data source for its own annotations."""

_WITHOUT_DATA = ("row", "text", "alertlist")
_WITH_UNIT = ("timeseries", "stat", "gauge", "bargauge")


def check(found: Dashboards, sources: ConfigFile | None, supported: Supported) -> Iterator[Problem]:
    """`sources` is the file that names the data sources; None where there is none."""
    yield from found.problems
    yield from _uids(found)
    known = {
        text(get(one, "uid")): text(get(one, "type"))
        for one in entries(sources.root if sources else None, "datasources")
    }
    for dashboard in found.all:
        yield from _ids(dashboard)
        yield from _overlaps(dashboard)
        yield from _variables(dashboard, supported)
        for panel in dashboard.panels:
            yield from _panel(panel, supported)
        yield from _sources(dashboard, known)


def _uids(found: Dashboards) -> Iterator[Problem]:
    for dashboard in found.all:
        node = get(dashboard.node, "uid")
        first = next((one for one in found.all if one.uid == dashboard.uid), dashboard)
        if not dashboard.uid:
            yield dashboard.problem(
                "dashboards/uid",
                1,
                "the dashboard has no `uid`, by which links find it.",
                f'Add "uid": "{dashboard.path.stem}".',
            )
        elif first is not dashboard:
            yield dashboard.problem(
                "dashboards/uid",
                line(node) if node else 1,
                f"uid `{dashboard.uid}` is that of {first.path.name}: only one is shown.",
                f"Name it as its file: `{dashboard.path.stem}`.",
            )


def _ids(dashboard: Dashboard) -> Iterator[Problem]:
    times = Counter(panel.id for panel in dashboard.panels)
    seen: set[str] = set()
    free = max((int(panel.id) for panel in dashboard.panels if panel.id.isdigit()), default=0) + 1
    for panel in dashboard.panels:
        if not panel.id.isdigit() or panel.id == "0":
            yield dashboard.problem(
                "dashboards/id",
                panel.line,
                f"panel `{panel.title}` has no id.",
                f'Add "id": {free}.',
            )
        elif times[panel.id] > 1 and panel.id in seen:
            yield dashboard.problem(
                "dashboards/id",
                panel.line,
                f"{panel.name}: another panel has this id, and links to it.",
                f"Take one that is free, such as {free}.",
            )
        seen.add(panel.id)


def _place(panel: Panel) -> tuple[int, int, int, int] | None:
    """x, y, width and height; None if one is missing."""
    at = [text(get(panel.node, "gridPos", key)) for key in "xywh"]
    return tuple(map(int, at)) if all(one.isdigit() for one in at) else None  # type: ignore[return-value]


def _overlaps(dashboard: Dashboard) -> Iterator[Problem]:
    placed: list[tuple[Panel, tuple[int, int, int, int]]] = []
    for panel in dashboard.panels:
        place = _place(panel)
        if place is None or 0 in place[2:] or place[0] + place[2] > COLUMNS:
            yield dashboard.problem(
                "dashboards/place",
                panel.line,
                f"{panel.name}: `gridPos` is no place in a grid of {COLUMNS} columns.",
                "Give x, y, w and h as whole numbers, w and h at least 1.",
            )
            continue
        other = next((one for one, where in placed if _meet(place, where)), None)
        if other:
            yield dashboard.problem(
                "dashboards/place",
                panel.line,
                f"{panel.name} overlaps {other.name}.",
                "Move one of them (`gridPos`).",
            )
        placed.append((panel, place))


def _meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    (x, y, w, h), (x2, y2, w2, h2) = one, other
    return x < x2 + w2 and x2 < x + w and y < y2 + h2 and y2 < y + h


def _panel(panel: Panel, supported: Supported) -> Iterator[Problem]:
    problem = panel.dashboard.problem
    if now := _now(panel, supported):
        yield problem(
            "dashboards/former",
            _line(panel.node, "type"),
            f"{panel.name}: a `{panel.kind}` of an old schema, shown as a {now}: Grafana and the "
            "viewer each have their own rules for that, and what it cannot have is lost.",
            FORMER,
        )
        return
    if panel.kind not in supported.panels:
        yield problem(
            "dashboards/supported",
            _line(panel.node, "type"),
            f"{panel.name}: type `{panel.kind}` is none that the viewer shows.",
            nearest(panel.kind, supported.panels),
        )
        return
    for node, name in _custom(panel):
        if name not in supported.panels[panel.kind]:
            known = supported.panels[panel.kind]
            yield problem(
                "dashboards/supported",
                line(node),
                f"{panel.name}: a {panel.kind} has no field option `custom.{name}`.",
                nearest(name, known),
            )
    for one in entries(panel.node, "transformations"):
        if (name := text(get(one, "id"))) not in supported.transformations:
            yield problem(
                "dashboards/supported",
                line(one),
                f"{panel.name}: transformation `{name}` is none that the viewer has.",
                nearest(name, supported.transformations),
            )
    if shift := text(get(panel.node, "timeShift")):
        yield problem(
            "dashboards/supported",
            _line(panel.node, "timeShift"),
            f"{panel.name}: `timeShift` is `{shift}`, and the viewer shows the panel unshifted.",
            f"Ask for earlier values in its query: `offset {shift}`.",
        )
    yield from _words(panel)


def _now(panel: Panel, supported: Supported) -> str:
    """What the viewer shows it as, if it is of an old schema."""
    if panel.kind == "table" and get(panel.node, "styles"):
        return "table of today"
    return supported.former.get(panel.kind, "")


def _words(panel: Panel) -> Iterator[Problem]:
    problem = panel.dashboard.problem
    if not panel.title.strip():
        yield problem(
            "dashboards/words", panel.line, f"panel {panel.id} has no title.", "Say what it shows."
        )
    if panel.kind == "row":
        if not panel.title.rstrip().endswith("?"):
            yield problem(
                "dashboards/words",
                panel.line,
                f"row `{panel.title}` asks nothing.",
                "Make its title the question that its panels answer.",
            )
        return
    if not text(get(panel.node, "description")).strip():
        yield problem(
            "dashboards/words",
            panel.line,
            f"{panel.name} has no description.",
            "Say what it shows and what to make of it.",
        )
    shown = get(panel.node, "fieldConfig", "defaults")
    if panel.kind in _WITH_UNIT and not (
        get(shown, "unit") or get(shown, "mappings") or _counts(panel)
    ):
        yield problem(
            "dashboards/words",
            line(shown or panel.node),
            f"{panel.name} has no unit.",
            'Add one below `fieldConfig.defaults`, such as "unit": "s".',
        )
    if panel.kind not in _WITHOUT_DATA and not panel.targets:
        yield problem(
            "dashboards/query",
            panel.line,
            f"{panel.name} asks nothing: it has no targets.",
            "Add a query, or remove it.",
        )


def _counts(panel: Panel) -> bool:
    """Whether it shows a number of alerts, which has no unit."""
    return all(
        "ALERTS" in one.expression or "alertmanager_alerts" in one.expression
        for one in panel.targets
    )


def _custom(panel: Panel) -> Iterator[tuple[yaml.Node, str]]:
    """Options of its own that its fields have, with a node to find the line by."""
    for name, node in pairs(get(panel.node, "fieldConfig", "defaults", "custom")):
        yield node, name
    for override in entries(panel.node, "fieldConfig", "overrides"):
        for one in entries(override, "properties"):
            if (name := text(get(one, "id"))).startswith("custom."):
                yield one, name.removeprefix("custom.").partition(".")[0]


def _sources(dashboard: Dashboard, known: Mapping[str, str]) -> Iterator[Problem]:
    """Every data source by a uid that datasources.yml has, and of the type that it has there."""
    for panel in dashboard.panels:
        if panel.kind not in _WITHOUT_DATA and panel.targets and not panel.targets[0].source:
            yield dashboard.problem(
                "dashboards/datasource",
                panel.line,
                f"{panel.name} has no data source.",
                _cure(known),
            )
    for node in _named(dashboard.node):
        uid, kind = text(get(node, "uid")), text(get(node, "type"))
        if uid == OWN or "$" in uid:
            continue
        if not isinstance(node, yaml.MappingNode):
            yield dashboard.problem(
                "dashboards/datasource",
                line(node),
                f"a data source is called `{text(node)}` by its name.",
                _cure(known),
            )
        elif uid not in known:
            yield dashboard.problem(
                "dashboards/datasource",
                line(node),
                f"no data source has uid `{uid}` (datasources.yml).",
                nearest(uid, known),
            )
        elif kind and kind != known[uid]:
            yield dashboard.problem(
                "dashboards/datasource",
                line(node),
                f"data source `{uid}` is a `{known[uid]}`, and not a `{kind}`.",
                f'Write "type": "{known[uid]}".',
            )


def _cure(known: Mapping[str, str]) -> str:
    uid = next(iter(known), "prometheus")
    return f'Write "datasource": {{"type": "{known.get(uid, uid)}", "uid": "{uid}"}}.'


def _named(node: yaml.Node) -> Iterator[yaml.Node]:
    """Every value of a key `datasource` but null."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "datasource":
                if not (isinstance(value, yaml.ScalarNode) and value.value in ("null", "")):
                    yield value
            else:
                yield from _named(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _named(value)


def _variables(dashboard: Dashboard, supported: Supported) -> Iterator[Problem]:
    known = {text(get(one, "name")) for one in dashboard.variables}
    for one in dashboard.variables:
        kind = text(get(one, "type"))
        if kind not in supported.variables:
            yield dashboard.problem(
                "dashboards/supported",
                _line(one, "type"),
                f"variable `{text(get(one, 'name'))}`: type `{kind}` is none that the viewer has.",
                nearest(kind, supported.variables),
            )
    for node in scalars(dashboard.node):
        for name in macros.used(node.value):
            if name in known or name in macros.IN_QUERIES or name in macros.ELSEWHERE:
                continue
            near = nearest(name, known | set(macros.IN_QUERIES)) if known else ""
            yield dashboard.problem(
                "dashboards/variable",
                line(node),
                f"variable `{name}` is not defined.",
                near or "Define it below `templating`, or write a value.",
            )


def _line(node: yaml.Node, key: str) -> int:
    return line(get(node, key) or node)
