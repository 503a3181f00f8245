"""What somebody sends who wants a running stack to fall over: one function for each case.

Each sends until it is refused or done, and cares for no answer. All of it is bounded, and goes to
this machine.
"""

import asyncio
import contextlib
import gzip
import json
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import cramjam
import httpx

from stack.loopback import HOST
from stack.run.instance import Instance
from stack.run.services import SERVICES

GB = 1 << 30
MB = 1 << 20

HTTP = tuple(name for name, service in SERVICES.items() if "http" in service.ports)


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    at: str
    """The service that it is sent to."""
    send: Callable[[Instance], None]


def _client() -> httpx.Client:
    return httpx.Client(timeout=60, trust_env=False)


def _asked(
    method: str, service: str, path: str, instance: Instance, *,
    body: Callable[[], bytes] | None = None, headers: dict[str, str] | None = None, times: int = 1,
) -> None:  # fmt: skip
    url = instance.layout.url(service, "http") + path
    content = body() if body else None
    with _client() as client:
        for _ in range(times):
            with contextlib.suppress(httpx.HTTPError):
                client.request(method, url, content=content, headers=headers)


def _stream(service: str, path: str, kind: str, size: int, instance: Instance) -> None:
    """A body that is made while it is sent, without a length."""
    piece = b"[" * MB

    def pieces() -> Iterator[bytes]:
        for _ in range(size // MB):
            yield piece

    url = instance.layout.url(service, "http") + path
    with _client() as client, contextlib.suppress(httpx.HTTPError):
        client.post(url, content=pieces(), headers={"Content-Type": kind})


def _query(text: str, times: int, instance: Instance) -> None:
    form = urlencode({"query": text, "since": "1h", "limit": 5000}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    path = "/loki/api/v1/query_range"
    _asked("POST", "loki", path, instance, body=lambda: form, headers=kind, times=times)


def _gone(text: str, count: int, instance: Instance) -> None:
    """Queries whose clients do not wait."""
    path = "/loki/api/v1/query_range?" + urlencode({"query": text, "since": "168h", "step": "1s"})
    asked = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    for _ in range(count):
        with contextlib.suppress(OSError), _connected(instance.port("loki", "http")) as connection:
            connection.sendall(asked)


def _connected(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=5)


def _idle(service: str, count: int, instance: Instance, *, said: bytes = b"") -> None:
    """Connections that say nothing more for three seconds."""
    with contextlib.ExitStack() as opened:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = opened.enter_context(_connected(instance.port(service)))
                connection.sendall(said)
        time.sleep(3)


def _drip(service: str, count: int, instance: Instance) -> None:
    """Requests whose headers come a byte at a time."""

    async def one() -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, instance.port(service, "http"))
            for byte in b"GET / HTTP/1.1\r\nX: ":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.15)
            writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)

    asyncio.run(all_of_them())


def _mail(message: Callable[[], bytes], recipients: int, instance: Instance) -> None:
    to = [f"person{number}@residency.example" for number in range(recipients)]
    port = instance.port("inbox", "smtp")
    with (
        contextlib.suppress(OSError, smtplib.SMTPException),
        smtplib.SMTP(HOST, port, timeout=60) as server,
    ):
        server.sendmail("evil@example.com", to, message())


def _html(inside: bytes) -> bytes:
    return b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + inside


def _nested(levels: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level)
        for level in range(levels)
    )
    return b"Subject: x\r\nMIME-Version: 1.0\r\n" + head + b"\r\nhello\r\n"


def _to_many(count: int) -> bytes:
    people = b", ".join(b"p%d@example.com" % number for number in range(count))
    return b"Subject: x\r\nTo: " + people + b"\r\n\r\nhello\r\n"


def _streams(count: int) -> bytes:
    now_ns = str(time.time_ns())
    return json.dumps(
        {"streams": [{"stream": {"n": str(n)}, "values": [[now_ns, "x"]]} for n in range(count)]}
    ).encode()


def _tails(count: int, instance: Instance) -> None:
    """Followers who never read."""
    path = "/loki/api/v1/tail?" + urlencode({"query": '{job=~".+"}'})
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    _idle("loki", count, instance, said=asked)


def _crowd(service: str, path: str, clients: int, instance: Instance) -> None:
    """Many at once for five seconds."""
    until = time.monotonic() + 5

    def one(_: int) -> None:
        with _client() as client:
            while time.monotonic() < until:
                with contextlib.suppress(httpx.HTTPError):
                    client.get(instance.layout.url(service, "http") + path)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(clients)))


JSON = "application/json"
SNAPPY = "application/x-protobuf"
PUSH = "/loki/api/v1/push"
ALL_METRICS = urlencode({"query": '{__name__=~".+"}'})
EVERYTHING = '{job=~".+"}'

_BOMB = partial(gzip.compress, bytes(GB), 1)

CASES = (
    Case(name="template repeats 10⁸ letters", at="loki",
         send=partial(_query, EVERYTHING + ' | line_format "{{ repeat 100000000 \\"x\\" }}"', 3)),
    Case(name="template of width 10⁹", at="loki",
         send=partial(_query, EVERYTHING + ' | line_format `{{ printf "%1000000000d" 1 }}`', 3)),
    Case(name="templates within templates", at="loki",
         send=partial(_query, EVERYTHING + ' | line_format "' + "{{ repeat 999 (" * 50 + '"', 3)),
    Case(name="query nested 20,000 deep", at="loki",
         send=partial(_query, "(" * 20_000 + "1" + ")" * 20_000, 3)),
    Case(name="1,500 filters", at="loki", send=partial(_query, EVERYTHING + ' |= "x"' * 1_500, 3)),
    Case(name="hungry regular expression", at="loki",
         send=partial(_query, EVERYTHING + ' |~ "(((a{1,100}){1,100}){1,100})"', 3)),
    Case(name="ten million steps", at="loki", send=partial(
        _asked, "GET", "loki", "/loki/api/v1/query_range?"
        + urlencode({"query": f"rate({EVERYTHING}[1h])", "since": "10000h", "step": "1ms"}))),
    Case(name="200 heavy queries, clients gone", at="loki",
         send=partial(_gone, f"sum by (x) (count_over_time({EVERYTHING} | json [1h]))", 200)),
    Case(name="push of 100,000 streams", at="loki", send=partial(
        _asked, "POST", "loki", PUSH, body=partial(_streams, 100_000),
        headers={"Content-Type": JSON})),
    Case(name="push that unzips to 1 GB", at="loki", send=partial(
        _asked, "POST", "loki", PUSH, body=_BOMB,
        headers={"Content-Type": JSON, "Content-Encoding": "gzip"}, times=3)),
    Case(name="push that claims 4 GB", at="loki", send=partial(
        _asked, "POST", "loki", PUSH, body=lambda: b"\xff\xff\xff\xff\x0f" + bytes(100),
        headers={"Content-Type": SNAPPY}, times=10)),
    Case(name="push of 60 MB, zipped", at="loki", send=partial(
        _asked, "POST", "loki", PUSH,
        body=lambda: bytes(cramjam.snappy.compress_raw(bytes(60 * MB))),
        headers={"Content-Type": SNAPPY}, times=5)),
    Case(name="500 followers who never read", at="loki", send=partial(_tails, 500)),
    Case(name="mail of unclosed tags", at="inbox",
         send=partial(_mail, lambda: _html(b"<b><i><p><div>" * 3_000), 1)),
    Case(name="mail of unclosed comments", at="inbox",
         send=partial(_mail, lambda: _html(b"<!-- <![ x ]> <" * 3_000), 1)),
    Case(name="mail to 60,000 addresses", at="inbox",
         send=partial(_mail, partial(_to_many, 60_000), 1)),
    Case(name="mail of 4.5 MB to 200", at="inbox",
         send=partial(_mail, lambda: _html(b"x" * 78 + b"\r\n") + (b"y" * 78 + b"\r\n") * 57_000,
                      200)),
    Case(name="mail nested 5,000 deep", at="inbox",
         send=partial(_mail, partial(_nested, 5_000), 1)),
    Case(name="mail with one header of 10 MB", at="inbox",
         send=partial(_mail, lambda: b"Subject: " + b"x" * 10 * MB + b"\r\n\r\nhello\r\n", 1)),
    Case(name="Slack message of 3 MB of links", at="inbox", send=partial(
        _asked, "POST", "inbox", "/services/T0/B0/x", headers={"Content-Type": JSON},
        body=lambda: json.dumps({"text": "<http://x|y>*_~`" * 200_000}).encode(), times=5)),
    Case(name="PagerDuty event nested 100,000 deep", at="inbox", send=partial(
        _asked, "POST", "inbox", "/v2/enqueue", headers={"Content-Type": JSON},
        body=lambda: b'{"payload":' * 100_000, times=5)),
    Case(name="1 GB to log in", at="backend",
         send=partial(_stream, "backend", "/api/v1/auth/login", JSON, GB)),
    Case(name="name of 30 MB at log-in", at="backend", send=partial(
        _asked, "POST", "backend", "/api/v1/auth/login", headers={"Content-Type": JSON},
        body=lambda: json.dumps({"username": "x" * 30 * MB, "password": "y"}).encode(), times=3)),
    Case(name="JSON nested 100,000 deep at log-in", at="backend", send=partial(
        _asked, "POST", "backend", "/api/v1/auth/login", headers={"Content-Type": JSON},
        body=lambda: b"[" * 100_000, times=5)),
    Case(name="100 people at once ask for the docs", at="backend",
         send=partial(_crowd, "backend", "/docs", 100)),
    Case(name="annotation nested 100,000 deep", at="grafana", send=partial(
        _asked, "POST", "grafana", "/api/annotations", headers={"Content-Type": JSON},
        body=lambda: b"[" * 100_000, times=5)),
    Case(name="100 at once ask for a dashboard", at="grafana",
         send=partial(_crowd, "grafana", "/api/dashboards/uid/overview", 100)),
    Case(name="20 at once ask for all metrics", at="prometheus",
         send=partial(_crowd, "prometheus", f"/api/v1/query?{ALL_METRICS}", 20)),
    Case(name="alerts nested 100,000 deep", at="alertmanager", send=partial(
        _asked, "POST", "alertmanager", "/api/v2/alerts", headers={"Content-Type": JSON},
        body=lambda: b"[" * 100_000, times=5)),
    *(Case(name=f"1 GB without end to {name}", at=name,
           send=partial(_stream, name, "/api/v1/anything", JSON, GB)) for name in HTTP),
    *(Case(name=f"2,000 idle connections to {name}", at=name,
           send=partial(_idle, name, 2_000)) for name in (*HTTP, "database-link")),
    *(Case(name=f"300 dripping headers to {name}", at=name,
           send=partial(_drip, name, 300)) for name in HTTP),
    *(Case(name=f"header of 10 MB to {name}", at=name, send=partial(
        _asked, "GET", name, "/", headers={"X": "x" * 10 * MB}, times=3)) for name in HTTP),
)  # fmt: skip
"""All cases."""
