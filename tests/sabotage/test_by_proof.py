"""Sabotages that a running Alertmanager shows: four at once, each seen by a proof of its own."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from scenarios.tasks.verify_alerts import verify_alerts
from stack.errors import CheckFailed

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
