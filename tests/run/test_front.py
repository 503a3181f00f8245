"""The front as its users, and others, find it: who comes in, what each may do, what is too much."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import bcrypt
import httpx
import pytest

from loadgen.faults.front import _remaining
from stack.run import certificates, front
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.secrets import write
from stack.run.services import proxy
from tests.waiting import eventually

SILENCE = "/alertmanager/api/v2/silence/00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def instance(state_dir: Path) -> Iterator[Instance]:
    with running("front", speed=1) as made:
        yield made


def asked(
    instance: Instance, user: str, method: str, path: str, address: str = "", **more: object
) -> httpx.Response:
    with front.client(instance.layout, user, source=address) as client:
        return client.request(method, path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/", "<!doctype html>"),
        ("/api/health", "database"),
        ("/prometheus/api/v1/query?query=vector(1)", "success"),
        ("/alertmanager/api/v2/status", "versionInfo"),
        ("/loki/api/v1/labels", "success"),
        ("/inbox/", "Inbox"),
        ("/inbox/static/inbox.css", "{"),
        ("/inbox/runbooks/Watchdog", "Watchdog"),
    ],
)
def test_everything_is_shown_to_those_with_a_password_and_nothing_to_others(
    instance: Instance, path: str, shows: str
) -> None:
    assert shows in asked(instance, "viewer", "GET", path, "127.0.1.1").text
    nobody = asked(instance, "", "GET", path, "127.0.1.1")
    assert nobody.status_code == 401
    assert shows not in nobody.text


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/prometheus/api/v1/query?query=up", {"viewer", "responder", "operator"}),
        ("POST", "/prometheus/api/v1/query", {"viewer", "responder", "operator"}),
        ("DELETE", SILENCE, {"responder", "operator"}),
        ("POST", "/alertmanager/api/v2/silences", {"responder", "operator"}),
        ("POST", "/alertmanager/api/v2/alerts", {"operator"}),
        ("POST", "/prometheus/-/reload", {"operator"}),
        ("POST", "/alertmanager/-/reload", {"operator"}),
        ("PUT", "/prometheus/api/v1/query", {"operator"}),
        ("POST", "/loki/api/v1/push", {"operator"}),
        ("POST", "/inbox/v2/enqueue", {"operator"}),
        ("POST", "/prometheus/api/v1/admin/tsdb/snapshot", set()),
        ("GET", "/prometheus/api/v1/admin/tsdb/snapshot", set()),
        ("POST", "/x/../prometheus/api/v1/admin/tsdb/snapshot", set()),
        ("POST", "/prometheus/./api//v1/%61dmin/tsdb/snapshot", set()),
    ],
)
def test_each_user_may_do_what_their_role_says(
    instance: Instance, method: str, path: str, may: set[str]
) -> None:
    for user in front.USERS:
        status = asked(instance, user, method, path, "127.0.1.2").status_code
        assert (status == 403) == (user not in may), (user, status)
        with front.client(instance.layout, user, "guessed", source="127.0.1.2") as guessing:
            assert guessing.request(method, path).status_code == 401


def test_user_who_is_added_comes_in_at_once(instance: Instance) -> None:
    users = front.users(instance.layout)
    before = users.read_text()
    hashed = bcrypt.hashpw(b"a password of her own", bcrypt.gensalt(4)).decode()
    users.write_text(f"{before}mary:{hashed}\n")
    try:
        with front.client(instance.layout, "mary", "a password of her own") as mary:
            # Known, but nobody has said what she may do.
            assert mary.get("/").status_code == 403
        with front.client(instance.layout, "mary", "another") as somebody:
            assert somebody.get("/").status_code == 401
    finally:
        users.write_text(before)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_page_of_another_site_sends_nothing_with_its_readers_password(
    instance: Instance, headers: dict[str, str]
) -> None:
    answer = asked(instance, "operator", "POST", "/prometheus/-/reload", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    own = {"Origin": front.url(instance.layout), "Sec-Fetch-Site": "same-origin"}
    answer = asked(instance, "operator", "POST", "/prometheus/-/reload", headers=own)
    assert answer.status_code == 200


def test_rate_is_held_within_one_request_and_others_are_served_meanwhile(
    instance: Instance,
) -> None:
    """Thirty a second and a hundred at once: so many, and one, are served; then as many as time
    allows."""
    each = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
    began = time.monotonic()
    answer = raw(instance, each * 300, source="127.0.1.3")
    took_s = time.monotonic() - began
    served, refused = (answer.count(b"HTTP/1.1 %d " % status) for status in (200, 429))
    assert served + refused == 300
    assert 101 <= served <= 101 + 30 * took_s + 1
    assert answer.count(b"\r\nRetry-After: 1\r\n") == refused > 0
    assert asked(instance, "viewer", "GET", "/api/health", "127.0.1.4").status_code == 200


def test_large_body_is_refused_unread(instance: Instance) -> None:
    answer = asked(instance, "operator", "POST", "/prometheus/api/v1/query", "127.0.1.5",
                   content=b"x" * (5 << 20))  # fmt: skip
    assert answer.status_code == 413
    assert "4 MB" in answer.text


def raw(instance: Instance, request: bytes, source: str = "127.0.1.5") -> bytes:
    """What comes back, until the front closes or says nothing more for a second."""
    context = ssl.create_default_context(cafile=str(certificates.authority(instance.layout)))
    context.check_hostname = False
    answer = b""
    with (
        socket.create_connection(
            ("127.0.0.1", instance.port("proxy")), timeout=1, source_address=(source, 0)
        ) as plain,
        context.wrap_socket(plain) as secure,
    ):
        with suppress(ssl.SSLEOFError, ConnectionError):  # refused before all of it was read
            secure.sendall(request)
        while True:
            try:
                some = secure.recv(65536)
            except (TimeoutError, ssl.SSLEOFError, ConnectionResetError):
                return answer
            if not some:
                return answer
            answer += some


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0"
        b"\r\n\r\nGET /prometheus/metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT 127.0.0.1:9090 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://127.0.0.1:9090/metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_odd_requests_lead_nowhere(instance: Instance, request_: bytes) -> None:
    answer = raw(instance, request_)
    assert b" 200 " not in answer
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"<html>"))


def test_slow_client_is_let_go_and_holds_up_nobody(instance: Instance) -> None:
    """Hundreds of connections that send a header a byte at a time (slow loris)."""
    sockets = []
    try:
        for _ in range(200):
            one = socket.create_connection(("127.0.0.1", instance.port("proxy")), timeout=5)
            sockets.append(one)
        began = time.monotonic()
        assert asked(instance, "viewer", "GET", "/api/health", "127.0.1.6").status_code == 200
        assert time.monotonic() - began < 5
    finally:
        for one in sockets:
            one.close()


def test_each_request_is_in_the_audit_log_without_secrets(instance: Instance) -> None:
    with front.client(instance.layout, "viewer", source="127.0.1.7") as client:
        id = client.get("/inbox/?token=hidden").headers["X-Request-ID"]
    with front.client(instance.layout, "a password typed here", "x", source="127.0.1.7") as other:
        refused = other.get("/").headers["X-Request-ID"]

    def line(id: str) -> dict[str, object]:
        found = [one for one in lines.read_text().splitlines() if id in one]
        return dict(json.loads(found[0])) if found else {}

    lines = instance.layout.log("proxy")
    eventually(lambda: line(refused))
    known = {"user": "viewer", "address": "127.0.1.7", "method": "GET", "path": "/inbox/",
             "status": 200, "level": "info"}  # fmt: skip
    assert known.items() <= line(id).items()
    assert {"user": "unknown", "status": 401, "level": "warning"}.items() <= line(refused).items()
    password = front.password_file(instance.layout, "viewer").read_text()
    for secret in ("hidden", "a password typed here", password):
        assert secret not in lines.read_text()


def test_renewed_certificate_is_served_without_a_restart(instance: Instance) -> None:
    pid = instance.pid("proxy")
    for path, text in certificates.signed(instance.layout, timedelta(days=30)).items():
        write(path, text)
    reload = proxy.SERVICE.reload
    assert reload
    assert reload(instance.layout) is None
    eventually(lambda: _remaining(instance) < timedelta(days=31), "the new certificate")
    assert instance.pid("proxy") == pid


def test_many_at_once_are_served(instance: Instance) -> None:
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(
            lambda n: asked(instance, "viewer", "GET", "/api/health", f"127.0.2.{n}").status_code,
            range(1, 61),
        ))  # fmt: skip
    assert set(codes) == {200}
