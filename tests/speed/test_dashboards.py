"""Dashboards at a speed: ranges are divided, Grafana's macros and thresholds are not."""

import json

import pytest

from stack.errors import BadInput
from stack.paths import CONFIG_ROOT
from stack.speed.dashboards import panels, scale_dashboard, scale_panel_query

DASHBOARDS = sorted((CONFIG_ROOT / "grafana" / "dashboards").glob("*.json"))


@pytest.mark.parametrize(
    ("query", "logs", "scaled"),
    [
        ("up", False, "up"),
        ("rate(a[5m]) > 0.05", False, "rate(a[5s]) > 0.05"),
        ("rate(a[$__rate_interval])", False, "rate(a[$__rate_interval])"),
        (
            "rate(a[$__rate_interval]) / rate(b[5m] offset 1d) / rate(c[$__range])",
            False,
            "rate(a[$__rate_interval]) / rate(b[5s] offset 24m) / rate(c[$__range])",
        ),
        ("predict_linear(a[1h], 4 * 3600)", False, "predict_linear(a[1m], 4 * 60)"),
        ("time() - a", False, "time() - a"),
        ('{a="b"} |= `$search`', True, '{a="b"} |= `$search`'),
        ('rate({a="b"}[5m])', True, 'rate({a="b"} [5s])'),
        ('rate({a=~"$service"}[$__auto])', True, 'rate({a=~"$service"} [$__auto])'),
    ],
)
def test_query_of_a_panel(query: str, logs: bool, scaled: str) -> None:
    assert scale_panel_query(query, 60, logs=logs, scrape_interval_s=0.25) == scaled


@pytest.mark.parametrize(("query", "logs"), [("rate(", False), ("rate({a=", True)])
def test_query_that_does_not_parse_is_refused(query: str, logs: bool) -> None:
    with pytest.raises(BadInput):
        scale_panel_query(query + "[5m]", 60, logs=logs)


def test_speed_one_changes_nothing() -> None:
    document = json.loads(DASHBOARDS[0].read_text())
    assert scale_dashboard(document, 1, scrape_interval_s=15) == document


def test_dashboard_of_an_old_schema_is_scaled_too() -> None:
    logs = {"datasource": "$loki_datasource", "targets": [{"expr": '{a="b"} |= `x`'}]}
    metrics = {"datasource": None, "targets": [{"expr": "rate(a[5m])"}]}
    scaled = scale_dashboard({"rows": [{"panels": [logs, metrics]}]}, 60, scrape_interval_s=0.25)
    asked = [panel["targets"][0]["expr"] for panel in panels(scaled)]
    assert asked == ['{a="b"} |= `x`', "rate(a[5s])"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_our_dashboards_are_scaled_in_their_queries_and_time_alone(path) -> None:
    document = json.loads(path.read_text())
    scaled = scale_dashboard(document, 60, scrape_interval_s=0.25)
    assert scaled["time"]["from"] == "now-5m"
    assert scaled["refresh"] == "5s"
    for panel in panels(scaled):
        panel.pop("targets", None)
    for panel in panels(document):
        panel.pop("targets", None)
    assert [*panels(scaled)] == [*panels(document)]


def test_least_intervals_between_points_are_divided_in_whole_seconds() -> None:
    targets = [{"interval": "5m"}, {"interval": "$__interval"}, {"step": "30s"}, {"step": 2}]
    document = {"panels": [{"interval": "1m", "targets": targets}, {"interval": "", "targets": []}]}
    first, second = scale_dashboard(document, 60, scrape_interval_s=0.25)["panels"]
    assert (first["interval"], second["interval"]) == ("1s", "")
    assert first["targets"] == [
        {"interval": "5s"}, {"interval": "$__interval"}, {"step": "1s"}, {"step": 2},
    ]  # fmt: skip
