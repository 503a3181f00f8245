"""Time intervals in alertmanager.yml: what is wrong with them is told with its line."""

from collections.abc import Callable

import pytest

from stack.check import table
from stack.check.run import Setup, find_problems
from stack.config import audience
from stack.config.audience import Hours

FILE = "alertmanager/alertmanager.yml"
MUTED = "- {receiver: email-database, matchers: ['team=\"database\"']"
NIGHTS = """
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '00:00', end_time: '06:00'}]
inhibit_rules:
"""


@pytest.mark.parametrize(
    ("interval", "route", "said"),
    [
        (NIGHTS, ", mute_time_intervals: [nights]",
         ["by this route email is told of severity `critical` outside of `nights`, and not at any"
          " time.",
          "by this route email is told of severity `warning` outside of `nights`, and not at any"
          " time."]),
        (NIGHTS, "", ["no route uses the time interval `nights`."]),
        (NIGHTS, ", mute_time_intervals: [night]",
         ["there is no time interval `night`.", "no route uses the time interval `nights`."]),
        (NIGHTS.replace("00:00", "22:00"), ", mute_time_intervals: [nights]",
         ["time_intervals[0].time_intervals[0]: `times`: 22:00 is not before 06:00."]),
        (NIGHTS.replace("'06:00'}]", "'06:00'}]\n        years: ['1970']"),
         ", mute_time_intervals: [nights]",
         ["the time interval `nights` does not come within the next four years."]),
    ],
    ids=["resting", "unused", "unknown", "midnight", "over"],
)  # fmt: skip
def test_check_names_what_is_wrong_with_hours(
    setup: Setup, edit: Callable[..., int], interval: str, route: str, said: list[str]
) -> None:
    edit(FILE, "\ninhibit_rules:\n", interval)
    edit(FILE, MUTED, MUTED + route)
    found = [one for one in find_problems(setup) if one.check.startswith("hours/")]
    assert set(said) <= {one.what for one in found}
    assert all(one.line for one in found)


def test_who_rests_as_the_audience_says_is_right(
    setup: Setup, edit: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "HOURS", {("info", "slack"): Hours(mute=frozenset({"nights"}))})
    monkeypatch.setattr("stack.check.hours.HOURS", audience.HOURS)
    edit(FILE, "\ninhibit_rules:\n", NIGHTS)
    platform = "    - receiver: slack-platform\n"
    teams = [
        f"        - {{receiver: slack-{team}, matchers: ['team=\"{team}\"'],"
        " mute_time_intervals: [nights]}\n"
        for team in audience.TEAMS
        if team != audience.HOME
    ]
    slack = [
        platform,
        "      matchers: ['severity=\"info\"']\n",
        "      mute_time_intervals: [nights]\n      routes:\n",
        *teams,
    ]
    edit(FILE, platform, "".join([*slack, platform]))
    assert [one.what for one in find_problems(setup)] == []


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ({("warn", "email"): Hours()}, "is no severity with a channel by which it is told"),
        ({("info", "email"): Hours()}, "is no severity with a channel by which it is told"),
        ({("info", "slack"): Hours(mute="nights")}, "which names no intervals"),  # type: ignore[arg-type]
        ({("info", "slack"): ("nights",)}, "is ('nights',), which names no intervals"),
    ],
)  # fmt: skip
def test_slip_in_the_hours_of_the_audience_is_told(
    monkeypatch: pytest.MonkeyPatch, slip: dict[tuple[str, str], Hours], said: str
) -> None:
    monkeypatch.setattr(audience, "HOURS", slip)
    (found,) = table.check()
    assert said in found.what
    assert found.line
