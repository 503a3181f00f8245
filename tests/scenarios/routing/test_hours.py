"""Routes that rest: proven inside and outside of their intervals, by the real Alertmanager."""

import shutil
from pathlib import Path

import pytest

from scenarios.routing import hours, run
from scenarios.routing.run import RoutingCase
from scenarios.tasks.verify_alerts import verify_alerts
from stack.config import audience
from stack.config.audience import HOME, TEAMS, Hours
from stack.errors import CheckFailed
from stack.paths import CONFIG_ROOT

NIGHTS = """
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: 22:00, end_time: 24:00}, {start_time: 00:00, end_time: 06:00}]
        location: Europe/Berlin
  - name: office-hours
    time_intervals:
      - times: [{start_time: 08:00, end_time: 17:00}]
        weekdays: [monday:friday]
"""
"""In the evening neither of them is."""

NAME = "routing/hours"
CASE = RoutingCase(name=NAME, play=hours.prove, second=True)


def _route(channel: str, severity: str, rest: str, forgotten: str) -> list[str]:
    return [
        f"    - receiver: {channel}-platform",
        f"      matchers: ['severity=\"{severity}\"']",
        f"      {rest}",
        "      routes:",
        *(f"        - {{receiver: {channel}-{team}, matchers: ['team=\"{team}\"']"
          + ("" if forgotten == f"{channel}-{team}" else f", {rest}") + "}"
          for team in TEAMS if team != HOME),
    ]  # fmt: skip


def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, forgotten: str = "") -> Path:
    """Configuration in which warnings rest by email at night, and infos are sent in office hours;
    the receiver `forgotten` rests never."""
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, root)
    file = root / "alertmanager" / "alertmanager.yml"
    lines = file.read_text().splitlines()
    email = _route("email", "warning", "mute_time_intervals: [nights]", forgotten)
    email.insert(2, "      continue: true")
    slack = _route("slack", "info", "active_time_intervals: [office-hours]", forgotten)
    at = lines.index("    - receiver: email-platform")
    lines[at + 1] = lines[at + 1].replace("critical|warning", "critical")
    file.write_text("\n".join([*lines[:at], *slack, *email, *lines[at:]]) + NIGHTS)
    monkeypatch.setattr(
        audience,
        "HOURS",
        {
            ("warning", "email"): Hours(mute=frozenset({"nights"})),
            ("info", "slack"): Hours(active=frozenset({"office-hours"})),
        },
    )
    monkeypatch.setattr(run, "CASES", (*run.CASES, CASE))
    return root


def test_who_rests_is_told_afterwards_and_nobody_else_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lab(tmp_path, monkeypatch)
    assert verify_alerts([NAME], speed=60, reports=tmp_path, config_root=root) == 0


@pytest.mark.nightly
def test_who_is_told_at_night_against_the_audience_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lab(tmp_path, monkeypatch, forgotten="email-database")
    with pytest.raises(CheckFailed):
        verify_alerts([NAME], speed=60, reports=tmp_path, config_root=root)
    assert "email database@residency.example: " in capsys.readouterr().out
