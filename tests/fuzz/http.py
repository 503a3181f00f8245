"""Requests to the lab's own programs, put to their applications without a network: an answer of
500 or more is a finding, but for one that says that the database is away.

The first line of an input is method and path, what follows it the body.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from stack.logql import LogQLError
from stack.programs.inbox.control import Control
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.heartbeat import Heartbeats
from stack.programs.inbox.store import MessageStore
from stack.programs.inbox.web import application as inbox_application
from stack.programs.scheduler import tokens
from stack.programs.scheduler.app import create_app
from stack.programs.scheduler.settings import Settings
from stack.programs.viewer import datasources
from stack.programs.viewer.annotations import Annotations, BadAnnotation
from stack.programs.viewer.dashboards import Library, Provider
from stack.programs.viewer.explore import expression, lines, page, parts
from stack.programs.viewer.guard import Guard
from stack.programs.viewer.incidents import Incidents
from stack.programs.viewer.metrics import Metrics
from stack.programs.viewer.proxy import Proxy
from stack.programs.viewer.upstream import Refused, check
from stack.programs.viewer.web import Context
from stack.programs.viewer.web import application as viewer_application
from tests.fuzz import scratch
from tests.fuzz.harness import Target

_METHODS = ("GET", "POST", "HEAD", "PATCH", "DELETE", "PUT", "OPTIONS")
_AWAY = 503

App = Callable[[Any, Any, Any], Awaitable[None]]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all requests: what programs keep belongs to it."""
    return asyncio.new_event_loop()


def ask(app: App, data: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer to such a request."""
    first, _, body = data.partition(b"\n")
    method, _, target = first.decode("latin-1").partition(" ")
    path, _, query = target.partition("?")
    raw = "".join(one for one in path if "!" <= one <= "~")
    sent = [{"type": "http.request", "body": body, "more_body": False}]
    answers: list[Any] = []

    async def receive() -> Any:
        return sent.pop() if sent else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": method if method in _METHODS else "GET",
        # As uvicorn makes it of what came over the wire.
        "path": unquote(f"/{raw.lstrip('/')}"), "raw_path": f"/{raw.lstrip('/')}".encode(),
        "query_string": "".join(one for one in query if "!" <= one <= "~").encode(),
        "root_path": "", "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80), "state": {},
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in headers.items()],
    }  # fmt: skip
    _loop().run_until_complete(app(scope, receive, send))
    starts = [one for one in answers if one["type"] == "http.response.start"]
    assert len(starts) == 1, answers
    status = int(starts[0]["status"])
    assert status < 500 or status == _AWAY, (status, answers)
    return status


_SECRET = b"secret of the fuzzers"
_JSON = {"host": "127.0.0.1", "content-type": "application/json"}


@cache
def _scheduler() -> tuple[App, dict[str, str]]:
    """Without a database: what is asked of it, it answers by 503 when all else is right."""
    logging.getLogger("scheduler").addHandler(logging.NullHandler())
    logging.getLogger("scheduler").propagate = False
    conninfo = "host=127.0.0.1 port=1"
    app = create_app(Settings(conninfo=conninfo, secret=_SECRET, doubt_s=0.0))
    claims = tokens.Claims(username="c", role="coordinator", person_id=1, expires=2**40, serial="a")
    return app, {**_JSON, "authorization": f"Bearer {tokens.sign(claims, _SECRET)}"}


def _ask_scheduler(data: bytes) -> None:
    app, headers = _scheduler()
    ask(app, data, headers)


def _token(data: bytes) -> None:
    text = data.decode("latin-1")
    tokens.verify(text, _SECRET, now=5.0)
    app, headers = _scheduler()
    ask(app, b"GET /api/v1/auth/me", {**headers, "authorization": f"Bearer {text}"})


def _signed() -> list[bytes]:
    claims = tokens.Claims(username="c", role="resident", person_id=1, expires=2**40, serial="a")
    return [tokens.sign(claims, _SECRET).encode()]


@cache
def _inbox() -> App:
    store = MessageStore(scratch.folder("inbox") / "inbox.db")
    desk = Desk(store=store, control=Control(None), heartbeats=Heartbeats(store, 60.0))
    runbooks = scratch.folder("runbooks")
    (runbooks / "DiskFull.md").write_text("# DiskFull\n\n[other](Other.md#x) | a |\n")
    return inbox_application(desk, {"0" * 32: "on-call"}, runbooks)


def _ask_inbox(data: bytes) -> None:
    app = _inbox()
    kept = scratch.folder("inbox") / "inbox.db"
    if kept.stat().st_size > 40 << 20:  # of a long run
        _inbox.cache_clear()
        kept.unlink()
    ask(app, data, _JSON)


@cache
def _viewer() -> App:
    folder = scratch.folder("viewer")
    boards = scratch.folder("viewer/dashboards")
    (boards / "a.json").write_text(json.dumps({"uid": "a", "title": "A", "tags": ["x"]}))
    library = Library(providers=(Provider(path=boards, folder="F", folder_uid="f"),),
                      tell=lambda level, text: None)  # fmt: skip
    metrics = Metrics(shown=lambda: 1, broken=lambda: 0)
    source = datasources.DataSource(id=1, uid="loki", name="Loki", type="loki",
                                    url="http://127.0.0.1:1", default=True, options={})  # fmt: skip
    context = Context(
        sources={"loki": source}, library=library, proxy=Proxy(timeout_s=1.0), metrics=metrics,
        annotations=Annotations(folder / "annotations.sqlite"), page=None,
        incidents=Incidents(folder / "control.json"),
    )  # fmt: skip
    return Guard(viewer_application(context), password="p", hosts=["127.0.0.1"], metrics=metrics)


_PASSED_ON = (b"/proxy/", b"/explore")
"""What the viewer asks others: there is nobody here, and 502 is right."""


def _ask_viewer(data: bytes) -> None:
    headers = {**_JSON, "authorization": "Basic YWRtaW46cA=="}
    first = unquote(data.partition(b"\n")[0].decode("latin-1")).encode()
    if not any(one in first for one in _PASSED_ON):
        ask(_viewer(), data, headers)


@cache
def _annotations() -> Annotations:
    return Annotations(Path(":memory:"))


def _annotation(data: bytes) -> None:
    """Added and changed; what is then found can be answered."""
    try:
        sent = json.loads(data)
    except (ValueError, RecursionError):
        return  # the viewer says so before
    kept = _annotations()
    id = kept.add({"text": "a", "time": 5})
    with suppress(BadAnnotation):
        id = kept.add(sent)
    with suppress(BadAnnotation):
        kept.change(id, sent)
    json.dumps(kept.get(id)).encode()


def _explore(data: bytes) -> None:
    query = expression(data.decode(errors="replace"))
    page(query, [], ", ".join(parts(query)))


def _found(data: bytes) -> None:
    for one in lines(data):
        assert {type(one.at), type(one.labels), type(one.text)} == {str}


def _upstream(data: bytes) -> None:
    method, _, path = data.decode("latin-1").partition(" ")
    for kind in ("prometheus", "loki", "alertmanager"):
        try:
            check(kind, method, path)
        except Refused:
            pass
        else:
            assert path.isascii()
            assert ".." not in path.split("/")


def _requests(*found: tuple[str, object]) -> Iterable[bytes]:
    for first, body in found:
        yield first.encode() + b"\n" + (json.dumps(body).encode() if body is not None else b"")


_WORDS = (*(f"{one} ".encode() for one in _METHODS), b"?", b"&", b"=", b"%00", b"%2F", b"%ff",
          b"%ud800", b"//", b"/../", b"/%2e%2e/", b";", b"#", b"limit=", b"offset=", b"page=",
          b"9223372036854775808", b"-1", b"after=", b"id=", b"\n{", b"/api/v1/")  # fmt: skip


def targets() -> list[Target]:
    scheduler = _requests(
        ("POST /api/v1/auth/login", {"username": "c", "password": "p"}),
        ("GET /api/v1/auth/me", None),
        ("GET /api/v1/people?role=resident&pgy_level=1&limit=5&offset=0", None),
        ("GET /api/v1/people/5", None),
        ("GET /api/v1/schedule?start=2025-07-01&end=2025-07-02&person_id=1", None),
        ("POST /api/v1/schedule/generate", {"start": "2025-07-01", "end": "2025-07-02"}),
        ("POST /api/v1/assignments", {"person_id": 1, "block_id": 2, "rotation_id": 3}),
        ("DELETE /api/v1/assignments/5", None),
        ("POST /api/v1/absences", {"person_id": 1, "first_day": "2025-07-01",
                                   "last_day": "2025-07-02", "kind": "sick", "note": "n"}),
        ("GET /api/v1/absences?start=2025-07-01&end=2025-07-02", None),
        ("POST /api/v1/swaps", {"assignment_id": 1, "target_id": 2, "reason": "r"}),
        ("POST /api/v1/swaps/5/approve", None),
        ("GET /api/v1/swaps?status=pending", None),
        ("POST /api/v1/compliance/validate", {"start": "2025-07-01", "end": "2025-07-02"}),
        ("GET /api/v1/compliance/violations?rule=hours", None),
        ("GET /health/live", None), ("GET /metrics", None), ("GET /openapi.json", None),
    )  # fmt: skip
    inbox = _requests(
        ("POST /services/T0/B0/x", {"text": "a", "channel": "#a"}),
        ("POST /v2/enqueue", {"routing_key": "0" * 32, "event_action": "trigger"}),
        ("POST /heartbeat/x", {"version": "4", "status": "firing", "groupKey": "a",
                               "receiver": "r", "alerts": [{"labels": {"alertname": "W"}}]}),
        ("GET /api/messages?after=0&limit=3&raw=1", None),
        ("GET /messages/1", None), ("GET /messages/1/html", None), ("GET /runbooks", None),
        ("GET /runbooks/DiskFull", None), ("GET /health", None), ("GET /", None),
        ("GET /static/inbox.css", None),
    )  # fmt: skip
    note = {"time": 5, "timeEnd": 6, "text": "t", "tags": ["a"], "dashboardUID": "a", "panelId": 1}
    viewer = _requests(
        ("GET /api/search?query=a&tag=x&type=dash-db&limit=5&page=1&sort=alpha-desc", None),
        ("GET /api/dashboards/uid/a", None), ("GET /api/datasources", None),
        ("GET /api/annotations?from=1&to=9&tags=a&matchAny=true&panelId=1&limit=5", None),
        ("POST /api/annotations", note), ("PATCH /api/annotations/1", {"text": "u"}),
        ("DELETE /api/annotations/1", None), ("GET /api/frontend/settings", None),
        ("GET /d/a/b", None), ("GET /incidents", None), ("GET /api/lab/problems", None),
        ("GET /metrics", None),
    )  # fmt: skip
    left = json.dumps({"queries": [{"expr": 'sum(rate({a="b"} |= "x" [5m]))'}]}).encode()
    answer = {
        "data": {"result": [{"stream": {"a": "b"}, "values": [["1700000000000000000", "x"]]}]}
    }
    return [
        Target(name="scheduler", feed=_ask_scheduler, seeds=list(scheduler), words=_WORDS,
               short=400),
        Target(name="token", feed=_token, seeds=_signed(), words=(b".", b"=", b"-", b"_"),
               short=400),
        Target(name="inbox", feed=_ask_inbox, seeds=list(inbox), words=_WORDS, short=400),
        Target(name="viewer", feed=_ask_viewer, seeds=list(viewer), words=_WORDS, short=400),
        Target(name="annotation", feed=_annotation, seeds=[json.dumps(note).encode()]),
        Target(name="explore", feed=_explore, seeds=[left], raises=(ValueError, LogQLError)),
        Target(name="found-lines", feed=_found, seeds=[json.dumps(answer).encode()],
               raises=(ValueError,), short=1000),
        Target(name="upstream", feed=_upstream, short=1500, words=(b"%", b"..", b"//", b"\\"),
               seeds=[b"GET loki/api/v1/query_range", b"POST api/v1/query",
                      b"GET api/v1/label/a/values", b"GET api/v2/silence/a-b"]),
    ]  # fmt: skip
