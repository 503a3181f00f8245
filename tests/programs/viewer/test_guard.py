"""Who may ask: everybody may look, only who knows the password may write, and no other site."""

import base64

import pytest

from tests.programs.viewer.bench import ADMIN, Viewer


def basic(text: bytes) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text).decode()}"}


NOTE = b'{"text": "note"}'


@pytest.mark.parametrize(
    ("method", "path", "anonymous", "admin"),
    [
        ("GET", "/api/health", 200, 200),
        ("GET", "/api/search", 200, 200),
        ("GET", "/api/dashboards/uid/overview", 200, 200),
        ("GET", "/api/frontend/settings", 200, 200),
        ("GET", "/api/org", 200, 200),
        ("GET", "/api/annotations", 200, 200),
        ("GET", "/api/datasources/proxy/uid/prometheus/api/v1/query", 200, 200),
        ("POST", "/api/datasources/proxy/uid/prometheus/api/v1/query", 200, 200),
        ("GET", "/metrics", 200, 200),
        ("GET", "/", 200, 200),
        ("GET", "/api/datasources", 401, 200),
        ("GET", "/api/datasources/uid/loki", 401, 200),
        ("POST", "/api/annotations", 401, 200),
        ("PATCH", "/api/annotations/9", 401, 404),
        ("DELETE", "/api/annotations/9", 401, 404),
    ],
)
def test_who_may_what(viewer: Viewer, method: str, path: str, anonymous: int, admin: int) -> None:
    body = NOTE if method in ("POST", "PATCH") else b""
    assert viewer.ask(method, path, body=body)[0].status == anonymous
    assert viewer.ask(method, path, ADMIN, body)[0].status == admin


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(basic(b"admin:wrong"), id="password"),
        pytest.param(basic(b"root:se:cret"), id="name"),
        pytest.param(basic(b"admin:se:cret "), id="a blank more"),
        pytest.param(basic(b"admin"), id="no password"),
        pytest.param(basic(b""), id="nothing"),
        pytest.param(basic("ädmin:ß".encode("latin-1")), id="not ASCII"),
        pytest.param({"Authorization": "Basic %%%"}, id="not base64"),
        pytest.param({"Authorization": "Bearer token"}, id="a token"),
        pytest.param({"Authorization": ""}, id="empty"),
    ],
)
def test_wrong_password_is_refused_everywhere_and_counted(
    viewer: Viewer, headers: dict[str, str]
) -> None:
    before = viewer.metric("viewer_failed_logins_total")
    for path in ("/api/health", "/api/datasources", "/"):
        answer = (401, "Invalid username or password")
        assert viewer.said("GET", path, headers=headers) == answer
    assert viewer.metric("viewer_failed_logins_total") == before + 3


def test_anonymous_is_no_failed_login(viewer: Viewer) -> None:
    before = viewer.metric("viewer_failed_logins_total")
    assert viewer.said("GET", "/api/datasources") == (401, "Unauthorized")
    assert viewer.metric("viewer_failed_logins_total") == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="curl"),
        pytest.param({"Origin": "http://{host}"}, 200, id="the page"),
        pytest.param({"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"}, 200,
                     id="the page in a browser"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="another site"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="another port"),
        pytest.param({"Origin": "null"}, 403, id="a sandboxed page"),
        pytest.param({"Origin": ""}, 403, id="empty"),
        pytest.param({"Origin": "http://{host}.evil.example"}, 403, id="a longer name"),
        pytest.param({"Origin": "http://evil.example/http://{host}"}, 403, id="a path"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="said by the browser"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another port, said"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/api/annotations", "/api/datasources/proxy/uid/prometheus/api/v1/query"]
)
def test_only_the_page_itself_may_send(
    viewer: Viewer, path: str, headers: dict[str, str], status: int
) -> None:
    host = f"127.0.0.1:{viewer.port}"
    sent = {name: value.format(host=host) for name, value in headers.items()}
    before = viewer.metric('viewer_refused_requests_total{why="origin"}')
    assert viewer.ask("POST", path, ADMIN | sent, NOTE)[0].status == status
    counted = viewer.metric('viewer_refused_requests_total{why="origin"}') - before
    assert counted == (status == 403)


def test_a_link_from_another_site_may_lead_here(viewer: Viewer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://slack.example"}
    assert viewer.ask("GET", "/d/overview/overview", headers)[0].status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:3001", 200),
        ("LocalHost", 200),
        ("127.0.0.1:9", 200),  # a tunnel may have another port
        ("evil.example", 421),
        ("localhost.evil.example:3001", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@localhost", 421),
        ("localhost@evil.example", 421),
        ("[::", 421),
        ("", 421),
    ],
)
def test_foreign_host_names_get_nothing(viewer: Viewer, host: str, status: int) -> None:
    """DNS rebinding: a page of another name that is made to lead here."""
    assert viewer.ask("GET", "/api/health", {"Host": host})[0].status == status


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/health", "/api/none", "/metrics"])
def test_every_answer_tells_browsers_to_be_careful(viewer: Viewer, path: str) -> None:
    headers = viewer.ask("GET", path)[0].headers
    policy = headers["Content-Security-Policy"]
    for part in (
        "default-src 'self'", "script-src 'self'", "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "frame-ancestors 'none'",
    ):  # fmt: skip
        assert part in policy.split("; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_refused_requests_are_told_so_too(viewer: Viewer) -> None:
    headers = viewer.ask("GET", "/", {"Host": "evil.example"})[0].headers
    assert headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
