"""The viewer answers what tools ask of Grafana, in Grafana's shapes."""

import gzip
import json
from urllib.parse import quote

import psutil
import pytest

from tests.programs.viewer.bench import ADMIN, Viewer, dashboard, save


def test_health_has_grafanas_shape(viewer: Viewer) -> None:
    assert viewer.json("/api/health") == {
        "commit": "viewer", "database": "ok", "version": "13.1.1",
    }  # fmt: skip


def test_datasources_as_the_readme_asks_for_them(viewer: Viewer) -> None:
    found = viewer.json("/api/datasources", ADMIN)
    assert [one["name"] for one in found] == ["Alertmanager", "Loki", "Prometheus"]
    assert found[2] == {
        "id": 1, "uid": "prometheus", "orgId": 1, "name": "Prometheus", "type": "prometheus",
        "typeName": "Prometheus", "typeLogoUrl": "", "access": "proxy",
        "url": f"http://127.0.0.1:{viewer.source.port}", "user": "", "database": "",
        "basicAuth": False, "isDefault": True, "jsonData": {"timeInterval": "15s"},
        "readOnly": True,
    }  # fmt: skip
    assert viewer.json("/api/datasources/uid/prometheus", ADMIN) == found[2]
    assert viewer.said("GET", "/api/datasources/uid/graphite", headers=ADMIN) == (
        404, "Data source not found",
    )  # fmt: skip


def test_page_learns_of_data_sources_but_not_where_they_are(viewer: Viewer) -> None:
    found = viewer.json("/api/frontend/settings")
    assert found["defaultDatasource"] == "Prometheus"
    assert found["datasources"]["Loki"]["url"] == "/api/datasources/proxy/uid/loki"
    assert str(viewer.source.port) not in json.dumps(found)


def test_org(viewer: Viewer) -> None:
    assert viewer.json("/api/org")["name"] == "Main Org."


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Residency Scheduler", "Database Metrics", "Overview"]),
        ("?type=dash-db", ["Database Metrics", "Overview"]),
        ("?type=dash-folder", ["Residency Scheduler"]),
        ("?query=OVER", ["Overview"]),
        ("?query=e&type=dash-db&sort=alpha-desc", ["Overview", "Database Metrics"]),
        ("?query=nothing", []),
        ("?tag=residency", ["Database Metrics", "Overview"]),
        ("?tag=residency&tag=start", ["Overview"]),
        ("?tag=unknown", []),
        ("?dashboardUIDs=database", ["Database Metrics"]),
        ("?folderUIDs=residency&limit=1", ["Database Metrics"]),
        ("?type=dash-db&limit=1&page=2", ["Overview"]),
        ("?limit=0", []),
    ],
)
def test_search(viewer: Viewer, query: str, titles: list[str]) -> None:
    assert [one["title"] for one in viewer.json(f"/api/search{query}")] == titles


def test_search_says_where_a_dashboard_is(viewer: Viewer) -> None:
    [found] = viewer.json("/api/search?query=database")
    assert found["url"] == "/d/database/database-metrics"
    assert (found["uid"], found["type"], found["tags"]) == ("database", "dash-db", ["residency"])
    assert (found["folderUid"], found["folderTitle"]) == ("residency", "Residency Scheduler")


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "5001", "9" * 500, "²"])
def test_search_refuses_what_is_no_limit(viewer: Viewer, limit: str) -> None:
    status, message = viewer.said("GET", f"/api/search?limit={quote(limit)}")
    assert status == 400
    assert "`limit` is" in message


def test_dashboard_comes_with_meta(viewer: Viewer) -> None:
    found = viewer.json("/api/dashboards/uid/overview")
    assert found["dashboard"]["title"] == "Overview"
    assert found["dashboard"]["id"] == viewer.json("/api/search?query=overview")[0]["id"]
    meta = found["meta"]
    assert (meta["slug"], meta["url"]) == ("overview", "/d/overview/overview")
    assert meta["provisioned"]
    assert not meta["canSave"]
    assert "problem" not in meta
    assert viewer.said("GET", "/api/dashboards/uid/none") == (404, "Dashboard not found")


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/users", "/api/ds/query", "/api/health/x", "/api/%2e%2e/health"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_there_is_not_is_not_found_in_json(viewer: Viewer, method: str, path: str) -> None:
    assert viewer.said(method, path) == (404, "Not found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/health", "GET, HEAD"),
        ("PUT", "/api/annotations", "GET, HEAD, POST"),
        ("DELETE", "/api/datasources", "GET, HEAD"),
        ("DELETE", "/api/dashboards/uid/overview", "GET, HEAD"),
        ("POST", "/api/annotations/1", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
    ],
)
def test_wrong_method_names_the_right_ones(
    viewer: Viewer, method: str, path: str, allowed: str
) -> None:
    answer, _ = viewer.ask(method, path)
    assert answer.status == 405
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed


@pytest.mark.parametrize("path", ["/api/health", "/api/search", "/", "/metrics"])
def test_head_is_the_head_of_get(viewer: Viewer, path: str) -> None:
    answer, body = viewer.ask("HEAD", path)
    assert answer.status == 200
    assert body == b""
    assert int(answer.headers["Content-Length"]) > 0


def test_large_answers_are_compressed_for_who_wants_it(own_viewer: Viewer) -> None:
    save(own_viewer.dashboards / "large.json",
         dashboard("large", "Large", description="words " * 2000))  # fmt: skip
    path = "/api/dashboards/uid/large"
    plain, whole = own_viewer.ask("GET", path)
    packed, small = own_viewer.ask("GET", path, {"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(small) < len(whole) / 10
    assert gzip.decompress(small) == whole


def test_metrics_count_requests_by_status(viewer: Viewer) -> None:
    name = "grafana_http_request_duration_seconds_count"
    series = f'{name}{{handler="dashboards",method="GET",status_code="404"}}'
    viewer.ask("GET", "/api/dashboards/uid/none")
    before = viewer.metric(series)
    viewer.ask("GET", "/api/dashboards/uid/none")
    assert viewer.metric(series) == before + 1
    assert viewer.metric('grafana_build_info{edition="viewer",version="13.1.1"}') == 1


def test_memory_stays_small(viewer: Viewer) -> None:
    """Goal: 60 MB resident, once everything was used."""
    viewer.json("/api/datasources/proxy/uid/prometheus/api/v1/query?query=1")
    viewer.ask("GET", "/main.js", {"Accept-Encoding": "gzip"})
    assert psutil.Process(viewer.process.pid).memory_info().rss < 60_000_000
