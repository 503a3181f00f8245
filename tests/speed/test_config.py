"""Prometheus' and Alertmanager's configuration at a speed."""

import copy
from typing import Any

import pytest

from stack import speed
from stack.errors import BadInput

PROMETHEUS = {
    "global": {
        "scrape_interval": "15s",
        "scrape_timeout": "10s",
        "evaluation_interval": "30s",
        "rule_query_offset": "1m",
        "external_labels": {"window": "5m"},
    },
    "alerting": {"alertmanagers": [{"timeout": "10s"}]},
    "remote_write": [{"url": "http://x", "remote_timeout": "30s"}],
    "scrape_configs": [
        {"job_name": "a"},
        {"job_name": "slow", "scrape_interval": "5m"},
        {"job_name": "patient", "scrape_interval": "1m", "scrape_timeout": "2s"},
        {"job_name": "quick", "scrape_interval": "5m", "scrape_timeout": "2s"},
        {"job_name": "late", "scrape_timeout": "1500ms"},
    ],
}
PROMETHEUS_AT_60 = {
    **PROMETHEUS,
    "global": {
        "scrape_interval": "250ms",
        "scrape_timeout": "250ms",
        "evaluation_interval": "500ms",
        "rule_query_offset": "1s",
        "external_labels": {"window": "5m"},
    },
    "scrape_configs": [
        {"job_name": "a"},
        {"job_name": "slow", "scrape_interval": "5s", "scrape_timeout": "5s"},
        {"job_name": "patient", "scrape_interval": "2s", "scrape_timeout": "2s"},
        {"job_name": "quick", "scrape_interval": "5s", "scrape_timeout": "2s"},
        {"job_name": "late", "scrape_interval": "1s500ms", "scrape_timeout": "1500ms"},
    ],
}

ALERTMANAGER = {
    "global": {"resolve_timeout": "10m", "smtp_from": "a@b"},
    "route": {
        "receiver": "r",
        "group_wait": "30s",
        "routes": [
            {"receiver": "p", "group_wait": "0s", "repeat_interval": "1h"},
            {"receiver": "q", "routes": [{"receiver": "s", "group_interval": "1s"}]},
        ],
    },
    "inhibit_rules": [],
    "receivers": [{"name": "r", "webhook_configs": [{"url": "http://x", "timeout": "10s"}]}],
}
ALERTMANAGER_AT_60 = {
    **ALERTMANAGER,
    "global": {"resolve_timeout": "10s", "smtp_from": "a@b"},
    "route": {
        "receiver": "r",
        "group_wait": "500ms",
        "group_interval": "5s",
        "repeat_interval": "4m",
        "routes": [
            {"receiver": "p", "group_wait": "0s", "repeat_interval": "1m"},
            {"receiver": "q", "routes": [{"receiver": "s", "group_interval": "200ms"}]},
        ],
    },
}


@pytest.mark.parametrize("document", [{}, PROMETHEUS])
def test_prometheus_at_speed_1_is_as_written(document: dict[str, Any]) -> None:
    assert speed.scale_prometheus(document, 1) == document


def test_prometheus_intervals_are_divided_and_the_rest_left() -> None:
    before = copy.deepcopy(PROMETHEUS)
    assert speed.scale_prometheus(PROMETHEUS, 60) == PROMETHEUS_AT_60
    assert before == PROMETHEUS


@pytest.mark.parametrize("document", [{}, {"global": None}, {"global": {}}])
def test_prometheus_defaults_become_explicit(document: dict[str, Any]) -> None:
    assert speed.scale_prometheus(document, 10)["global"] == {
        "scrape_interval": "6s",
        "scrape_timeout": "6s",
        "evaluation_interval": "6s",
    }


@pytest.mark.parametrize(
    ("interval", "factor", "scaled"),
    [("15s", 60, "250ms"), ("15s", 75, "200ms"), ("15s", 3600, "200ms"), ("100ms", 60, "100ms")],
)
def test_prometheus_scrape_interval_has_a_floor(interval: str, factor: float, scaled: str) -> None:
    document = {"global": {"scrape_interval": interval}}
    assert speed.scale_prometheus(document, factor)["global"]["scrape_interval"] == scaled


def test_prometheus_scales_in_two_steps_as_in_one() -> None:
    # A job of its own pace gets a timeout of its own, which the second step would take as written.
    plain = {**PROMETHEUS, "scrape_configs": [{"job_name": "a"}]}
    once = speed.scale_prometheus(plain, 60)
    assert speed.scale_prometheus(speed.scale_prometheus(plain, 4), 15) == once


@pytest.mark.parametrize(
    ("document", "interval_s"), [({}, 60), (PROMETHEUS, 15), (PROMETHEUS_AT_60, 0.25)]
)
def test_scrape_interval_is_the_global_one(document: dict[str, Any], interval_s: float) -> None:
    assert speed.scrape_interval(document) == interval_s


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "prometheus: `global` is not a mapping"),
        ({"global": ["x"]}, "prometheus: `global` is not a mapping"),
        ({"scrape_configs": {"a": 1}}, "prometheus: `scrape_configs` is not a list of mappings"),
        ({"scrape_configs": ["a"]}, "prometheus: `scrape_configs` is not a list of mappings"),
        ({"global": {"scrape_interval": "15"}}, "global: scrape_interval: `15` is not a duration"),
        (
            {"scrape_configs": [{"job_name": "a", "scrape_timeout": "1.5s"}]},
            "job `a`: scrape_timeout: `1.5s` is not a duration",
        ),
    ],
)
def test_prometheus_of_another_shape_is_refused(document: Any, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        speed.scale_prometheus(document, 60)
    assert message in refused.value.what


@pytest.mark.parametrize("document", [{}, ALERTMANAGER, {"time_intervals": [{"name": "night"}]}])
def test_alertmanager_at_speed_1_is_as_written(document: dict[str, Any]) -> None:
    assert speed.scale_alertmanager(document, 1) == document


def test_alertmanager_routes_are_divided_at_any_depth() -> None:
    before = copy.deepcopy(ALERTMANAGER)
    assert speed.scale_alertmanager(ALERTMANAGER, 60) == ALERTMANAGER_AT_60
    assert before == ALERTMANAGER


def test_alertmanager_defaults_become_explicit_at_the_root_alone() -> None:
    scaled = speed.scale_alertmanager({"route": {"receiver": "r", "routes": [{}]}}, 60)
    assert scaled == {
        "global": {"resolve_timeout": "5s"},
        "route": {
            "receiver": "r",
            "group_wait": "500ms",
            "group_interval": "5s",
            "repeat_interval": "4m",
            "routes": [{}],
        },
    }


NIGHT = {"name": "night", "time_intervals": [
    {"times": [{"start_time": "00:00", "end_time": "06:00"}]}]}  # fmt: skip
DAY = {"name": "day", "time_intervals": [{"weekdays": ["monday:friday"]}]}


def test_alertmanager_lives_on_a_wednesday_at_noon() -> None:
    route = {"routes": [{"mute_time_intervals": ["night"], "active_time_intervals": ["day"]}]}
    scaled = speed.scale_alertmanager({"time_intervals": [NIGHT, DAY], "route": route}, 60)
    always = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
    assert scaled["time_intervals"] == [
        {"name": "night", "time_intervals": [{"years": ["1970"]}]},
        {"name": "day", "time_intervals": always},
    ]
    assert scaled["route"]["routes"] == route["routes"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"route": "r"}, "alertmanager: `route` is not a mapping"),
        ({"route": {"routes": [{"routes": "r"}]}}, "route.routes[0]: `routes` is not a list"),
        ({"route": {"routes": [{"group_wait": "x"}]}}, "route.routes[0]: group_wait: `x` is not a"),
    ],
)
def test_alertmanager_of_another_shape_is_refused(document: Any, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        speed.scale_alertmanager(document, 60)
    assert message in refused.value.what


@pytest.mark.parametrize(
    ("factor", "flags"),
    [
        (1, ["grace-period=1m"]),
        (10, ["resend-delay=6s", "lookback-delta=30s", "grace-period=6s", "tolerance=6m"]),
        (60, ["resend-delay=1s", "lookback-delta=5s", "grace-period=1s", "tolerance=1m"]),
        (600, ["resend-delay=1s", "lookback-delta=2s", "grace-period=100ms", "tolerance=6s"]),
    ],
)
def test_prometheus_flags_are_divided_down_to_their_floors(factor: float, flags: list[str]) -> None:
    given = speed.prometheus_flags(factor)
    assert len(given) == len(flags)
    assert all(flag.endswith(end) for flag, end in zip(given, flags, strict=True))


@pytest.mark.parametrize(
    ("factor", "flags"),
    [
        (1, []),
        (60, ["--data.retention=7200s"]),
        (7, ["--data.retention=61714.286s"]),
        (100_000, ["--data.retention=600s"]),
    ],
)
def test_alertmanager_remembers_for_as_long_at_any_speed(factor: float, flags: list[str]) -> None:
    assert speed.alertmanager_flags(factor) == flags
