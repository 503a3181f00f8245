"""Sabotages of the configuration, each seen by `doit check`, which names what is broken."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.check import (
    declared,
    delivery,
    inhibition,
    logrules,
    logtests,
    notifications,
    routing,
)
from stack.check.configuration import load
from stack.check.problem import Problem
from stack.check.programs import Programs, check_unit_tests

DATABASE = "stack/config/prometheus/rules/database.yml"
LOGS = "stack/config/loki/rules/logs.yml"
HOST = "stack/config/prometheus/rules/infrastructure.yml"
ALERTMANAGER = "stack/config/alertmanager/alertmanager.yml"
SLACK = "stack/config/alertmanager/templates/slack.tmpl"

DOWN = "min by (instance) (pg_up"
FULL = ") < 0.20"
SHADOW = """    - receiver: slack-platform
      matchers: ['severity=~"critical|warning"']
"""


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """`old` in `file` becomes `new`; then `check` says so."""

    id: str
    file: str
    old: str
    new: str
    check: str
    says: str
    tests: str = ""
    """File of unit tests that is run; they take their time."""


TABLE = [
    Sabotage(
        id="threshold", file=HOST, old=FULL, new=") < 0.02", tests="infrastructure.yml",
        check="prometheus/unit-test", says="`DiskSpaceWarning` at 5m in test",
    ),
    Sabotage(
        id="threshold-on-logs", file=LOGS, old="[5m])\n          ) > 0.2",
        new="[5m])\n          ) > 2", check="loki/unit-test",
        says="`ApplicationErrorBurst` at 6m15s in test",
    ),
    Sabotage(
        id="another-services-logs", file=LOGS, old='service="postgresql", level="panic"',
        new='service="postgres", level="panic"', check="loki/unit-test",
        says="`DatabaseFatalErrors` at 3m15s in test `a single panic`: expected {alertname=",
    ),
    Sabotage(
        id="no-logql", file=LOGS, old="absent_over_time(", new="absent_over(", check="loki/rules",
        says="`LogShippingStalled`: not valid LogQL",
    ),
    Sabotage(
        id="comparison-turned-round", file=DATABASE, old='(pg_up{job="postgres-exporter"}) == 0',
        new='(pg_up{job="postgres-exporter"}) != 0', tests="database.yml",
        check="prometheus/unit-test", says="`PostgreSQLDown` at ",
    ),
    Sabotage(
        id="for-too-long", file=DATABASE, old="for: 1m", new="for: 10m", tests="database.yml",
        check="prometheus/unit-test", says="`PostgreSQLDown` at 2m in test",
    ),
    Sabotage(
        id="label-misspelt", file=DATABASE, old="team: database", new="taem: database",
        check="scenarios/labels",
        says="`PostgreSQLDown` has team `database` here and `none` in rules/database.yml.",
    ),
    Sabotage(
        id="severity-changed", file=DATABASE, old="severity: critical", new="severity: warning",
        check="scenarios/labels",
        says="`PostgreSQLDown` has severity `critical` here and `warning` in rules/database.yml.",
    ),
    Sabotage(
        id="route-shadowed", file=ALERTMANAGER, old="    - receiver: email-platform\n",
        new=f"{SHADOW}    - receiver: email-platform\n", check="routes/destinations",
        says="email `database@residency.example` is not notified of alerts of severity `critical`,",
    ),
    Sabotage(
        id="continue-removed", file=ALERTMANAGER, check="routes/destinations",
        old="""      matchers: ['severity="critical"']\n      continue: true\n""",
        new="""      matchers: ['severity="critical"']\n""",
        says="slack `#alerts-database` is not notified of alerts of severity `critical`",
    ),
    Sabotage(
        id="inhibit-rule-for-another-thing", file=ALERTMANAGER, check="inhibition/equal",
        old="equal: [instance, device, mountpoint]", new="equal: [instance, device]",
        says="the inhibit rule of `DiskSpaceCritical` and `DiskSpaceWarning` does not compare "
        "`mountpoint`",
    ),
    Sabotage(
        id="inhibit-rule-for-other-alerts", file=ALERTMANAGER, check="inhibition/pairs",
        old="""target_matchers: ['alertname="DiskSpaceWarning"']""",
        new="""target_matchers: ['severity="warning"']""",
        says="more; nobody would be notified of it.",
    ),
    Sabotage(
        id="inhibit-rule-by-labels-of-nobody", file=ALERTMANAGER, check="inhibition/equal",
        old="equal: [instance, device, mountpoint]", new="equal: [host]",
        says="compares `host`, which `DiskSpaceWarning` does not have: one that is missing on both "
        "sides counts as equal.",
    ),
    Sabotage(
        id="template-field", file=SLACK, old=".CommonAnnotations.runbook_url",
        new=".Annotations.runbook_url", check="templates/render",
        says="can't evaluate field Annotations",
    ),
    Sabotage(
        id="end-not-sent", file=ALERTMANAGER, check="routes/send-resolved",
        old="channel: '#alerts-platform'\n        send_resolved: true\n",
        new="channel: '#alerts-platform'\n",
        says="receiver `slack-platform` does not send resolved notifications (slack_configs).",
    ),
    Sabotage(
        id="receiver-that-no-scenario-reaches", file=ALERTMANAGER, check="routes/unproven",
        old="to: compliance@residency.example", new="to: legal@residency.example",
        says="no scenario reaches receiver `email-compliance`: `stack/config/audience.py` assigns "
        "email `legal@residency.example` to no team.",
    ),
    Sabotage(
        id="scenario-that-tells-nobody", file="scenarios/database/postgresql_down.py",
        old='        pagerduty("on-call"),\n', new="", check="scenarios/notifications",
        says="`PostgreSQLDown` lacks the notification pagerduty(`on-call`)",
    ),
    Sabotage(
        id="scenario-whose-fault-is-gone", file="scenarios/database/postgresql_down.py",
        old="import ServiceStopped", new="import ServiceStoped", check="scenarios/fault",
        says="`loadgen.faults.service` has no fault `ServiceStoped`.\n  Did you mean",
    ),
    Sabotage(
        id="scenario-whose-fault-lies-elsewhere", file="scenarios/database/postgresql_down.py",
        old="from loadgen.faults.service import", new="from loadgen.faults import",
        check="scenarios/fault", says="`loadgen.faults` has no fault `ServiceStopped`.",
    ),
]  # fmt: skip


def problems(copy: Path, programs: Programs, tests: str = "") -> list[Problem]:
    """All that reads the configuration, and those unit tests."""
    configuration = load(copy / "stack" / "config")
    found = [
        *declared.check(configuration, copy / "scenarios"),
        *routing.check(configuration),
        *delivery.check(configuration),
        *inhibition.check(configuration),
        *notifications.check(configuration, programs),
        *logrules.check(configuration),
    ]
    found += [one for file in configuration.log_tests
              for one in logtests.check(configuration, file)]  # fmt: skip
    for file in configuration.unit_tests:
        if file.path.name == tests:
            found += check_unit_tests(file, programs)
    return found


def test_whole_copy_has_nothing_wrong(copy: Path, programs: Programs) -> None:
    assert problems(copy, programs) == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_sabotage_is_named(row: Sabotage, copy: Path, sabotage, programs: Programs) -> None:
    sabotage(row.file, row.old, row.new)
    said = [one.text(copy) for one in problems(copy, programs, row.tests) if one.check == row.check]
    assert any(row.says in one for one in said), said


@pytest.mark.parametrize(
    ("file", "old", "tests", "outcome"),
    [
        (DATABASE, "        for: 1m\n", "database.yml", "expected no alert, got {"),
        (HOST, FULL, "infrastructure.yml", "}, got no alert."),
        (LOGS, "        for: 1m\n", "", "expected no alert, got {"),
    ],
    ids=["too soon", "never", "on logs"],
)
def test_alert_that_comes_or_not_may_be_due_to_its_for(
    file: str, old: str, tests: str, outcome: str, copy: Path, sabotage, programs: Programs
) -> None:
    sabotage(file, old, ") < 0.02" if old == FULL else "")
    found = [one for one in problems(copy, programs, tests) if one.check.endswith("unit-test")]
    assert any(outcome in one.what for one in found), found
    for one in found:
        assert one.cure == "Fix the expression, its `for`, or the test, whichever is wrong."
