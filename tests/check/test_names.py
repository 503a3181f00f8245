"""Files that belong to an alert, from its name."""

from pathlib import Path

import pytest

from stack.check.names import runbook_path, runbook_url, scenario_path


@pytest.mark.parametrize(
    ("alert", "stem"),
    [
        ("Watchdog", "watchdog"),
        ("TargetDown", "target_down"),
        ("HighLatencyP95", "high_latency_p95"),
        ("PostgreSQLDown", "postgresql_down"),
        ("PostgreSQLHighConnections", "postgresql_high_connections"),
        ("DiskSpaceWarning", "disk_space_warning"),
        ("ACGMEComplianceViolations", "acgme_compliance_violations"),
        ("HighCPUUsage", "high_cpu_usage"),
        ("ContainerCPUHigh", "container_cpu_high"),
        ("APIServiceDown", "api_service_down"),
        ("DiskWillFillIn4Hours", "disk_will_fill_in_4_hours"),
    ],
)
def test_scenario_path_is_the_name_in_snake_case(alert: str, stem: str) -> None:
    path = scenario_path(alert, Path("anywhere/rules/database.yml"))
    assert path == Path("database") / f"{stem}.py"


def test_runbook_has_one_name_on_disk_and_in_the_link(tmp_path: Path) -> None:
    assert runbook_path("TargetDown", tmp_path) == tmp_path / "runbooks" / "TargetDown.md"
    assert runbook_url("TargetDown").endswith("/stack/config/runbooks/TargetDown.md")
