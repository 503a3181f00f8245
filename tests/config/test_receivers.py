"""What each receiver is: one channel, its team's destinations, written for production."""

import yaml

from stack.check import receivers
from stack.check.yamlfile import parse
from stack.config.audience import CHANNELS, TEAMS, destinations
from stack.durations import seconds
from stack.paths import CONFIG_ROOT

FILE = CONFIG_ROOT / "alertmanager" / "alertmanager.yml"
DOCUMENT = yaml.safe_load(FILE.read_text())
RECEIVERS = {receiver["name"]: receiver for receiver in DOCUMENT["receivers"]}


def test_receivers_notify_everybody_whom_the_audience_names_and_nobody_twice() -> None:
    notified = [one for each in receivers.read(parse(FILE)) for one, _ in each.destinations]
    named = {one for severity in CHANNELS for team in TEAMS for one in destinations(severity, team)}
    assert sorted(notified) == sorted(named)


def test_receivers_of_a_channel_differ_in_destination_alone() -> None:
    for kind, key in (("slack_configs", "channel"), ("email_configs", "to")):
        rest = [
            {name: value for name, value in config.items() if name != key}
            for receiver in RECEIVERS.values()
            for config in receiver.get(kind, [])
        ]
        assert len(rest) >= len(TEAMS)
        assert all(one == rest[0] for one in rest)


def test_receivers_use_one_channel_each_and_send_the_end() -> None:
    for name, receiver in RECEIVERS.items():
        (configs,) = [value for key, value in receiver.items() if key != "name"]
        # A monitor of heartbeats would take the end for another beat.
        assert {config["send_resolved"] for config in configs} == {name != "heartbeat"}, name


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
    assert page["routing_key_file"].startswith("/run/secrets/")
    assert DOCUMENT["global"]["slack_api_url_file"].startswith("/run/secrets/")
