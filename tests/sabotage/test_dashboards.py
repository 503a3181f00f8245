"""Dashboards sabotaged: each breakage is named with its line, and no query is missed."""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stack.check import grafana, offered
from stack.check.configuration import load
from stack.check.problem import Problem
from stack.check.programs import Programs
from stack.paths import REPO
from stack.run.services import SERVICES

pytestmark = pytest.mark.nightly

FOLDER = "stack/config/grafana/dashboards/"
OVERVIEW, APPLICATION, SYSTEM, DATABASE, LOGS, MONITORING = (
    f"{FOLDER}{name}.json"
    for name in (
        "overview",
        "application-metrics",
        "system-metrics",
        "database-metrics",
        "logs",
        "monitoring",
    )
)
RULES = "stack/config/prometheus/rules/"
LOG_RULES = "stack/config/loki/rules/logs.yml"
SOURCES = "stack/config/grafana/provisioning/datasources/datasources.yml"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`old` in `file` becomes `new`; then `check` says `says`, of that line or, if given, of
    another file."""

    id: str
    file: str
    old: str
    new: str
    check: str
    says: str
    at: str = ""


TABLE = [
    Row(id="comma", file=OVERVIEW, old='"uid": "overview",', new='"uid": "overview"',
        check="dashboards/json", says="not valid JSON (column 21): expecting ',' delimiter"),
    Row(id="no-panels", file=LOGS, old='"panels": [', new='"tiles": [', check="dashboards/json",
        says="no list `panels`", at=LOGS),
    Row(id="rows", file=LOGS, old='"panels": [', new='"rows": [', check="dashboards/former",
        says="its panels stand in `rows`"),
    Row(id="former-type", file=OVERVIEW, old='"type": "gauge"', new='"type": "singlestat"',
        check="dashboards/former", says="a `singlestat` of an old schema, shown as a stat"),
    Row(id="former-table", file=DATABASE, old='"type": "table",',
        new='"type": "table", "styles": [{"pattern": "Time", "type": "hidden"}],',
        check="dashboards/former", says="a `table` of an old schema"),
    Row(id="time-shift", file=OVERVIEW, old='"type": "gauge",',
        new='"type": "gauge", "timeShift": "1d",', check="dashboards/supported",
        says="`timeShift` is `1d`"),
    Row(id="uid-twice", file=LOGS, old='"uid": "logs"', new='"uid": "monitoring"',
        check="dashboards/uid", says="uid `monitoring` is that of logs.json", at=MONITORING),
    Row(id="no-uid", file=LOGS, old='"uid": "logs", ', new="", check="dashboards/uid",
        says="no `uid`", at=LOGS),
    Row(id="id-twice", file=OVERVIEW, old='"id": 103', new='"id": 102', check="dashboards/id",
        says="another panel has this id"),
    Row(id="no-id", file=OVERVIEW, old='"id": 103, ', new="", check="dashboards/id",
        says="has no id"),
    Row(id="panel-type", file=OVERVIEW, old='"type": "gauge"', new='"type": "geomap"',
        check="dashboards/supported", says="type `geomap`"),
    Row(id="field-option", file=OVERVIEW, old='"fillOpacity": 10', new='"fillOpacty": 10',
        check="dashboards/supported", says="no field option `custom.fillOpacty`"),
    Row(id="override-option", file=SYSTEM, old='"custom.transform"', new='"custom.transfrom"',
        check="dashboards/supported", says="no field option `custom.transfrom`"),
    Row(id="transformation", file=DATABASE, old='"id": "organize"', new='"id": "organise"',
        check="dashboards/supported", says="transformation `organise`"),
    Row(id="variable-type", file=LOGS, old='"type": "textbox"', new='"type": "adhoc"',
        check="dashboards/supported", says="type `adhoc`"),
    Row(id="source-uid", file=OVERVIEW, old='"uid": "prometheus"}', new='"uid": "promethues"}',
        check="dashboards/datasource", says="no data source has uid `promethues`"),
    Row(id="source-type", file=OVERVIEW, old='{"type": "loki", "uid": "loki"}',
        new='{"type": "prometheus", "uid": "loki"}', check="dashboards/datasource",
        says="is a `loki`, and not a `prometheus`"),
    Row(id="source-by-name", file=OVERVIEW, old='{"type": "loki", "uid": "loki"}', new='"Loki"',
        check="dashboards/datasource", says="by its name"),
    Row(id="source-renamed", file=SOURCES, old="uid: loki", new="uid: logs",
        check="dashboards/datasource", says="no data source has uid `loki`", at=LOGS),
    Row(id="variable", file=APPLICATION, old='method=~\\"$method\\"', new='method=~\\"$methd\\"',
        check="dashboards/variable", says="variable `methd` is not defined"),
    Row(id="macro", file=DATABASE, old="[$__rate_interval]", new="[$__rate_intervall]",
        check="dashboards/variable", says="variable `__rate_intervall`"),
    Row(id="variable-of-nothing", file=DATABASE, old="label_values(pg_stat_database_xact_commit",
        new="label_values(pg_stat_database_commits", check="dashboards/variable",
        says="`pg_stat_database_commits`"),
    Row(id="variable-label", file=SYSTEM, old="}, name)", new="}, names)",
        check="dashboards/variable", says="no label `names`"),
    Row(id="log-variable-label", file=LOGS, old='"label": "service", "stream"',
        new='"label": "servce", "stream"', check="dashboards/variable", says="label `servce`"),
    Row(id="overlap", file=OVERVIEW, old='"gridPos": {"x": 4, "y": 1',
        new='"gridPos": {"x": 3, "y": 1',
        check="dashboards/place", says="panel 102 `PostgreSQL` overlaps panel 101"),
    Row(id="off-the-grid", file=OVERVIEW, old='"gridPos": {"x": 16, "y": 7',
        new='"gridPos": {"x": 17, "y": 7', check="dashboards/place", says="grid of 24 columns"),
    Row(id="no-unit", file=OVERVIEW, old='"unit": "reqps", ', new="", check="dashboards/words",
        says="`Request rate` has no unit"),
    Row(id="no-title", file=OVERVIEW, old='"title": "Response time"', new='"title": ""',
        check="dashboards/words", says="has no title"),
    Row(id="row-without-question", file=LOGS, old="Who writes how much?", new="Volume",
        check="dashboards/words", says="row `Volume` asks nothing"),
    Row(id="promql", file=DATABASE, old="sum by (mode) (pg_locks_count",
        new="sum by (mode) (pg_locks_count(",
        check="dashboards/query", says="not valid PromQL"),
    Row(id="function-of-another-dialect", file=SYSTEM, old="(predict_linear(",
        new="(predict_lines(",
        check="dashboards/query", says="not valid PromQL"),
    Row(id="logql", file=LOGS, old="| json |", new="| jsn |", check="dashboards/query",
        says="not valid LogQL"),
    Row(id="reads-nothing", file=DATABASE,
        old='min by (instance) (pg_up{job=\\"postgres-exporter\\"})',
        new="vector(1)", check="dashboards/query", says="reads no metric"),
    Row(id="metric", file=OVERVIEW, old="node_memory_MemAvailable_bytes",
        new="node_memory_MemAvailabel_bytes", check="dashboards/metric",
        says="`node_memory_MemAvailabel_bytes`, which `node-exporter` does not offer"),
    Row(id="job", file=OVERVIEW, old='up{job=\\"backend\\"}', new='up{job=\\"scheduler\\"}',
        check="dashboards/metric", says="no scrape job is called so"),
    Row(id="label", file=DATABASE, old="sum by (mode) (pg_locks", new="sum by (kind) (pg_locks",
        check="dashboards/metric", says="no label `kind`"),
    Row(id="matcher", file=APPLICATION, old='status=~\\"5..\\"', new='code=~\\"5..\\"',
        check="dashboards/metric", says="it reads label `code`"),
    Row(id="log-service", file=DATABASE, old='{service=\\"postgresql\\", level=~',
        new='{service=\\"postgres\\", level=~', check="dashboards/metric",
        says="no service writes as `postgres`"),
    Row(id="log-label", file=LOGS, old="sum by (level)", new="sum by (severity)",
        check="dashboards/metric", says="groups by `severity`"),
    Row(id="metric-of-the-job", file="stack/config/prometheus/prometheus.yml",
        old='    static_configs:\n      - targets: ["postgres-exporter:9187"]',
        new='    metric_relabel_configs:\n      - {source_labels: [__name__], regex: pg_locks_.*, '
        'action: drop}\n    static_configs:\n      - targets: ["postgres-exporter:9187"]',
        check="dashboards/metric", says="drop `pg_locks_count`", at=DATABASE),
    Row(id="legend", file=DATABASE, old='"legendFormat": "{{mode}}"',
        new='"legendFormat": "{{mod}}"',
        check="dashboards/label", says="its legend shows `{{mod}}`"),
    Row(id="link-label", file=SYSTEM, old="${__field.labels.service}",
        new="${__field.labels.servce}",
        check="dashboards/label", says="a link uses label `servce`"),
    Row(id="link-dashboard", file=OVERVIEW, old="/d/database-metrics/database-metrics?$",
        new="/d/databases/database-metrics?$", check="dashboards/link",
        says="dashboard `databases`"),
    Row(id="link-variable", file=OVERVIEW, old="/d/logs/logs?var-service=postgresql",
        new="/d/logs/logs?var-servce=postgresql", check="dashboards/link",
        says="variable `servce`"),
    Row(id="runbook", file=OVERVIEW, old="/runbooks/HighErrorRate.md",
        new="/runbooks/HighErrors.md",
        check="dashboards/link", says="runbook of `HighErrorRate` leads elsewhere"),
    Row(id="runbook-of-no-alert", file=DATABASE, old="Runbook: PostgreSQLDeadlocks",
        new="Runbook: PostgreSQLDeadlock", check="dashboards/link",
        says="no alert is called `PostgreSQLDeadlock`"),
    Row(id="threshold", file=APPLICATION, old='{"color": "orange", "value": 0.05}',
        new='{"color": "orange", "value": 0.1}', check="dashboards/threshold",
        says="the threshold at 0.1 (green below, orange above)"),
    Row(id="threshold-colour", file=APPLICATION, old='{"color": "red", "value": 0.15}',
        new='{"color": "orange", "value": 0.15}', check="dashboards/threshold",
        says="the threshold at 0.15"),
    Row(id="threshold-turned", file=OVERVIEW,
        old='[{"color": "red", "value": null}, {"color": "green", "value": 1}]',
        new='[{"color": "green", "value": null}, {"color": "red", "value": 1}]',
        check="dashboards/threshold", says="the threshold at 1 (green below, red above)"),
    Row(id="rule-moved", file=RULES + "application.yml", old="> 0.05", new="> 0.08",
        check="dashboards/threshold", says="does not draw the threshold of `HighErrorRate`",
        at=APPLICATION),
    Row(id="log-rule-moved", file=LOG_RULES, old="> 0.2", new="> 0.5",
        check="dashboards/threshold", says="the threshold at 0.2", at=LOGS),
    Row(id="severity-changed", file=RULES + "database.yml", old="severity: warning",
        new="severity: critical", check="dashboards/threshold",
        says="`PostgreSQLHighConnections`: red above 80", at=DATABASE),
    Row(id="annotation-panel", file=RULES + "database.yml", old='panel: "102"', new='panel: "999"',
        check="alerts/panel", says="`database-metrics` has no panel 999"),
    Row(id="annotation-other-panel", file=RULES + "database.yml", old='panel: "102"',
        new='panel: "101"', check="alerts/panel", says="does not link its runbook"),
    Row(id="annotation-dashboard", file=RULES + "database.yml",
        old="dashboard_uid: database-metrics", new="dashboard_uid: database",
        check="alerts/panel", says="no dashboard has uid `database`"),
    Row(id="no-annotation", file=RULES + "database.yml",
        old='          dashboard_uid: database-metrics\n', new="", check="alerts/panel",
        says="does not say which panel shows it", at=RULES + "database.yml"),
    Row(id="promise", file=DATABASE, old="rate(pg_stat_database_xact_rollback{",
        new="rate(pg_stat_database_xact_commit{", check="dashboards/promised",
        says="`Transaction rates` is promised", at=DATABASE),
    Row(id="promised-dashboard", file=LOGS, old='"uid": "logs"', new='"uid": "log"',
        check="dashboards/promised", says="no dashboard has uid `logs`", at=LOGS),
]  # fmt: skip


def problems(copy: Path, programs: Programs) -> list[Problem]:
    configuration = load(copy / "stack" / "config")
    return grafana.check(configuration, offered.table(), SERVICES, programs)


def test_whole_copy_has_nothing_wrong(copy: Path, programs: Programs) -> None:
    assert problems(copy, programs) == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_sabotage_of_a_dashboard_is_named_with_its_line(
    row: Row, copy: Path, sabotage: Callable[[str, str, str], int], programs: Programs
) -> None:
    number = sabotage(row.file, row.old, row.new)
    found = problems(copy, programs)
    said = [one for one in found if one.check == row.check and row.says in one.what]
    assert said, [one.text(copy) for one in found]
    assert copy / (row.at or row.file) in {one.path for one in said}
    if not row.at:
        # JSON ends where the next token begins; a panel is where it starts.
        assert abs((said[0].line or 0) - number) <= 4, (said[0].line, number)
    assert said[0].cure.endswith((".", "?", ".md"))


Target = dict[str, Any]
Mutate = Callable[[Target, int], Target | None]
"""A query with its n-th chance for a mistake taken; None where there are not so many."""

NAMES = frozenset(name for offer in offered.table().jobs.values() for name in offer) | {
    "up",
    "ALERTS",
}
_STRING = r'"(?:[^"\\]|\\.)*"|`[^`]*`'


def _at(pattern: str, text: str) -> list[re.Match[str]]:
    """Matches outside of strings."""
    every = re.finditer(rf"(?P<string>{_STRING})|{pattern}", text)
    return [one for one in every if one["string"] is None]


def _metrics(expression: str) -> list[re.Match[str]]:
    """Where it names a metric, by hand or recorded by a rule."""
    found = _at(r"\b[a-zA-Z_][\w:]*\b", expression)
    return [one for one in found if one[0] in NAMES or ":" in one[0]]


def _labels(expression: str) -> list[re.Match[str]]:
    """Where it names a label to match by."""
    return _at(r"(?<=[{,\s])\w+(?=\s*(?:=~|!~|!=|=)\s*[\"`])", expression)


def _grouping(expression: str) -> list[tuple[int, int]]:
    """Where it names a label to add up or join by."""
    clauses = _at(r"\b(?:by|on|group_left|group_right)\s*\((?P<labels>[^)]*)\)", expression)
    return [(one.start("labels") + each.start(), one.start("labels") + each.end())
            for one in clauses for each in re.finditer(r"\w+", one["labels"])]  # fmt: skip


def _put(target: Target, key: str, begin: int, end: int, words: str) -> Target:
    return {**target, key: target[key][:begin] + words + target[key][end:]}


def _emptied(target: Target, at: int) -> Target | None:
    return None if at else {**target, "expr": ""}


def _of_nobody(target: Target, at: int) -> Target | None:
    """A matcher more, which nothing that is there has the label for."""
    expression: str = target["expr"]
    selectors = _at(r"(?<!\{)\{(?!\{)", expression)
    ends = [(one.end(), 'nobody="here", ') for one in selectors]
    ends += [(one.end(), '{nobody="here"}') for one in _metrics(expression)
             if expression[one.end() :].lstrip()[:1] != "{"]  # fmt: skip
    return _put(target, "expr", ends[at][0], ends[at][0], ends[at][1]) if at < len(ends) else None


def _of_another(target: Target, at: int) -> Target | None:
    """Another job or service, which is not there."""
    found = _at(r'\b(?:job|service)=~?(?P<value>"(?!\$)[^"]*")', target["expr"])
    if at >= len(found):
        return None
    return _put(target, "expr", *found[at].span("value"), '"nobody"')


def _metric_misspelt(target: Target, at: int) -> Target | None:
    found = [one.span() for one in _metrics(target["expr"])]
    return _misspelt(target, "expr", found, at)


def _label_misspelt(target: Target, at: int) -> Target | None:
    found = [one.span() for one in _labels(target["expr"])]
    return _misspelt(target, "expr", found, at)


def _group_misspelt(target: Target, at: int) -> Target | None:
    return _misspelt(target, "expr", _grouping(target["expr"]), at)


def _legend_misspelt(target: Target, at: int) -> Target | None:
    found = re.finditer(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", ""))
    return _misspelt(target, "legendFormat", [one.span(1) for one in found], at)


def _misspelt(target: Target, key: str, places: list[tuple[int, int]], at: int) -> Target | None:
    """A letter left out."""
    if at >= len(places):
        return None
    begin, end = places[at]
    word = target[key][begin:end]
    return _put(target, key, begin, end, word[: len(word) // 2] + word[len(word) // 2 + 1 :] or "x")


Query = tuple[str, int, str]
"""File, panel and query."""

FROM_LINES = {("logs", 301, "A"), ("monitoring", 602, "A"), ("monitoring", 605, "A")}
"""Groups by what it takes out of lines itself, which nobody knows without the lines."""


def _mutants(copy: Path, mutate: Mutate, at: int) -> set[Query]:
    """Each query's n-th chance taken, all in one copy; those that had one."""
    changed = set()
    for path in (REPO / FOLDER).glob("*.json"):
        document = json.loads(path.read_text())
        for panel in document["panels"]:
            for target in panel.get("targets", ()):
                if mutant := mutate(target, at):
                    assert mutant != target
                    target |= mutant
                    changed.add((path.stem, panel["id"], target["refId"]))
        (copy / FOLDER / path.name).write_text(json.dumps(document, indent=1))
    return changed


def _named(found: list[Problem]) -> set[Query]:
    told = [(one, re.match(r"panel (\d+) `.*?`, query (\w): ", one.what)) for one in found]
    return {(one.path.stem, int(match[1]), match[2]) for one, match in told if match}


@pytest.mark.parametrize(
    ("mutate", "at_least"),
    [
        (_of_nobody, 180), (_group_misspelt, 40), (_legend_misspelt, 20),
        *(pytest.param(*one, marks=pytest.mark.nightly) for one in (
            (_emptied, 150), (_of_another, 150), (_metric_misspelt, 160), (_label_misspelt, 150)
        )),
    ],
    ids=lambda one: one.__name__.strip("_") if callable(one) else "",
)  # fmt: skip
def test_no_mutant_of_a_query_survives(
    mutate: Mutate, at_least: int, copy: Path, programs: Programs
) -> None:
    count, survived = 0, set()
    for at in itertools.count():
        if not (changed := _mutants(copy, mutate, at)):
            break
        count += len(changed)
        survived |= {(at, *one) for one in changed - _named(problems(copy, programs))}
    if mutate in (_group_misspelt, _label_misspelt):
        survived = {one for one in survived if one[1:] not in FROM_LINES}
    print(f"{count} mutants, {len(survived)} not noticed")
    assert survived == set()
    assert count >= at_least
