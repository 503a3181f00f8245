"""Dashboards held against Grafana's own schema: its keys, the types of values, its words.

The schema is that of Grafana's foundation SDK, whose classes are generated from the files that
Grafana generates its own from. It is of Grafana 11; `_added` has what 12 and 13 write as well
(reference: npm's @grafana/schema 13.2.3, `dist/types/raw`). Reads types alone: what the SDK does
with files would pass every mistake.
"""

import enum
import importlib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union

import yaml

from stack.check import passed_tests
from stack.check.dashboardfiles import Dashboard, Dashboards, Panel, Target
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, is_null, line, pairs, text
from stack.paths import REPO

REQUIREMENTS = REPO / "requirements.txt"
"""Which version of the schema it is stands there."""

_MODELS = "grafana_foundation_sdk.models"

_NAMES = {
    "queryCachingTtl": "queryCachingTTL", "displayNameFromDs": "displayNameFromDS",
    "autoCount": "auto_count", "autoMin": "auto_min",
    "quickRanges": "quick_ranges", "refreshIntervals": "refresh_intervals",
}  # fmt: skip
"""Keys that are not written as Grafana writes all others."""

_WITHOUT_SCHEMA = ("alertlist", "row")
"""Panels whose options are described nowhere, or that have none."""

_TEXT, _NUMBER, _TRUTH, _LIST, _OBJECT = "text", "a number", "true or false", "a list", "an object"

Shape = Mapping[str, Any]
"""Key → what its value may be: a type, or again a shape."""


@dataclass(frozen=True, kw_only=True)
class _Mistake:
    node: yaml.Node
    what: str
    cure: str


def check(found: Dashboards) -> list[Problem]:
    """What Grafana would leave out, or take for something else, in silence.

    Files that were good before are not looked at again.
    """
    code = (Path(__file__).read_bytes(), REQUIREMENTS.read_bytes())
    digest = passed_tests.key("schema", *code, *(one.path.read_bytes() for one in found.all))
    if passed_tests.passed(digest):
        return []
    wrong = [problem for one in found.all for problem in in_dashboard(one)]
    if not wrong:
        passed_tests.remember(digest)
    return wrong


def in_dashboard(dashboard: Dashboard) -> Iterator[Problem]:
    """All mistakes of one."""
    top = {**shape(_class("dashboard", "Dashboard")), "panels": list[object]}
    for one in _mistakes(dashboard.node, top, ""):
        yield _problem(dashboard, one, "")
    for panel in dashboard.panels:
        for one in _in_panel(panel):
            yield _problem(dashboard, one, f"{panel.name}: ")


def _problem(dashboard: Dashboard, one: _Mistake, who: str) -> Problem:
    what = f"{who}{one.what}."
    return dashboard.problem("dashboards/schema", line(one.node), what, one.cure)


def _in_panel(panel: Panel) -> Iterator[_Mistake]:
    if panel.kind == "row":
        row = {**shape(_class("dashboard", "RowPanel")), "panels": list[object]}
        yield from _mistakes(panel.node, row, "")
        return
    fields = shape(_class("dashboard", "FieldConfig")) | {"custom": custom(panel.kind)}
    wanted: dict[str, Any] = {**shape(_class("dashboard", "Panel")), "targets": list[object]}
    source = shape(_class("dashboard", "FieldConfigSource"))
    wanted |= {"options": _options(panel.kind), "fieldConfig": {**source, "defaults": fields}}
    yield from _mistakes(panel.node, wanted, "")
    for number, override in enumerate(entries(panel.node, "fieldConfig", "overrides")):
        for one in entries(override, "properties"):
            yield from _property(one, fields, f"fieldConfig.overrides[{number}]")
    for number, target in enumerate(panel.targets):
        yield from _mistakes(target.node, _query(target), f"targets[{number}]")


def _property(node: yaml.Node, fields: Shape, where: str) -> Iterator[_Mistake]:
    """An override's property is any key below `defaults`, written with dots."""
    name, wanted = text(get(node, "id")), fields
    for part in name.split("."):
        below = shape(wanted)
        if not below:
            return  # anything goes
        if part not in below:
            yield _Mistake(
                node=node, what=f"`{where}` sets `{name}`, which Grafana's schema has not",
                cure=nearest(part, below),
            )  # fmt: skip
            return
        wanted = below[part]
    if value := get(node, "value"):
        yield from _mistakes(value, wanted, f"{where} {name}")


def _options(kind: str) -> Any:
    return object if kind in _WITHOUT_SCHEMA else _class(kind, "Options", object)


def custom(kind: str) -> Any:
    """What a panel's fields may have of their own (`fieldConfig.defaults.custom`)."""
    return object if kind in _WITHOUT_SCHEMA else _class(kind, "FieldConfig", object)


def _query(target: Target) -> Any:
    kind = text(get(target.node, "datasource", "type"))
    kind = kind or text(get(target.panel.node, "datasource", "type"))
    return _class(kind, "Dataquery", object) if kind in ("prometheus", "loki") else object


def _class(kind: str, name: str, default: Any = None) -> Any:
    """A class of the SDK; `default` where it has no such kind of panel or source, or no such
    class."""
    try:
        module = importlib.import_module(f"{_MODELS}.{kind.replace('-', '')}")
    except ModuleNotFoundError:
        return default
    return getattr(module, name, default)


def shape(wanted: Any) -> dict[str, Any]:
    """The keys of a class of the SDK, or of a shape; empty for what has none of its own."""
    wanted = _bare(wanted)
    if isinstance(wanted, Mapping):
        return dict(wanted)
    return _shape(wanted) if _is_class(wanted) else {}


@cache
def _shape(wanted: type) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    # What its constructor does not take is always the same word.
    made = vars(wanted).get("__init__")
    given = made.__code__.co_varnames if made else hints
    own = {key_of(name): each if name in given else Literal[str(getattr(wanted(), name))]
           for name, each in hints.items()}  # fmt: skip
    module = wanted.__module__.rpartition(".")[2]
    return own | _added().get(f"{module}.{wanted.__name__}", {})


def key_of(attribute: str) -> str:
    """The key in a file that an attribute of the SDK's classes stands for."""
    first, *more = attribute.removesuffix("_val").split("_")
    key = first + "".join(one.capitalize() for one in more)
    return _NAMES.get(key, key)


def _bare(wanted: Any) -> Any:
    """Without "or null": Grafana takes null for a key that is not there."""
    if typing.get_origin(wanted) not in (Union, types.UnionType):
        return wanted
    some = [one for one in typing.get_args(wanted) if one is not type(None)]
    return some[0] if len(some) == 1 else Union[tuple(some)]  # noqa: UP007


def _is_class(wanted: Any) -> bool:
    return (
        isinstance(wanted, type)
        and not issubclass(wanted, enum.Enum)
        and wanted not in (str, int, float, bool, list, dict, object)
    )


def _mistakes(node: yaml.Node, wanted: Any, path: str) -> Iterator[_Mistake]:
    """What is wrong with a value and all below it; `path` is where it stands."""
    wanted = _bare(wanted)
    if wanted in (object, Any) or is_null(node):
        return
    fitting = [one for one in _alternatives(wanted) if _said(node) in _expected(one)]
    if not fitting:
        expected = " or ".join(dict.fromkeys(one for each in _alternatives(wanted)
                                             for one in _expected(each)))  # fmt: skip
        yield _Mistake(
            node=node, what=f"`{path}` is {_shown(node)}, expected {expected}",
            cure=f"Write {expected}: Grafana would not understand it.",
        )  # fmt: skip
        return
    kinds = [word for one in fitting for word in _words(shape(one).get("type"))]
    if len(fitting) > 1 and kinds and (kind := get(node, "type")) and text(kind) not in kinds:
        yield from _mistakes(kind, Literal[tuple(kinds)], f"{path}.type")
        return
    yield from min((list(_inside(node, one, path)) for one in fitting), key=len)


def _inside(node: yaml.Node, wanted: Any, path: str) -> Iterator[_Mistake]:
    """Of a value that is of the right kind."""
    if words := _words(wanted):
        if text(node) not in words:
            yield _Mistake(
                node=node, what=f"`{path}` is {_shown(node)}, a word that Grafana does not know",
                cure=nearest(text(node), words),
            )  # fmt: skip
    elif isinstance(node, yaml.SequenceNode):
        (each,) = typing.get_args(wanted) or (object,)
        for number, one in enumerate(node.value):
            yield from _mistakes(one, each, f"{path}[{number}]")
    elif typing.get_origin(wanted) is dict:
        for key, value in pairs(node):
            yield from _mistakes(value, typing.get_args(wanted)[1], f"{path}.{key}")
    elif isinstance(node, yaml.MappingNode):
        known = shape(wanted)
        for key, value in pairs(node):
            below = f"{path}.{key}" if path else key
            if key in known:
                yield from _mistakes(value, known[key], below)
            elif known:
                yield _Mistake(
                    node=value, what=f"`{below}` is no key of Grafana's schema",
                    cure=nearest(key, known),
                )  # fmt: skip


def _alternatives(wanted: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(wanted) in (Union, types.UnionType)
    return typing.get_args(wanted) if is_union else (wanted,)


def _words(wanted: Any) -> list[str]:
    """The only words or numbers that there are; none where any will do."""
    if typing.get_origin(wanted) is Literal:
        return [str(one) for one in typing.get_args(wanted)]
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return [str(one.value) for one in wanted] + list(_WORDS_ADDED.get(wanted.__name__, ()))
    return []


def _expected(wanted: Any) -> tuple[str, ...]:
    """The kinds of value that may stand there."""
    if isinstance(wanted, Mapping):
        return (_OBJECT,)
    if wanted in (object, Any):
        return (_TEXT, _NUMBER, _TRUTH, _LIST, _OBJECT)
    if words := _words(wanted):
        return (_NUMBER,) if all(one.lstrip("-").isdigit() for one in words) else (_TEXT,)
    kinds = {str: _TEXT, bool: _TRUTH, int: _NUMBER, float: _NUMBER, list: _LIST}
    return (kinds.get(typing.get_origin(wanted) or wanted, _OBJECT),)


def _said(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return _LIST
    if isinstance(node, yaml.MappingNode):
        return _OBJECT
    if getattr(node, "style", None) == '"':
        return _TEXT
    return _TRUTH if text(node) in ("true", "false") else _NUMBER


def _shown(node: yaml.Node) -> str:
    kind = _said(node)
    if kind in (_LIST, _OBJECT):
        return kind
    return f"`{json.dumps(text(node), ensure_ascii=False) if kind == _TEXT else text(node)}`"


class _Pill:
    type: Literal["pill"]


class _Markdown:
    type: Literal["markdown"]
    dynamicHeight: bool


_WORDS_ADDED = {
    "VariableHide": ("3",),
    "FieldColorModeId": tuple(
        f"continuous-{one}" for one in ("cividis", "inferno", "magma", "plasma", "viridis")
    ),
}
"""Words of Grafana 12 and 13."""


@cache
def _added() -> dict[str, dict[str, Any]]:
    """Class → keys that Grafana 12 and 13 write as well, and those that its schema forgot."""
    common: Any = importlib.import_module(f"{_MODELS}.common")
    dashboard: Any = importlib.import_module(f"{_MODELS}.dashboard")
    cells = typing.get_type_hints(common.TableFieldOptions)["cell_options"]
    by_name = Union[dashboard.DataSourceRef, str]  # noqa: UP007 -- how Grafana 8 named it
    annotations = {"multiLane": bool, "clustering": float}
    return {
        "dashboard.Dashboard": {
            "__inputs": list[object], "__requires": list[object], "__elements": object,
            "scopeMeta": object, "style": str, "iteration": int,
            "refresh": Union[str, bool],  # noqa: UP007
            "gnetId": Union[str, int],  # noqa: UP007
        },
        "dashboard.Panel": {"autoMigrateFrom": str, "timeCompare": str, "datasource": by_name},
        "dashboard.RowPanel": {"datasource": by_name, "repeatDirection": str},
        "dashboard.VariableModel": {
            "enableGroupBy": bool, "staticOptions": list[dashboard.VariableOption],
            "staticOptionsOrder": Literal["before", "after", "sorted"],
            "valuesFormat": Literal["csv", "json"], "regexApplyTo": Literal["value", "text"],
            "definition": str, "datasource": by_name,
        },
        "dashboard.VariableOption": {"properties": dict[str, str]},
        "dashboard.AnnotationQuery": {
            "placement": str, "datasource": by_name, "step": str, "titleFormat": str,
            "textFormat": str, "tagKeys": str, "useValueForTime": bool,
        },
        "dashboard.DashboardLink": {"placement": str, "origin": object},
        "dashboard.Threshold": {"valueExpr": str},
        "dashboard.MatcherConfig": {"scope": str},
        "dashboard.FieldConfig": {"actions": list[object], "fieldMinMax": bool},
        "dashboard.DashboardFieldConfigSourceOverrides": {"__systemRef": str},
        "common.GraphFieldConfig": {"showValues": bool},
        "common.StackingConfig": {"group": Union[str, bool]},  # noqa: UP007
        "statetimeline.FieldConfig": {
            "spanNulls": Union[bool, float], "insertNulls": Union[bool, float],  # noqa: UP007
            "axisPlacement": str,
        },
        "common.VizLegendOptions": {
            "limit": float, "overflow": str, "enableFacetedFilter": bool,
            "facetedFilterPinned": bool,
        },
        "common.TableFieldOptions": {
            "hideFrom": common.HideSeriesConfig,
            "cellOptions": Union[cells, _Pill, _Markdown],  # noqa: UP007
            "wrapText": bool, "wrapHeaderText": bool, "sortable": bool, "tooltip": object,
            "styleField": str,
            "footer": common.TableFooterOptions,
        },
        "common.TableFooterOptions": {"reducers": list[str]},
        "timeseries.Options": {
            "annotations": annotations, "disableKeyboardEvents": bool,
            "timeCompare": {"timeCompare": bool},
        },
        "gauge.Options": {
            "textMode": Literal["auto", "value_and_name", "value", "name", "none"],
            "shape": Literal["circle", "gauge"], "barShape": Literal["flat", "rounded"],
            "endpointMarker": Literal["point", "glow", "none"], "neutral": float,
            "segmentCount": float, "segmentSpacing": float, "sparkline": bool,
            "barWidthFactor": float,
            "effects": {"barGlow": bool, "centerGlow": bool, "gradient": bool},
        },
        "table.Options": {
            "enablePagination": bool, "pageSize": float, "maxRowHeight": float,
            "disableKeyboardEvents": bool, "frozenColumns": {"left": float},
        },
        "piechart.Options": {"sort": str},
        "heatmap.Options": {"annotations": annotations},
        "heatmap.HeatmapLegend": {"placement": str, "width": Union[float, str]},  # noqa: UP007
        "heatmap.RowsHeatmapOptions": {"yBucketScale": object},
        "logs.Options": {
            "fontSize": Literal["default", "small"], "detailsMode": Literal["inline", "sidebar"],
            "timestampResolution": Literal["ms", "ns"], "controlsStorageKey": str,
            **dict.fromkeys((
                "allowDownload", "noInteractions", "showControls", "showFieldSelector",
                "showLevel", "showLogAttributes", "syntaxHighlighting", "unwrappedColumns",
            ), bool),
        },
        "text.Options": {"renderMode": Literal["once", "perRow"]},
        "prometheus.Dataquery": {
            "step": int, "disableTextWrap": bool, "fullMetaSearch": bool,
            "includeNullMetadata": bool, "useBackend": bool, "key": str,
        },
        "loki.Dataquery": {"key": str},
    }  # fmt: skip
