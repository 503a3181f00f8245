"""Questions to data sources: only those that read, only to the instance's own, and not for ever."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stack.programs.viewer import upstream
from stack.programs.viewer.datasources import TYPES
from stack.programs.viewer.proxy import Answer, Asked, Failed, Left, Proxy
from tests.programs.viewer.bench import Source, Viewer, running, source
from tests.waiting import eventually

PROXY = "/api/datasources/proxy/uid/"
QUERY = f"{PROXY}prometheus/api/v1/query"

GOOD = [
    ("GET", "prometheus", "api/v1/query?query=up"),
    (
        "GET",
        "prometheus",
        "api/v1/query_range?query=up%7Bjob%3D%22a%2Fb%22%7D&start=1&end=2&step=1",
    ),
    ("GET", "prometheus", "api/v1/label/job/values"),
    ("GET", "prometheus", "api/v1/rules?type=alert"),
    ("HEAD", "prometheus", "api/v1/labels"),
    ("POST", "prometheus", "api/v1/query"),
    ("POST", "prometheus", "api/v1/query_range"),
    ("POST", "prometheus", "api/v1/series"),
    ("POST", "prometheus", "api/v1/labels"),
    ("GET", "loki", "loki/api/v1/query_range?query=%7Bservice%3D%22x%22%7D"),
    ("GET", "loki", "loki/api/v1/label/service/values"),
    ("GET", "loki", "prometheus/api/v1/rules"),
    ("POST", "loki", "loki/api/v1/query"),
    ("GET", "alertmanager", "api/v2/alerts?active=true"),
    ("GET", "alertmanager", "api/v2/alerts/groups"),
]


@pytest.mark.parametrize(("method", "uid", "path"), GOOD)
def test_questions_reach_the_source_as_they_are(
    viewer: Viewer, method: str, uid: str, path: str
) -> None:
    viewer.source.asked.clear()
    body = b"query=up" if method == "POST" else b""
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    assert viewer.ask(method, f"{PROXY}{uid}/{path}", kind, body)[0].status == 200
    [asked] = viewer.source.asked
    assert asked.path == f"/{path}"
    assert asked.method == ("POST" if method == "POST" else "GET")
    assert asked.body == body
    assert asked.headers.get("content-type") == kind.get("Content-Type")


def test_password_and_cookies_stay_here(viewer: Viewer) -> None:
    viewer.source.asked.clear()
    sent = {"Authorization": "Basic YWRtaW46c2U6Y3JldA==", "Cookie": "a=b", "X-Forwarded-For": "x"}
    assert viewer.ask("GET", QUERY, sent)[0].status == 200
    headers = viewer.source.asked[0].headers
    assert not {"authorization", "cookie", "x-forwarded-for"} & set(headers)


BAD = [
    # 400: can be read in two ways
    ("GET", "prometheus", "../../../etc/passwd", 400),
    ("GET", "prometheus", "api/v1/../../-/quit", 400),
    ("GET", "prometheus", "api/v1/./query", 400),
    ("GET", "prometheus", "..", 400),
    ("GET", "prometheus", "api/v1//query", 400),
    ("GET", "prometheus", "/api/v1/query", 400),
    ("GET", "prometheus", "//evil.example/api/v1/query", 400),
    ("GET", "prometheus", "http://evil.example/api/v1/query", 400),
    ("GET", "prometheus", "http:/evil.example/", 400),
    ("GET", "prometheus", "@evil.example/api/v1/query", 400),
    ("GET", "prometheus", "%2e%2e/%2e%2e/-/quit", 400),
    ("GET", "prometheus", "..%2f..%2f-%2fquit", 400),
    ("GET", "prometheus", "%252e%252e/-/quit", 400),
    ("GET", "prometheus", "api%2fv1%2fquery", 400),
    ("GET", "prometheus", "api/v1/%71uery", 400),
    ("GET", "prometheus", "api\\v1\\query", 400),
    ("GET", "prometheus", "..%5c..%5c", 400),
    ("GET", "prometheus", "api/v1/query%00", 400),
    ("GET", "prometheus", "api/v1/label/%2e%2e/values", 400),
    # 403: not one of those that read
    ("GET", "prometheus", "", 403),
    ("GET", "prometheus", "metrics", 403),
    ("GET", "prometheus", "debug/pprof/profile", 403),
    ("GET", "prometheus", "api/v1/status/config", 403),
    ("GET", "prometheus", "api/v1/query/", 403),
    ("GET", "prometheus", "API/v1/query", 403),
    ("GET", "prometheus", "loki/api/v1/query", 403),
    ("POST", "prometheus", "-/reload", 403),
    ("POST", "prometheus", "-/quit", 403),
    ("PUT", "prometheus", "-/quit", 403),
    ("POST", "prometheus", "api/v1/admin/tsdb/delete_series", 403),
    ("POST", "loki", "loki/api/v1/push", 403),
    ("POST", "loki", "loki/api/v1/delete", 403),
    ("GET", "loki", "config", 403),
    # 405: reads, but not so
    ("POST", "prometheus", "api/v1/rules", 405),
    ("PUT", "prometheus", "api/v1/query", 405),
    ("DELETE", "prometheus", "api/v1/query", 405),
    ("OPTIONS", "prometheus", "api/v1/query", 405),
    ("POST", "alertmanager", "api/v2/alerts", 405),
    ("POST", "alertmanager", "api/v2/silences", 405),
    ("DELETE", "alertmanager", "api/v2/silence/x", 405),
    # 404: no such source, or no address at all
    ("GET", "graphite", "api/v1/query", 404),
    ("GET", "prometheus", "api/v1/query%0d%0aHost:%20evil", 404),
    ("GET", "http:", "/evil.example/", 404),
]


@pytest.mark.parametrize(("method", "uid", "path", "status"), BAD)
def test_nothing_else_reaches_a_source(
    viewer: Viewer, method: str, uid: str, path: str, status: int
) -> None:
    viewer.source.asked.clear()
    found, message = viewer.said(method, f"{PROXY}{uid}/{path}")
    assert (found, viewer.source.asked) == (status, [])
    assert message


@pytest.mark.parametrize(
    "path",
    [
        f"{PROXY}prom%65theus/api/v1/query",
        "/api/datasources/proxy/uid/%70rometheus/api/v1/query",
        "/api/datasources/proxy/%75id/prometheus/api/v1/query",
    ],
)
def test_encoded_way_to_a_source_is_refused(viewer: Viewer, path: str) -> None:
    viewer.source.asked.clear()
    assert viewer.said("GET", path)[0] == 400
    assert viewer.source.asked == []


def test_whole_address_in_the_request_line_leads_nowhere_else(viewer: Viewer) -> None:
    viewer.source.asked.clear()
    with socket.create_connection(("127.0.0.1", viewer.port), timeout=30) as sent:
        sent.sendall(
            f"GET http://evil.example{QUERY} HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        answer = sent.makefile("rb").read()
    # It is the path that counts, and that leads to the data source.
    assert answer.startswith(b"HTTP/1.1 200")
    assert [asked.path for asked in viewer.source.asked] == ["/api/v1/query"]


def test_method_that_is_not_allowed_comes_with_those_that_are(viewer: Viewer) -> None:
    answer, _ = viewer.ask("PUT", QUERY)
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    answer, _ = viewer.ask("POST", f"{PROXY}alertmanager/api/v2/alerts")
    assert answer.headers["Allow"] == "GET, HEAD"


def test_answer_is_passed_back_as_it_is(viewer: Viewer) -> None:
    """A query that does not parse is the page's to explain, in Prometheus' words."""
    error = b'{"status":"error","errorType":"bad_data","error":"parse error"}'
    kind = {"Content-Type": "application/json", "X-Secret": "1", "Set-Cookie": "a=b"}
    viewer.source.answers["/api/v1/query"] = (400, kind, error)
    try:
        answer, body = viewer.ask("GET", f"{QUERY}?query=(")
    finally:
        del viewer.source.answers["/api/v1/query"]
    assert (answer.status, body) == (400, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert not {"X-Secret", "Set-Cookie"} & set(answer.headers)


def test_compressed_answer_stays_compressed(viewer: Viewer) -> None:
    packed = gzip.compress(b"[1]")
    path = "/api/v1/series"
    viewer.source.answers[path] = (200, {"Content-Encoding": "gzip"}, packed)
    viewer.source.asked.clear()
    answer, body = viewer.ask("GET", f"{PROXY}prometheus{path}", {"Accept-Encoding": "gzip"})
    assert (answer.headers["Content-Encoding"], body) == ("gzip", packed)
    assert viewer.source.asked[0].headers["accept-encoding"] == "gzip"


def test_redirection_is_not_followed(viewer: Viewer) -> None:
    path = "/api/v1/metadata"
    viewer.source.answers[path] = (302, {"Location": "http://evil.example/"}, b"")
    status, message = viewer.said("GET", f"{PROXY}prometheus{path}")
    assert status == 502
    assert "redirection" in message


def test_answer_that_is_too_large_is_not_passed_on(viewer: Viewer) -> None:
    path = "/api/v1/targets"
    viewer.source.answers[path] = (200, {}, bytes(26 << 20))
    status, message = viewer.said("GET", f"{PROXY}prometheus{path}")
    assert status == 502
    assert message == (
        "Prometheus: its answer is larger than 25165824 bytes; ask for a shorter time range or "
        "fewer series"
    )
    assert viewer.json("/api/health")


def test_question_that_is_too_large_is_refused(viewer: Viewer) -> None:
    viewer.source.asked.clear()
    status, message = viewer.said("POST", QUERY, body=bytes((1 << 20) + 1))
    assert (status, viewer.source.asked) == (413, [])
    assert "larger than 1048576 bytes" in message


def test_source_that_is_down_is_said_and_comes_back(own_viewer: Viewer) -> None:
    """The viewer is up before Prometheus, and while that is restarted."""
    port = own_viewer.source.port
    file = own_viewer.folder / "provisioning" / "datasources" / "all.yml"
    with source() as other:
        closed = other.port
    text = file.read_text().replace(str(port), str(closed))
    file.write_text(text)
    with running(own_viewer.folder, Source(port=closed)) as viewer:
        status, message = viewer.said("GET", QUERY)
        assert status == 502
        assert message.startswith("Prometheus: no answer: ")
        assert viewer.said("POST", QUERY)[0] == 502
        assert viewer.json("/api/search")


def test_question_is_withdrawn_when_who_asked_has_gone(viewer: Viewer) -> None:
    viewer.source.hangs.add("/api/v1/rules")
    viewer.source.left.clear()
    viewer.source.asked.clear()
    client = socket.create_connection(("127.0.0.1", viewer.port), timeout=30)
    client.sendall(
        f"GET {PROXY}prometheus/api/v1/rules HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    )
    eventually(lambda: viewer.source.asked, "the question to arrive")
    assert not viewer.source.left.is_set()
    client.close()
    assert viewer.source.left.wait(10)


def _ask(proxy: Proxy, url: str, receive: Callable[[], Awaitable[Any]] | None = None) -> Answer:
    async def never() -> None:
        await asyncio.Event().wait()

    async def go() -> Answer:
        try:
            return await proxy.ask(Asked(method="GET", url=url, headers={}), receive or never)
        finally:
            await proxy.close()

    return asyncio.run(go())


def test_source_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with source() as silent:
        silent.hangs.add("/x")
        with pytest.raises(Failed, match=r"no answer within 0\.2 s") as caught:
            _ask(Proxy(timeout_s=0.2), f"http://127.0.0.1:{silent.port}/x")
    assert caught.value.status == 504


def test_client_that_left_before_is_not_asked_for() -> None:
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    with source() as silent:
        silent.hangs.add("/x")
        began = time.monotonic()
        with pytest.raises(Left):
            _ask(Proxy(), f"http://127.0.0.1:{silent.port}/x", gone)
        assert time.monotonic() - began < 20  # not the proxy's own limit


def test_nobody_who_wants_no_compression_gets_it() -> None:
    with source() as plain:
        answer = _ask(Proxy(), f"http://127.0.0.1:{plain.port}/x")
        assert json.loads(answer.body) == {}
        assert plain.asked[0].headers["accept-encoding"] == "identity"


def test_every_type_of_source_has_its_paths() -> None:
    for kind in TYPES:
        with pytest.raises(upstream.Refused):
            upstream.check(kind, "GET", "nothing/such")
