"""Who hears of what: the routing table, asked of amtool."""

import subprocess
from pathlib import Path

import pytest

from stack.paths import REPO
from stack.store.packageset import realise

CONFIG = REPO / "stack" / "config" / "alertmanager" / "alertmanager.yml"

CHANNELS = {
    "critical": ("on-call", "email-{}", "slack-{}"),
    "warning": ("email-{}", "slack-{}"),
    "info": ("slack-{}",),
    "none": ("heartbeat",),
    # Refused by `doit check`; if it comes all the same, somebody sees it.
    "urgent": ("slack-{}",),
    None: ("slack-{}",),
}
TEAMS = {
    "database": "database",
    "infrastructure": "infrastructure",
    "scheduling": "scheduling",
    "compliance": "compliance",
    "platform": "platform",
    "databases": "platform",
    None: "platform",
}
TABLE = [
    pytest.param(severity, team, [name.format(home) for name in channels], id=f"{severity}-{team}")
    for severity, channels in CHANNELS.items()
    for team, home in TEAMS.items()
]


@pytest.fixture(scope="module")
def amtool() -> Path:
    return realise(["alertmanager"])["alertmanager"] / "bin" / "amtool"


@pytest.mark.parametrize(("severity", "team", "receivers"), TABLE)
def test_route_leads_to_exactly_these_receivers(
    amtool: Path, severity: str | None, team: str | None, receivers: list[str]
) -> None:
    labels = {"alertname": "Any", "severity": severity, "team": team}
    given = [f"{name}={value}" for name, value in labels.items() if value]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={CONFIG}", *given],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.strip().split(",") == receivers
