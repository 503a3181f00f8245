"""One table: each row breaks a whole configuration in one way and reads what is said of it."""

from dataclasses import dataclass

import pytest

from stack.check.problem import ProblemsFound
from stack.check.run import Setup, find_problems
from stack.tasks.check import run

APPLICATION = "prometheus/rules/application.yml"
DATABASE = "prometheus/rules/database.yml"
DISK = "prometheus/rules/infrastructure.yml"
PROMETHEUS = "prometheus/prometheus.yml"
ALERTMANAGER = "alertmanager/alertmanager.yml"
SLACK = "alertmanager/templates/slack.tmpl"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """`old` in `file` becomes `new`; then `check` speaks of a line, in these words."""

    id: str
    file: str
    old: str
    new: str
    check: str
    says: str
    below: int = 0
    """How many lines below `old` the problem is."""
    at: str = ""
    """File that the problem is in, where it is not `file`."""
    line: bool = True
    """Whether the problem has a line."""


TABLE = [
    Broken(
        id="yaml-syntax", file=DATABASE, old="for: 1m", new="for: [1m",
        check="yaml/syntax", below=2, says="not valid YAML: while parsing a flow sequence",
    ),
    Broken(
        id="yaml-tab", file=ALERTMANAGER, old="  resolve_timeout", new="\tresolve_timeout",
        check="yaml/syntax", says="not valid YAML: while scanning for the next token",
    ),
    Broken(
        id="promql-in-a-block", file=APPLICATION, old=") > 2", new=") >> 2",
        check="prometheus/rules",
        says="`HighLatencyP95`: not valid PromQL (column 4): unexpected <op:>>",
    ),
    Broken(
        id="promql-in-a-line", file=DATABASE, old="min by (instance)", new="min bye (instance)",
        check="prometheus/rules", says="`PostgreSQLDown`: not valid PromQL (column 5): ",
    ),
    Broken(
        id="rule-field", file=DATABASE, old="for: 1m", new="fro: 1m",
        check="prometheus/rules", says="field fro not found here.",
    ),
    Broken(
        id="annotation-template", file=DISK, old="description: >-", new="description: '{{ $labels",
        check="yaml/syntax", says="not valid YAML: ", line=False,
    ),
    Broken(
        id="annotation-function", file=DISK, old="humanizePercentage", new="humanisePercentage",
        check="prometheus/rules", below=-1,
        says="`DiskSpaceWarning`: annotation \"description\": template: ",
    ),
    Broken(
        id="config-field", file=PROMETHEUS, old="scrape_timeout", new="scrape_timeouts",
        check="prometheus/config", says="field scrape_timeouts not found here.",
    ),
    Broken(
        id="config-contradiction", file=PROMETHEUS, old="timeout: 10s", new="timeout: 20s",
        check="prometheus/config", line=False,
        says="global scrape timeout greater than scrape interval",
    ),
    Broken(
        id="rule-files", file=PROMETHEUS, old="rules/*.yml", new="rule/*.yml",
        check="files/loaded", says="`rule/*.yml` in `rule_files` matches no file.",
    ),
    Broken(
        id="service", file=PROMETHEUS, old="backend:8000", new="back-end:8000",
        check="services/unknown",
        says="`back-end:8000` is not a service of the lab.\n  Did you mean `backend:8000`",
    ),
    Broken(
        id="service-port", file=ALERTMANAGER, old="smtp_smarthost: inbox:1025",
        new="smtp_smarthost: inbox:25", check="services/unknown",
        says="`inbox:25` is not a service of the lab.\n  Did you mean `inbox:8025` or `inbox:1025`",
    ),
    Broken(
        id="service-url", file=ALERTMANAGER, old="http://inbox:8025", new="http://inbx:8025",
        check="services/unknown", says="`inbx:8025` is not a service of the lab.",
    ),
    Broken(
        id="summary", file=DATABASE, old="summary:", new="summery:",
        check="alerts/annotation", below=-9, says="`PostgreSQLDown` has no annotation `summary`",
    ),
    Broken(
        id="description", file=DATABASE, old="description:", new="descriptions:",
        check="alerts/annotation", below=-10,
        says="`PostgreSQLDown` has no annotation `description`",
    ),
    Broken(
        id="summary-value", file=DATABASE, old="PostgreSQL {{ $labels.instance }} does not answer",
        new="PostgreSQL {{ $labels.instance }} is at {{ $value | humanize }}",
        check="alerts/summary", says="`PostgreSQLDown` gives its value in the summary",
    ),
    Broken(
        id="told-before-its-cause", file=DISK, old="for: 2m\n        keep_firing_for",
        new="for: 45s\n        keep_firing_for", check="inhibition/sooner",
        says="`ContainerDown` may be told 1m15s after it begins, before its cause",
    ),
    Broken(
        id="severity-missing", file=DATABASE, old="severity:", new="severe:",
        check="alerts/severity", below=-6, says="`PostgreSQLDown` has no severity",
    ),
    Broken(
        id="severity-unknown", file=DATABASE, old="severity: critical", new="severity: criticall",
        check="alerts/severity",
        says="has severity `criticall`, which decides the channels.\n"
        "  Write a label `severity`. Did you mean `critical`?",
    ),
    Broken(
        id="team-unknown", file=DATABASE, old="team: database", new="team: databases",
        check="alerts/team",
        says="is for team `databases`, which no route of alertmanager.yml names.\n"
        "  Did you mean `database`?",
    ),
    Broken(
        id="runbook-link", file=DATABASE, old="PostgreSQLDown.md", new="PostgresDown.md",
        check="alerts/runbook", says="PostgresDown.md`, which is not its runbook.",
    ),
    Broken(
        id="duplicate", file=DATABASE, old="alert: PostgreSQLDown", new="alert: HighLatencyP95",
        check="alerts/duplicate",
        says="`HighLatencyP95` is defined twice, first in application.yml:",
    ),
    Broken(
        id="unit-test-of-nothing", file="prometheus/tests/database.yml",
        old="alertname: PostgreSQLDown", new="alertname: PostgresDown", check="alerts/unit-test",
        says="`PostgresDown` is tested, but no rule has that name.\n  Did you mean `PostgreSQLDown",
    ),
    Broken(
        id="unit-test-fails", file=DATABASE, old="for: 1m", new="for: 2m",
        check="prometheus/unit-test", at="prometheus/tests/database.yml", line=False,
        says="`PostgreSQLDown` at 2m in test `PostgreSQLDown: fires after 1m",
    ),
    Broken(
        id="receiver-unknown", file=ALERTMANAGER, old="receiver: email-database",
        new="receiver: email-databse", check="routes/receiver",
        says="a route leads to receiver `email-databse`, which is not defined.\n"
        "  Did you mean `email-database`",
    ),
    Broken(
        id="receiver-unused", file=ALERTMANAGER, old="- receiver: on-call",
        new="- receiver: slack-platform", at=ALERTMANAGER, line=False,
        check="routes/receiver", says="no route leads to receiver `on-call`.",
    ),
    Broken(
        id="route-field", file=ALERTMANAGER, old="group_wait", new="group_wiat",
        check="alertmanager/config", says="field group_wiat not found here.",
    ),
    Broken(
        id="resolved-not-sent", file=ALERTMANAGER, old="        send_resolved: true\n", new="",
        check="routes/send-resolved", below=-1,
        says="receiver `on-call` does not send resolved notifications (pagerduty_configs).",
    ),
    Broken(
        id="template-undefined", file=ALERTMANAGER, old="slack.lab.color", new="slack.lab.colour",
        check="templates/undefined",
        says="template `slack.lab.colour` is not defined in alertmanager/templates/.\n"
        "  Did you mean `slack.lab.color`",
    ),
    Broken(
        id="alert-of-an-odd-name", file=DISK, old="alert: DiskSpaceWarning",
        new="alert: DiskS<aceWarning", check="alerts/name",
        says="`DiskS<aceWarning` cannot be the name of an alert",
    ),
    Broken(
        id="template-that-many-use", file="alertmanager/templates/title.tmpl",
        old='{{ define "lab.title"', new='{{ define "lab!.title"',
        check="templates/undefined",
        says="template `lab.title` is not defined in alertmanager/templates/; 7 places use it.\n"
        "  Did you mean it here, where `lab!.title` is defined, which nobody uses?",
    ),
    Broken(
        id="template-syntax", file=SLACK, old="{{ end }}", new="{{ edn }}",
        check="templates/syntax", says='not a valid template: function "edn" not defined.',
    ),
    Broken(
        id="template-field-of-the-group", file=SLACK, old=".CommonAnnotations.runbook_url",
        new=".Annotations.runbook_url", check="templates/render",
        says="<.Annotations.runbook_url>: can't evaluate field Annotations",
    ),
    Broken(
        id="receiver-field-of-the-group", file=ALERTMANAGER, old="{{ .GroupLabels.alertname }}",
        new="{{ .Labels.alertname }}", check="templates/render",
        says="`{{ .Labels.alertname }}` cannot be rendered",
    ),
]  # fmt: skip


def test_check_finds_nothing_in_a_whole_copy(setup: Setup) -> None:
    assert find_problems(setup) == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_check_names_file_line_and_cure(
    row: Broken, setup: Setup, edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    if row.check == "prometheus/unit-test":
        monkeypatch.undo()
    changed = edit(row.file, row.old, row.new)
    with pytest.raises(ProblemsFound) as raised:
        run(setup)
    found = [problem for problem in raised.value.problems if problem.check == row.check]
    texts = [problem.text(setup.config_root.parent) for problem in found]
    place = f"config/{row.at or row.file}:" + (f"{changed + row.below}: " if row.line else "")
    spoken = [text for text in texts if text.startswith(place) and row.says in text]
    assert spoken, f"wanted {place} … {row.says!r} in:\n{raised.value}"
    assert all(problem.cure for problem in raised.value.problems)
    assert raised.value.exit_code == 1
