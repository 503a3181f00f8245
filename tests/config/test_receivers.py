"""What each receiver is: one channel, one destination, written for production."""

import yaml

from stack.durations import seconds
from stack.paths import REPO

DOCUMENT = yaml.safe_load(
    (REPO / "stack" / "config" / "alertmanager" / "alertmanager.yml").read_text()
)
RECEIVERS = {receiver["name"]: receiver for receiver in DOCUMENT["receivers"]}
TEAMS = ("platform", "database", "infrastructure", "scheduling", "compliance")


def test_receivers_are_heartbeat_on_call_and_two_for_each_team() -> None:
    wanted = {f"{kind}-{team}" for kind in ("slack", "email") for team in TEAMS}
    assert set(RECEIVERS) == wanted | {"heartbeat", "on-call"}


def test_receivers_have_the_destination_of_their_team() -> None:
    for team in TEAMS:
        (chat,) = RECEIVERS[f"slack-{team}"]["slack_configs"]
        (mail,) = RECEIVERS[f"email-{team}"]["email_configs"]
        assert chat["channel"] == f"#alerts-{team}"
        assert mail["to"] == f"{team}@residency.example"


def test_receivers_differ_in_destination_alone() -> None:
    for kind, key in (("slack", "channel"), ("email", "to")):
        rest = [
            {name: value for name, value in config.items() if name != key}
            for team in TEAMS
            for config in RECEIVERS[f"{kind}-{team}"][f"{kind}_configs"]
        ]
        assert all(one == rest[0] for one in rest)


def test_receivers_use_one_channel_each_and_send_the_end() -> None:
    for name, receiver in RECEIVERS.items():
        (configs,) = [value for key, value in receiver.items() if key != "name"]
        # A monitor of heartbeats would take the end for another beat.
        assert [config["send_resolved"] for config in configs] == [name != "heartbeat"], name


def test_route_waits_are_those_of_production() -> None:
    route = DOCUMENT["route"]
    assert route["group_by"] == ["alertname", "team"]
    assert (route["group_wait"], route["group_interval"]) == ("30s", "5m")
    assert route["repeat_interval"] == "4h"


def test_heartbeat_is_sent_every_minute() -> None:
    first = DOCUMENT["route"]["routes"][0]
    # Twice the group is looked at; the first time the last beat is too young.
    assert (first["receiver"], first["group_interval"]) == ("heartbeat", "30s")
    flush_s, repeat_s = seconds(first["group_interval"]), seconds(first["repeat_interval"])
    assert flush_s < repeat_s < 2 * flush_s == 60


def test_secrets_are_in_files_only() -> None:
    (page,) = RECEIVERS["on-call"]["pagerduty_configs"]
    assert page["routing_key_file"].startswith("secrets/")
    assert DOCUMENT["global"]["slack_api_url_file"].startswith("secrets/")
