"""Dashboards sabotaged: each breakage is named with its line, and no query is missed."""

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
from stack.run.services import SERVICES

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


Change = Callable[[dict[str, Any]], str | None]


def _mutants(copy: Path, change: Change) -> set[tuple[str, int, str]]:
    """Every query of every panel changed in place; what was changed, as file, panel and query."""
    changed = set()
    for path in (copy / FOLDER).glob("*.json"):
        document = json.loads(path.read_text())
        for panel in document["panels"]:
            for target in panel.get("targets", ()):
                if (expression := change(target)) is not None:
                    target["expr"] = expression
                    changed.add((path.stem, panel["id"], target["refId"]))
        path.write_text(json.dumps(document, indent=1))
    return changed


def _named(found: list[Problem]) -> set[tuple[str, int, str]]:
    told = [(one, re.match(r"panel (\d+) `.*?`, query (\w): ", one.what)) for one in found]
    return {(one.path.stem, int(match[1]), match[2]) for one, match in told if match}


def _misspelt(target: dict[str, Any]) -> str:
    """Its first metric, or of a query on logs the first label, with a letter too many."""
    expression: str = target["expr"]
    if re.search(r"(?<![\w\"`])\{(?!\{)", expression) and "legendFormat" == None:
        return expression
    logs = re.sub(r"\{(\w+)", r"{\1x", expression, count=1)
    metric = re.search(r"\b(\w+:\w+:\w+|[a-zA-Z]\w*)(?=\{|\[| unless)", expression)
    if metric and metric[1] not in ("by", "sum"):
        return expression[: metric.end(1)] + "x" + expression[metric.end(1) :]
    return logs


def _of_nobody(target: dict[str, Any]) -> str | None:
    """It asks a job or a service that is not there."""
    expression: str = target["expr"]
    changed = re.sub(r'\b(job|service)=~?"(?!\$)[^"]*"', r'\1="nobody"', expression)
    return changed if changed != expression else None


@pytest.mark.parametrize(
    ("change", "at_least"),
    [(lambda target: "", 150), (_misspelt, 150), (_of_nobody, 130)],
    ids=["emptied", "misspelt", "of nobody"],
)
def test_no_mutant_of_a_query_survives(
    change: Change, at_least: int, copy: Path, programs: Programs
) -> None:
    changed = _mutants(copy, change)
    assert len(changed) >= at_least
    assert changed - _named(problems(copy, programs)) == set()
