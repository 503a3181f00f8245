"""Sabotages that a running Alertmanager shows: four at once, each seen by a proof of its own."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from scenarios.tasks.verify_alerts import verify_alerts
from stack.errors import BadInput, CheckFailed

pytestmark = [pytest.mark.usefixtures("state_dir"), pytest.mark.alone]

ALERTMANAGER = "stack/config/alertmanager/alertmanager.yml"
TABLE = {
    "routing/info": (
        """['severity=~"critical|warning"']""",
        """['severity=~"critical|warning|info"']""",
        "firing notification `[FIRING:1] RoutedInfo",
    ),
    "routing/twins": (
        """target_matchers: ['alertname="HighCPUUsage"']\n    equal: [instance]\n""",
        """target_matchers: ['alertname="HighCPUUsage"']\n""",
        "Slack #alerts-platform: 1 firing notification of HighCPUUsage, expected by",
    ),
    "routing/silence": (
        "{<<: *slack, channel: '#alerts-scheduling'}",
        "{<<: *slack, channel: '#alerts-scheduling', send_resolved: false}",
        "Slack #alerts-scheduling: 1 resolved notification of Routed",
    ),
    "routing/grouping": (
        "group_by: [alertname, team]",
        "group_by: [alertname, team, instance]",
        "firing notification on PagerDuty on-call does not name host-",
    ),
}
"""Proof → what is replaced by what, and what the proof says."""


@pytest.mark.nightly
def test_sabotage_is_named_by_its_proof(tmp_path: Path, copy: Path, sabotage) -> None:
    for old, new, _ in TABLE.values():
        sabotage(ALERTMANAGER, old, new)
    reports = tmp_path / "reports"
    with pytest.raises(CheckFailed, match="not proven: routing/"):
        verify_alerts(list(TABLE), reports=reports, config_root=copy / "stack" / "config")
    cases = ET.parse(reports / "latest" / "junit.xml").getroot().iter("testcase")
    said = {case.get("name"): str(found.get("message"))
            for case in cases if (found := case.find("failure")) is not None}  # fmt: skip
    assert {
        name: wanted for name, (_, _, wanted) in TABLE.items() if wanted not in said[name]
    } == {}, said


TEMPLATES = "stack/config/alertmanager/templates/"
PROMETHEUS = "stack/config/prometheus/prometheus.yml"
FALSE = {
    # What a message says.
    "mail-says-firing-of-what-has-ended": (
        TEMPLATES + "email.tmpl", "RESOLVED at", "FIRING since",
        "resolved notification on email database@residency.example: text: an alert that is "
        "resolved is shown as firing and resolved",
    ),
    "mail-without-description": (
        TEMPLATES + "email.tmpl", ".Annotations.description", ".Annotations.desription",
        "text: the description of the rule is not in it",
    ),
    "title-without-summary": (
        TEMPLATES + "title.tmpl", "summary }} - {{ . }}{{ else }}", "summary }}{{ else }}",
        "does not give the summary",
    ),
    "mail-without-runbook": (
        TEMPLATES + "email.tmpl", ".CommonAnnotations.runbook_url",
        ".CommonAnnotations.runbok_url", "runbook: it does not link",
    ),
    "slack-lists-the-resolved-as-firing": (
        TEMPLATES + "slack.tmpl", '*Firing*{{ template "slack.lab.alerts" .Alerts.Firing',
        '*Firing*{{ template "slack.lab.alerts" .Alerts.Resolved',
        "firing notification on Slack #alerts-database: text: ",
    ),
    "pagerduty-severity": (
        ALERTMANAGER, "severity: critical\n", "severity: info\n",
        "PagerDuty is told severity `info`",
    ),
    "colours-swapped": (
        TEMPLATES + "slack.tmpl", "}}danger{{", "}}good{{", "the colour of firing critical alerts",
    ),
    "mail-colours-swapped": (
        TEMPLATES + "email.tmpl", "#c62828", "#2e7d32", "the colour of firing critical alerts",
    ),
    # How soon somebody hears, and how often.
    "group-wait": (
        ALERTMANAGER, "group_wait: 30s", "group_wait: 10m",
        "expected 1 firing notification, got 0 within",
    ),
    "evaluation-interval": (
        PROMETHEUS, "evaluation_interval: 15s", "evaluation_interval: 5m",
        "after its deadline of",
    ),
}  # fmt: skip
"""What was once proven although nobody would have been helped → what is replaced by what, where,
and what the proof says."""


@pytest.mark.nightly
@pytest.mark.parametrize("name", FALSE)
def test_what_helps_nobody_is_not_proven(name: str, tmp_path: Path, copy: Path, sabotage) -> None:
    file, old, new, wanted = FALSE[name]
    sabotage(file, old, new)
    reports = tmp_path / "reports"
    with pytest.raises(CheckFailed, match=r"not proven: PostgreSQLDown\."):
        verify_alerts(["PostgreSQLDown"], reports=reports, config_root=copy / "stack" / "config")
    [case] = ET.parse(reports / "latest" / "junit.xml").getroot().iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert wanted in str(failure.get("message"))


@pytest.mark.nightly
@pytest.mark.parametrize("interval", ["1m", "2m"])
def test_interval_that_only_works_at_speed_is_refused(interval: str, copy: Path, sabotage) -> None:
    """At true speed `rate(…[1m])` would never have enough samples."""
    sabotage(PROMETHEUS, "scrape_interval: 15s", f"scrape_interval: {interval}")
    with pytest.raises(BadInput, match="looks back over"):
        verify_alerts(["HighCPUUsage"], config_root=copy / "stack" / "config")


@pytest.mark.nightly
def test_repetition_that_comes_too_often_is_not_proven(
    tmp_path: Path, copy: Path, sabotage
) -> None:
    sabotage(ALERTMANAGER, "repeat_interval: 4h", "repeat_interval: 1m")
    reports = tmp_path / "reports"
    with pytest.raises(CheckFailed, match=r"not proven: routing/repeat\."):
        verify_alerts(["routing/repeat"], reports=reports, config_root=copy / "stack" / "config")
    said = (reports / "latest" / "junit.xml").read_text()
    assert "promised is at most every 0.50 s" in said
