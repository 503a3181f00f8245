"""Rules on logs are checked as strictly as Prometheus' own; each row breaks one configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stack.check import logtests
from stack.check.configuration import load
from stack.check.logtests import check
from stack.check.problem import Problem
from stack.check.run import Setup, find_problems

RULES = "loki/rules/logs.yml"
TESTS = "loki/tests/logs.yml"
CONFIG = "loki/loki-config.yml"

FATAL = '{service="postgresql", level="fatal"}'


@dataclass(frozen=True, kw_only=True)
class Broken:
    """`old` in `file` becomes `new`; then `check` speaks of a line, in these words."""

    id: str
    old: str
    new: str
    check: str
    says: str
    file: str = RULES
    at: str = ""
    below: int | None = 0
    """How many lines below `old` the problem is; None for any."""
    line: bool = True
    """Whether the problem has a line."""


TABLE = [
    Broken(
        id="logql-in-a-block", old="[5m])\n          ) > 0.2", new="[5m)\n          ) > 0.2",
        check="loki/rules", says="`ApplicationErrorBurst`: not valid LogQL (column ",
    ),
    Broken(
        id="logql-in-a-line", old="absent_over_time", new="absent_over_times", check="loki/rules",
        says="`LogShippingStalled`: not valid LogQL (column 1): ",
    ),
    Broken(
        id="logql-that-gives-lines", old='absent_over_time({service="worker"}[5m])',
        new="'{service=\"worker\"}'", check="loki/rules", below=-1,
        says="alert `LogShippingStalled`: `expr` gives lines, expected a number.",
    ),
    Broken(
        id="regular-expression", old='level=~"error|critical"', new='level=~"(error"',
        check="loki/rules", below=None, says="`ApplicationErrorBurst`: not valid LogQL",
    ),
    Broken(
        id="field", old="for: 5m", new="fro: 5m", check="loki/rules", below=-2,
        says="alert `LogShippingStalled`: `fro` is not known.",
    ),
    Broken(
        id="field-of-the-group", old="  - name: logs", new="  - name: logs\n    limits: 3",
        check="loki/rules", says="group `logs`: `limits` is not known.",
    ),
    Broken(
        id="duration", old="for: 5m", new="for: 5 minutes", check="loki/rules", below=-2,
        says="alert `LogShippingStalled`: `for`",
    ),
    Broken(
        id="template", old="{{ $labels.service }} logs fatal", new="{{ $value | humanize }} fatal",
        check="loki/rules", below=None, says="is not supported by the embedded store.",
    ),
    Broken(
        id="template-not-closed", old="{{ $labels.service }} logs fatal",
        new="{{ $labels.service } logs fatal", check="loki/rules", below=None,
        says="the template `{{ $labels.service } logs fatal errors` is not closed.",
    ),
    Broken(
        id="severity-missing", old="severity: critical", new="severe: critical",
        check="alerts/severity", below=None, says="`DatabaseFatalErrors` has no severity",
    ),
    Broken(
        id="team-unknown", old="team: database", new="team: databases", check="alerts/team",
        says="is for team `databases`, which no route of alertmanager.yml names.",
    ),
    Broken(
        id="summary", old="summary:", new="summery:", check="alerts/annotation", below=None,
        says="`ApplicationErrorBurst` has no annotation `summary`",
    ),
    Broken(
        id="runbook-link", old="runbooks/LogShippingStalled.md", new="runbooks/Logs.md",
        check="alerts/runbook", says="Logs.md`, which is not its runbook.",
    ),
    Broken(
        id="name-of-prometheus", old="alert: LogShippingStalled", new="alert: PostgreSQLDown",
        check="alerts/duplicate", says="`PostgreSQLDown` is defined twice, first in database.yml:",
    ),
    Broken(
        id="speed", old="          summary: \"No log", new="          speed: fast\n"
        "          summary: \"No log", check="speed/rules", below=None,
        says="annotation `speed` is `fast`",
    ),
    Broken(
        id="speed-of-the-ruler", file=CONFIG, old="resend_delay: 1m", new="resend_delay: soon",
        check="loki/config", says="`ruler.resend_delay`",
    ),
    Broken(
        id="alertmanager", file=CONFIG, old="alertmanager:9093", new="alert-manager:9093",
        check="services/unknown", says="`alert-manager:9093` is not a service of the lab.",
    ),
    Broken(
        id="links", file=CONFIG, old="external_url: http://grafana:", new="external_url: http://"
        "grafanna:", check="services/unknown", says="`grafanna:3001` is not a service of the lab.",
    ),
    Broken(
        id="links-ask", file=CONFIG, old="datasource_uid: loki", new="datasource_uid: lokki",
        check="dashboards/datasource", says="no data source has uid `lokki` (datasources.yml).",
    ),
    Broken(
        id="threshold", old=") > 0.2\n          or", new=") > 0.3\n          or",
        check="loki/unit-test", at=TESTS, below=None,
        says="`DatabaseFatalErrors` at 6m15s in test `one fatal line every four seconds`: expected "
        '{alertname="DatabaseFatalErrors", service="postgresql", severity="critical", '
        'team="database"}, got no alert.',
    ),
    Broken(
        id="for-too-short", old="for: 5m", new="for: 4m", check="loki/unit-test", at=TESTS,
        below=None, says="`LogShippingStalled` at 19m45s in test ",
    ),
    Broken(
        id="wording", old="logs fatal errors", new="is unhappy", check="loki/unit-test", at=TESTS,
        below=None, says="expected summary `postgresql logs fatal errors`, got `postgresql is",
    ),
    Broken(
        id="test-of-nothing", file=TESTS, old="alertname: LogShippingStalled",
        new="alertname: LogsStalled", check="alerts/unit-test", below=None,
        says="`LogsStalled` is tested, but no rule has that name.\n  Did you mean `LogShipping",
    ),
    Broken(
        id="test-field", file=TESTS, old="every: 5s", new="evry: 5s", check="loki/unit-test",
        below=None, says="`evry` is not a known key here; there are every, from, line, ",
    ),
    Broken(
        id="test-stream", file=TESTS, old='level="fatal"}', new='level="fatal"',
        check="loki/unit-test", below=None, says="the test cannot be run: parse error at line 1",
    ),
    Broken(
        id="test-without-a-pace", file=TESTS, old="every: 1s}", new="every: 0s}",
        check="loki/unit-test", below=None, says="`every` is 0s, expected a longer duration",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_check_names_file_line_and_cure(row: Broken, setup: Setup, edit) -> None:
    changed = edit(row.file, row.old, row.new)
    found = [one for one in find_problems(setup) if one.check == row.check]
    path = setup.config_root / (row.at or row.file)
    spoken = [
        one for one in found
        if one.path == path and row.says in one.text(setup.config_root)
        and bool(one.line) == row.line
        and (row.below is None or one.line == changed + row.below)
    ]  # fmt: skip
    assert spoken, [one.text(setup.config_root) for one in found]
    assert all(one.cure for one in found)


def told(setup: Setup) -> str:
    return "\n".join(one.text(setup.config_root.parent) for one in find_problems(setup))


def test_rule_on_logs_needs_scenario_runbook_and_unit_tests(setup: Setup) -> None:
    (setup.scenarios / "logs" / "database_fatal_errors.py").unlink()
    (setup.config_root / "runbooks" / "DatabaseFatalErrors.md").unlink()
    (setup.config_root / TESTS).unlink()
    said = told(setup)
    assert "`scenarios/logs/database_fatal_errors.py` is missing." in said
    assert "`runbooks/DatabaseFatalErrors.md` is missing or empty." in said
    assert "`DatabaseFatalErrors` has no unit test in which it fires." in said
    assert "Add one to loki/tests/logs.yml." in said


SHAPES = {
    "groups: 3\n": "the file has no `groups`.",
    "groups: []\n": "the file has no `groups`.",
    "groups: [{name: a, rules: [{alert: [1], expr: vector(1)}]}]": "an alert has no name",
    "groups: [{name: a, rules: [{alert: , expr: vector(1)}]}]": "an alert has no name",
    "groups: [{name: a, rules: []}, {name: a, rules: []}]": "group `a` is there twice",
    "groups: [{name: a, rules: [{alert: A, expr: vector(1), labels: {b-c: d}}]}]":
        "`labels`: `b-c` is not a name",
    "groups: [{name: a, rules: 5}]": "group `a`: `rules` is not a list.",
    "groups: [{name: a, rules: {b: c}}]": "group `a`: `rules` is not a list.",
    "grps: []\ngroups: [{name: a, rules: []}]": "the file: `grps` is not known.",
    "groups: [{name: a, rules: [{alert: A, expr: vector(1), labels: [b]}]}]":
        "alert `A`: `labels` is not a mapping.",
    "groups: [{name: a, rules: [{alert: A, expr: vector(1), annotations: b}]}]":
        "alert `A`: `annotations` is not a mapping.",
    "groups: [{name: a, rules: [{alert: A, expr: vector(1), labels: {b: [c]}}]}]":
        "alert `A`: `labels`: `b` is no text.",
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_rule_file_of_another_shape_is_refused(setup: Setup, text: str) -> None:
    (setup.config_root / RULES).write_text(text)
    found = [one for one in find_problems(setup) if one.check == "loki/rules"]
    assert any(SHAPES[text] in one.what for one in found), found


def outcome(folder: Path, rule: str, test: str) -> list[Problem]:
    for name, text in {"rules": rule, "tests": test}.items():
        (folder / "loki" / name).mkdir(parents=True)
        (folder / "loki" / name / "a.yml").write_text(text)
    configuration = load(folder)
    [file] = configuration.log_tests
    return list(check(configuration, file))


RULE = """
groups: [{name: a, rules: [{alert: A, for: 30s,
  expr: 'count_over_time({app="x"} |= "bad" [1m]) > 2', labels: {severity: info}}]}]
"""
TEST = """
rule_files: [../rules/a.yml]
evaluation_interval: 10s
tests:
  - name: t
    input_lines: [{stream: '{app="x"}', line: "bad", from: 1s, until: 60s, every: 10s}]
    alert_rule_test:
      - {eval_time: %s, alertname: A, exp_alerts: %s}
"""
FIRES = "[{exp_labels: {app: x, severity: info}}]"


@pytest.mark.parametrize(
    ("eval_time", "expected", "good"),
    [
        # The third line comes at 21s and is seen at 30s; 30s later it fires.
        ("50s", "[]", True),
        ("60s", FIRES, True),
        ("69s", FIRES, True),
        ("50s", FIRES, False),
        ("60s", "[]", False),
        # The last three of six lines are gone from the window after 91s.
        ("90s", FIRES, True),
        ("100s", "[]", True),
        ("100s", FIRES, False),
    ],
)
def test_unit_test_lives_through_true_durations(
    tmp_path: Path, eval_time: str, expected: str, good: bool
) -> None:
    assert (outcome(tmp_path, RULE, TEST % (eval_time, expected)) == []) == good


def test_unit_tests_that_passed_run_again_only_when_something_changed(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_CACHE", str(tmp_path / "cache"))
    ran: list[str] = []
    run = logtests._test

    def counted(*given: Any) -> Iterator[Problem]:
        ran.append(given[0].path.name)
        return run(*given)

    monkeypatch.setattr(logtests, "_test", counted)

    def again() -> list[str]:
        ran.clear()
        configuration = load(setup.config_root)
        for file in configuration.log_tests:
            list(logtests.check(configuration, file))
        return sorted(set(ran))

    every = again()
    assert every
    assert again() == []
    rules = setup.config_root / RULES
    rules.write_text(rules.read_text().replace("for: 5m", "for: 6m"))
    assert "logs.yml" in again()
    (setup.config_root / TESTS).write_text(
        (setup.config_root / TESTS).read_text().replace("eval_time: ", "eval_time:  1")
    )
    assert "logs.yml" in again()
    assert "logs.yml" in again(), "what failed is not remembered"
