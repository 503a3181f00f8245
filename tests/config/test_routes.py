"""Who hears of what: the routing table, asked of amtool."""

import subprocess
from pathlib import Path

import pytest

from stack.check import receivers
from stack.check.yamlfile import parse
from stack.config.audience import CHANNELS, TEAMS, destinations
from stack.paths import CONFIG_ROOT
from stack.store.packageset import realise

CONFIG = CONFIG_ROOT / "alertmanager" / "alertmanager.yml"
NOTIFIES = {one.name: [whom for whom, _ in one.destinations]
            for one in receivers.read(parse(CONFIG))}  # fmt: skip
# Refused by `doit check`; if they come all the same, somebody sees it.
UNKNOWN = ("unheard-of", None)


@pytest.fixture(scope="module")
def amtool() -> Path:
    return realise(["alertmanager"])["alertmanager"] / "bin" / "amtool"


@pytest.mark.parametrize("severity", [*CHANNELS, *UNKNOWN])
@pytest.mark.parametrize("team", [*TEAMS, *UNKNOWN])
def test_route_leads_to_exactly_whom_the_audience_names(
    amtool: Path, severity: str | None, team: str | None
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
    led = [whom for name in done.stdout.strip().split(",") for whom in NOTIFIES[name]]
    assert sorted(led) == sorted(destinations(severity, team))
