"""Everything stands at 0 before anything has happened, and only what happened moves."""

import pytest
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from stack.programs.scheduler import acgme
from stack.programs.scheduler.app import ROUTERS, create_app
from stack.programs.scheduler.metrics import ActiveUsers, Metrics
from stack.programs.scheduler.requests import REQUEST_BUCKETS_S, Requests
from stack.programs.scheduler.settings import Settings

ROUTES = [
    (method, route.path, route.status_code or 200)
    for module in ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
]
COUNTED = [route for route in ROUTES if route[1].startswith("/api/")]


def fresh() -> Metrics:
    app = create_app(Settings(conninfo="host=127.0.0.1 port=1 dbname=x"))
    metrics: Metrics = app.state.services.metrics
    return metrics


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("schedule_generation_total", "outcome", ("success", "failure")),
        (
            "schedule_generation_failures_total",
            "reason",
            ("no_staff", "invalid_range", "database"),
        ),
        ("acgme_compliance_violations_total", "rule", acgme.RULES),
        ("swap_requests_total", "status", ("pending", "approved", "rejected")),
        ("log_records_total", "level", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        ("db_pool_connections", "state", ("idle", "in_use")),
    ],
)
def test_series_stand_at_zero(name: str, label: str, values: tuple[str, ...]) -> None:
    registry = fresh().registry
    assert [registry.get_sample_value(name, {label: value}) for value in values] == [0] * len(
        values
    )


@pytest.mark.parametrize("name", ["active_users", "schedule_generation_duration_seconds_count"])
def test_series_without_labels_stand_at_zero(name: str) -> None:
    assert fresh().registry.get_sample_value(name) == 0


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_http_series_stand_at_zero_for_every_route() -> None:
    shown = samples(fresh().text().decode())
    assert len(COUNTED) == 20
    for method, path, success in COUNTED:
        labels = {("method", method), ("path", path)}
        assert shown["http_request_duration_seconds_count", frozenset(labels)] == 0
        for status in (success, 422, 500, 503):
            counted = shown["http_requests_total", frozenset(labels | {("status", str(status))})]
            assert counted == 0, (method, path, status)


def test_requests_read_as_those_of_prometheus_client() -> None:
    registry, requests = CollectorRegistry(), Requests()
    where = ["method", "path"]
    count = Counter("http_requests_total", "x", [*where, "status"], registry=registry)
    time = Histogram(
        "http_request_duration_seconds", "x", where, buckets=REQUEST_BUCKETS_S, registry=registry
    )
    requests.expect("GET", "/a", [200, 404])
    for status in ("200", "404"):
        count.labels("GET", "/a", status)
    for path, status, seconds in (
        *(("/a", 200, 0.0), ("/a", 200, 0.005), ("/a", 404, 0.0051), ("/a", 503, 2.0)),
        *(("/b", 200, 30.0), ("/b", 200, 31.5)),
    ):
        requests.answered("GET", path, status, seconds)
        count.labels("GET", path, str(status)).inc()
        time.labels("GET", path).observe(seconds)
    expected = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
    }
    assert samples(requests.text()) == expected


def test_routes_without_login_are_the_only_ones_without_401() -> None:
    open_routes = {
        route.path
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute) and 401 not in route.responses
    }
    assert open_routes == {"/health", "/health/ready", "/metrics"}


def test_buckets_have_edges_at_the_thresholds() -> None:
    assert {2, 5} <= set(REQUEST_BUCKETS_S)
    assert list(REQUEST_BUCKETS_S) == sorted(set(REQUEST_BUCKETS_S))


def test_no_created_series() -> None:
    assert b"_created" not in fresh().text()


def test_active_users_are_distinct_tokens_within_the_window() -> None:
    now = [100.0]
    active = ActiveUsers(5.0, clock=lambda: now[0])
    assert active.count() == 0
    for serial in ("a", "b", "a"):
        active.saw(serial)
    assert active.count() == 2
    now[0] = 104.0
    active.saw("b")
    now[0] = 105.5
    assert active.count() == 1


def test_health_and_metrics_are_not_counted(api) -> None:
    for path in ("/health", "/health/ready", "/metrics", "/openapi.json"):
        api(None, "GET", path)
        assert path not in api.http.get("/metrics").text


def test_requests_are_counted_under_their_template(api) -> None:
    labels = {"method": "GET", "path": "/api/v1/people/{person_id}"}
    api("resident01", "GET", "/api/v1/people/1")
    api("resident01", "GET", "/api/v1/people/2")
    api("resident01", "GET", "/api/v1/people/999")
    assert api.sample("http_requests_total", **labels, status="200") == 2
    assert api.sample("http_requests_total", **labels, status="404") == 1
    assert api.sample("http_request_duration_seconds_count", **labels) == 3


def test_requests_for_unknown_paths_share_one_label(api) -> None:
    unmatched = {"method": "GET", "path": "unmatched", "status": "404"}
    assert api.sample("http_requests_total", **unmatched) == 0
    api(None, "GET", "/wp-admin")
    api(None, "GET", "/.env")
    assert api.sample("http_requests_total", **unmatched) == 2
    api(None, "PURGE", "/pot")
    odd = {"method": "OTHER", "path": "unmatched", "status": "404"}
    assert api.sample("http_requests_total", **odd) == 1


def test_active_users_counts_logins(api) -> None:
    before = api.sample("active_users")
    api.login("resident21")
    api.login("resident22")
    assert api.sample("active_users") == before + 2
