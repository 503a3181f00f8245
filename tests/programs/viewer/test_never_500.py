"""Whatever a client sends, it is not the viewer that fails."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.programs.nonsense import Nonsense, requests, status
from tests.programs.viewer.bench import ADMIN, Viewer

PATHS = [
    "/", "/d/*/*", "/api", "/api/health", "/api/org", "/api/frontend/settings", "/api/search",
    "/api/dashboards/uid/*", "/api/dashboards/uid/overview", "/api/lab/problems",
    "/api/datasources", "/api/datasources/uid/*", "/api/datasources/proxy/uid/*/*",
    "/api/datasources/proxy/uid/loki/loki/api/v1/query_range", "/api/annotations",
    "/api/datasources/proxy/uid/prometheus/*", "/api/annotations/1", "/api/annotations/*",
    "/metrics", "/incidents", "/explore", "/main.js", "/public/*", "/*",
]  # fmt: skip
NAMES = [
    "query", "tag", "type", "limit", "page", "sort", "dashboardUIDs", "folderUIDs", "from", "to",
    "tags", "matchAny", "dashboardUID", "panelId", "left",
]  # fmt: skip
PATIENT = settings(max_examples=250, suppress_health_check=list(HealthCheck))


@PATIENT
@given(requests(PATHS, NAMES))
def test_every_request_is_answered_or_refused(viewer: Viewer, sent: Nonsense) -> None:
    assert status(viewer.port, sent, ADMIN["Authorization"]) < 500


@pytest.mark.parametrize("digits", [18, 19, 400, 5000])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_annotation_of_any_number_is_there_or_not(viewer: Viewer, method: str, digits: int) -> None:
    answer, _ = viewer.ask(method, f"/api/annotations/{'9' * digits}", ADMIN)
    assert answer.status == 404
