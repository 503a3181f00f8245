"""Grafana's schema finds slips that JSON allows, and takes what Grafana writes."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.check import dashboardfiles, schema
from stack.check.dashboardfiles import Dashboards
from stack.check.problem import Problem
from stack.check.supported import supported
from stack.paths import CONFIG_ROOT

PLOT: dict[str, Any] = {
    "id": 2, "type": "timeseries", "title": "Requests",
    "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
    "datasource": {"type": "prometheus", "uid": "prometheus"},
    "targets": [{"refId": "A", "expr": "up", "legendFormat": "{{job}}", "instant": False}],
    "options": {
        "legend": {"displayMode": "table", "placement": "right", "calcs": ["max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "fieldConfig": {
        "defaults": {
            "unit": "s", "min": 0, "decimals": 1, "color": {"mode": "palette-classic"},
            "custom": {"fillOpacity": 10, "drawStyle": "line", "stacking": {"mode": "none"}},
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": "green", "value": None}, {"color": "red", "value": 5}],
            },
            "mappings": [{"type": "value", "options": {"0": {"text": "DOWN", "color": "red"}}}],
        },
        "overrides": [{
            "matcher": {"id": "byName", "options": "limit"},
            "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [4, 4]}},
                           {"id": "unit", "value": "s"}],
        }],
    },
    "transformations": [{"id": "organize", "options": {"excludeByName": {"Time": True}}}],
    "links": [{"title": "Runbook", "url": "/runbooks/A.md", "targetBlank": True}],
}  # fmt: skip
TABLE_PANEL: dict[str, Any] = {
    "id": 3, "type": "table", "title": "Queries", "options": {"cellHeight": "sm"},
    "fieldConfig": {"defaults": {"custom": {"cellOptions": {"type": "color-text"}}},
                    "overrides": []},
    "targets": [{"refId": "A", "expr": '{job="a"}', "queryType": "range", "maxLines": 5,
                 "datasource": {"type": "loki", "uid": "loki"}}],
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "id": None, "uid": "lab", "title": "Lab", "tags": ["a"], "schemaVersion": 39, "editable": True,
    "graphTooltip": 1, "time": {"from": "now-1h", "to": "now"}, "refresh": "15s",
    "templating": {"list": [
        {"type": "query", "name": "job", "query": {"query": "label_values(job)", "refId": "A"},
         "multi": True, "includeAll": True, "refresh": 2, "sort": 1,
         "current": {"text": ["All"], "value": ["$__all"]}},
    ]},
    "annotations": {"list": [{"name": "Incidents", "enable": True, "iconColor": "purple",
                              "datasource": {"type": "grafana", "uid": "-- Grafana --"}}]},
    "panels": [{"id": 1, "type": "row", "title": "Who?", "collapsed": False, "panels": []},
               PLOT, TABLE_PANEL],
}  # fmt: skip


@pytest.fixture
def found(tmp_path: Path) -> Callable[[str], list[Problem]]:
    """What is found in a dashboard's text."""

    def of(text: str) -> list[Problem]:
        file = dashboardfiles.folder(tmp_path) / "lab.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        loaded = dashboardfiles.load(tmp_path)
        assert not loaded.problems
        return [one for each in loaded.all for one in schema.in_dashboard(each)]

    return of


def test_what_is_right_passes(found: Callable[[str], list[Problem]]) -> None:
    assert [one.what for one in found(json.dumps(WHOLE))] == []


@pytest.mark.parametrize("path", sorted(dashboardfiles.folder(CONFIG_ROOT).glob("*.json")),
                         ids=lambda path: path.stem)  # fmt: skip
def test_each_of_ours_passes(path: Path) -> None:
    (own,) = [one for one in dashboardfiles.load(CONFIG_ROOT).all if one.path == path]
    assert list(schema.in_dashboard(own)) == []


SLIPS = [
    ('"calcs": ["max"]', '"calcs": 5', "`options.legend.calcs` is `5`, expected a list", "a list"),
    ('"calcs": ["max"]', '"calcs": [5]', "`options.legend.calcs[0]` is `5`, expected text", "text"),
    ('"displayMode": "table"', '"displayMode": "tabel"',
     '`options.legend.displayMode` is `"tabel"`, a word', "`table`?"),
    ('"placement": "right"', '"placment": "right"', "`options.legend.placment` is no key",
     "`placement`"),
    ('"tooltip": {', '"tooltips": {', "`options.tooltips` is no key", "`tooltip`"),
    ('"mode": "multi"', '"mode": "multy"', '`options.tooltip.mode` is `"multy"`', "`multi`?"),
    ('"fillOpacity": 10', '"fillOpacity": "10"',
     '`fieldConfig.defaults.custom.fillOpacity` is `"10"`, expected a number', "a number"),
    ('"drawStyle": "line"', '"drawStyle": "lines"', '`fieldConfig.defaults.custom.drawStyle`',
     "`line`?"),
    ('"stacking": {"mode": "none"}', '"stacking": "none"',
     '`fieldConfig.defaults.custom.stacking` is `"none"`, expected an object', "an object"),
    ('"decimals": 1', '"decimal": 1', "`fieldConfig.defaults.decimal` is no key", "`decimals`"),
    ('"min": 0', '"min": "0"', '`fieldConfig.defaults.min` is `"0"`, expected a number', "number"),
    ('"mode": "absolute"', '"mode": "absolut"', "`fieldConfig.defaults.thresholds.mode`",
     "`absolute`?"),
    ('"value": 5}', '"value": "5"}', "`fieldConfig.defaults.thresholds.steps[1].value`", "number"),
    ('"type": "value"', '"type": "values"', "`fieldConfig.defaults.mappings[0].type`", "`value`?"),
    ('"fill": "dash"', '"fill": "dashed"', "`fieldConfig.overrides[0] custom.lineStyle.fill`",
     "`dash`?"),
    ('{"id": "unit", "value": "s"}', '{"id": "units", "value": "s"}',
     "`fieldConfig.overrides[0]` sets `units`", "`unit`?"),
    ('{"id": "unit", "value": "s"}', '{"id": "unit", "value": 5}',
     "`fieldConfig.overrides[0] unit` is `5`, expected text", "text"),
    ('"fieldConfig": {"defaults": {"unit"', '"fieldConfigs": {"defaults": {"unit"',
     "`fieldConfigs` is no key", "`fieldConfig`"),
    ('"legendFormat"', '"legendFromat"', "`targets[0].legendFromat` is no key", "`legendFormat`"),
    ('"instant": false', '"instant": "false"', "`targets[0].instant` is", "true or false"),
    ('"maxLines": 5', '"maxLine": 5', "`targets[0].maxLine` is no key", "`maxLines`"),
    ('"targetBlank": true', '"targetBlank": "yes"', "`links[0].targetBlank` is", "true or false"),
    ('"cellHeight": "sm"', '"cellHeight": "small"', "`options.cellHeight` is", "`sm`"),
    ('{"type": "color-text"}', '{"type": "colour-text"}',
     "`fieldConfig.defaults.custom.cellOptions.type`", "`color-text`"),
    ('"transformations": [{"id"', '"transformations": [{"disabled": "no", "id"',
     "`transformations[0].disabled` is", "true or false"),
    ('"graphTooltip": 1', '"graphTooltip": 7', "`graphTooltip` is `7`, a word", "`0`"),
    ('"refresh": "15s"', '"refresh": 15', "`refresh` is `15`, expected text", "text"),
    ('"schemaVersion": 39', '"schemaversion": 39', "`schemaversion` is no key", "`schemaVersion`"),
    ('"multi": true', '"multi": "true"', "`templating.list[0].multi` is", "true or false"),
    ('"includeAll": true', '"includeall": true', "`templating.list[0].includeall` is no key",
     "`includeAll`"),
    ('"type": "query"', '"type": "qurey"', "`templating.list[0].type` is", "`query`?"),
    ('"iconColor"', '"iconColour"', "`annotations.list[0].iconColour` is no key", "`iconColor`"),
    ('"collapsed": false', '"collapsed": "no"', "`collapsed` is", "true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "says", "cure"), SLIPS,
                         ids=[wrong for _, wrong, *_ in SLIPS])  # fmt: skip
def test_slip_is_named_once_with_what_is_right(
    found: Callable[[str], list[Problem]], right: str, wrong: str, says: str, cure: str
) -> None:
    text = json.dumps(WHOLE)
    assert text.count(right) >= 1
    (one,) = found(text.replace(right, wrong, 1))
    assert one.check == "dashboards/schema"
    assert says in one.what
    assert cure in one.cure


@pytest.mark.parametrize(
    ("right", "newer"),
    [
        ('"drawStyle": "line"', '"drawStyle": "line", "showValues": true'),
        ('"type": "color-text"', '"type": "pill"'),
        ('"cellHeight": "sm"', '"frozenColumns": {"left": 1}'),
        ('"mode": "palette-classic"', '"mode": "continuous-viridis"'),
        ('"sort": "desc"}', '"sort": "desc"}, "timeCompare": {"timeCompare": true}'),
        ('"includeAll": true', '"regexApplyTo": "text"'),
        ('{"type": "prometheus", "uid": "prometheus"}', '"Prometheus"'),
        ('"unit": "s"', '"unit": null'),
        ('"min": 0', '"min": 1e-05'),
    ],
)
def test_what_other_versions_of_grafana_write_passes(
    found: Callable[[str], list[Problem]], right: str, newer: str
) -> None:
    text = json.dumps(WHOLE)
    assert right in text
    assert [one.what for one in found(text.replace(right, newer, 1))] == []


def test_what_the_viewer_shows_is_in_the_schema() -> None:
    for kind, custom in supported().panels.items():
        known = schema.shape(schema.custom(kind))
        assert not known or custom <= known.keys(), kind


class _Asked(dict[str, Any]):
    """Notes the keys that it is asked for."""

    def __contains__(self, key: object) -> bool:
        self[str(key)] = None
        return False


def test_each_key_that_the_schema_reads_has_its_name() -> None:
    modules = [importlib.import_module(f"grafana_foundation_sdk.models.{one}") for one in (
        "dashboard", "common", "timeseries", "stat", "gauge", "bargauge", "table", "piechart",
        "heatmap", "logs", "text", "barchart", "statetimeline", "prometheus", "loki",
    )]  # fmt: skip
    classes = [one for module in modules for one in vars(module).values()
               if isinstance(one, type) and hasattr(one, "from_json")]  # fmt: skip
    assert len(classes) > 80
    for one in classes:
        asked = _Asked()
        one.from_json(asked)
        assert asked.keys() <= {schema.key_of(name) for name in one.__annotations__}, one


def test_what_was_good_is_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_CACHE", str(tmp_path))
    ours = dashboardfiles.load(CONFIG_ROOT)
    assert schema.check(ours) == []
    monkeypatch.setattr(schema, "in_dashboard", lambda one: 1 / 0)
    assert schema.check(ours) == []
    with pytest.raises(ZeroDivisionError):
        schema.check(Dashboards(all=ours.all[:1], problems=[]))
