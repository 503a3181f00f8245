"""Loki's HTTP API (reference: "Loki HTTP API", 3.7): the part that shippers, dashboards and the
lab's own tools use."""

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from stack.logql import LogQLError
from stack.logql.parse import parse
from stack.logql.pretty import pretty
from stack.logql.results import Streams
from stack.programs.logstore import answers, detect, params, tail
from stack.programs.logstore.check import Outcome
from stack.programs.logstore.committer import Committer
from stack.programs.logstore.metrics import VERSION, Metrics
from stack.programs.logstore.params import BadParameter, Form, one
from stack.programs.logstore.push import BODY_BYTES, Body
from stack.programs.logstore.querier import Failed, Querier
from stack.programs.logstore.settings import Settings

AT_ONCE = 2
"""Queries that run at the same time."""
OUTSTANDING = 64
"""Queries that may wait or run before another one is refused."""
_BOTH_S = 60.0

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")
Gone = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


@dataclass(kw_only=True)
class Context:
    """What the handlers work with."""

    settings: Settings
    querier: Querier
    committer: Committer
    metrics: Metrics
    trouble: Callable[[], str]
    """Why the store is not healthy; empty if it is."""
    shipper: str = ""
    """What the shipper says of itself, and nobody else can; empty if it says nothing."""


class Web:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="query")
        self._outstanding = 0

    async def push(self, request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return _plain(413, f"request body too large: limit: {BODY_BYTES} bytes")
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = request.headers.get("content-encoding", "").strip().lower()
        sent = Body(data=body, content_type=content, encoding=encoding)
        said = request.headers.get("authorization", "")
        own = bool(self._context.shipper) and compare_digest(
            said.encode(), self._context.shipper.encode()
        )
        try:
            waiting = self._context.committer.submit(sent, own=own)
            outcome: Outcome = await asyncio.wrap_future(waiting)
        except queue.Full:
            outcome = Outcome(429, "too many pushes are waiting for the disk, try again")
        return _plain(*outcome) if outcome.message else Response(status_code=outcome.status)

    async def query_range(self, request: Request) -> Response:
        form = await _form(request)
        asked = params.range_query(form, time.time_ns(), self._context.settings.limits)
        return _json(
            await self._in_thread(
                lambda gone: answers.result(*self._context.querier.range(asked, gone)),
                request.receive,
            )
        )

    async def query(self, request: Request) -> Response:
        form = await _form(request)
        asked = params.instant_query(form, time.time_ns())
        return _json(
            await self._in_thread(
                lambda gone: answers.result(*self._context.querier.instant(asked, gone)),
                request.receive,
            )
        )

    async def labels(self, request: Request) -> Response:
        form = await _form(request)
        selector, bounds = one(form, "query"), params.bounds(form, time.time_ns())
        streams = self._context.querier.streams([selector] if selector else [], *bounds)
        return _json(answers.success(sorted({name for s in streams for name in s.labels}) or None))

    async def label_values(self, request: Request) -> Response:
        form = await _form(request)
        name, selector = request.path_params["name"], one(form, "query")
        bounds = params.bounds(form, time.time_ns())
        streams = self._context.querier.streams([selector] if selector else [], *bounds)
        values = {value for s in streams if (value := s.labels.get(name))}
        return _json(answers.success(sorted(values) or None))

    async def series(self, request: Request) -> Response:
        form = await _form(request)
        selectors = [*form.get("match", ()), *form.get("match[]", ())]
        if not selectors:
            raise BadParameter("0 matcher groups supplied")
        streams = self._context.querier.streams(selectors, *params.bounds(form, time.time_ns()))
        return _json(answers.success([dict(stream.labels) for stream in streams]))

    async def index_stats(self, request: Request) -> Response:
        form = await _form(request)
        selector, bounds = one(form, "query"), params.bounds(form, time.time_ns())
        found = await self._in_thread(lambda gone: self._context.querier.volumes(selector, *bounds))
        return _json(answers.index_stats(found.values()))

    async def index_volume(self, request: Request) -> Response:
        form = await _form(request)
        asked = params.volume_query(form, time.time_ns())
        named = {matcher.name for matcher in self._context.querier.matchers(asked.query)}
        found = await self._in_thread(
            lambda gone: self._context.querier.volumes(asked.query, asked.start_ns, asked.end_ns)
        )
        sizes = [(dict(stream.labels), size) for stream, (_, size) in found.items()]
        return _json(answers.volume(sizes, asked, named))

    async def index_volume_range(self, request: Request) -> Response:
        form = await _form(request)
        now_ns, limits = time.time_ns(), self._context.settings.limits
        asked = params.volume_query(form, now_ns)
        steps = params.range_query({**form, "query": [asked.query]}, now_ns, limits)
        named = {matcher.name for matcher in self._context.querier.matchers(asked.query)}
        found = await self._in_thread(lambda gone: self._context.querier.volume_range(steps))
        return _json(answers.volume_range(found, asked, named))

    async def detected_fields(self, request: Request) -> Response:
        form = await _form(request)
        asked = params.fields_query(form, time.time_ns(), self._context.settings.limits)
        fields = await self._in_thread(
            lambda gone: self._context.querier.fields(asked, gone), request.receive
        )
        found = fields.found
        name = request.path_params.get("name")
        if name is None:
            return _json(answers.encoded(detect.fields(found, asked.limit)))
        return _json(answers.encoded(detect.values(found.get(name), asked.limit)))

    async def detected_labels(self, request: Request) -> Response:
        form = await _form(request)
        selector, bounds = one(form, "query"), params.bounds(form, time.time_ns())
        if bounds[1] < bounds[0]:
            raise BadParameter(params.END_BEFORE_START)
        streams = self._context.querier.streams([selector] if selector else [], *bounds)
        return _json(answers.encoded(detect.labels(stream.labels for stream in streams)))

    async def patterns(self, request: Request) -> Response:
        form = await _form(request)
        asked = params.range_query(form, time.time_ns(), self._context.settings.limits)
        found = await self._in_thread(
            lambda gone: self._context.querier.patterns(asked, gone), request.receive
        )
        return _json(answers.success(found.rows()))

    async def format_query(self, request: Request) -> Response:
        form = await _form(request)
        try:
            text = pretty(parse(one(form, "query")))
        except LogQLError as error:
            body = answers.encoded({"status": "invalid-query", "error": str(error)})
            return Response(body, 400, media_type="application/json; charset=utf-8")
        return _json(answers.success(text))

    async def drilldown_limits(self, request: Request) -> Response:
        return _json(answers.drilldown_limits(self._context.settings.limits, VERSION))

    async def follow(self, socket: WebSocket) -> None:
        form = parse_qs(socket.scope["query_string"].decode(errors="replace"))
        await socket.accept()
        incoming = tail.Incoming()
        self._context.committer.listeners.add(incoming.take)
        try:
            await self._follow(socket, form, incoming)
        except (Failed, BadParameter, LogQLError) as error:
            # A reason has room for 123 bytes.
            await socket.close(
                1000, str(error).encode(errors="replace")[:120].decode(errors="ignore")
            )
        except (WebSocketDisconnect, asyncio.CancelledError):
            pass
        finally:
            self._context.committer.listeners.discard(incoming.take)

    async def _follow(self, socket: WebSocket, form: Form, incoming: tail.Incoming) -> None:
        """What there is since `start`, then what comes in."""
        query = tail.log_query(one(form, "query"))
        start_ns, _ = params.bounds(form, time.time_ns())
        asked = params.RangeQuery(
            query=query, start_ns=start_ns, end_ns=2**63 - 1, step_ns=1, interval_ns=0,
            limit=params.limit(form), direction="backward",
        )  # fmt: skip
        found, _ = await self._in_thread(lambda gone: self._context.querier.range(asked))
        assert isinstance(found, Streams)
        await tail.send(socket, tail.forward(found))
        # What was committed while the query ran is in both.
        seen, seen_until = tail.keys(found), time.monotonic() + _BOTH_S
        gone = asyncio.create_task(_gone(socket.receive))
        while not gone.done():
            await asyncio.wait([gone], timeout=tail.EVERY_S)
            if parts := incoming.drain():
                new = await self._in_thread(lambda gone: tail.matched(query, parts, start_ns))
                if time.monotonic() < seen_until:
                    new = tail.without(new, seen)
                await tail.send(socket, new, incoming.lost())

    async def ready(self, request: Request) -> Response:
        trouble = self._context.trouble()
        return _plain(503, trouble) if trouble else _plain(200, "ready\n")

    async def metrics(self, request: Request) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self._context.metrics.text(), media_type=kind)

    async def config(self, request: Request) -> Response:
        return Response(self._context.settings.text, media_type="text/plain; charset=utf-8")

    async def buildinfo(self, request: Request) -> Response:
        return _json(answers.buildinfo(VERSION))

    async def _in_thread(
        self, work: Callable[[Gone], T], receive: Callable[[], Awaitable[Any]] | None = None
    ) -> T:
        """The work, done by one of few threads; it is told when the client of `receive` has left,
        and is not begun for one who left while it waited."""
        if self._outstanding >= OUTSTANDING:
            raise Failed(429, "too many outstanding requests")
        self._outstanding += 1
        gone = threading.Event()
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._pool, work, gone.is_set)
        leaving = asyncio.ensure_future(_gone(receive)) if receive else None
        either: list[asyncio.Future[Any]] = [working, *([leaving] if leaving else [])]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            gone.set()
            working.cancel()
            if leaving:
                leaving.cancel()
            self._outstanding -= 1


def application(context: Context, more: list[BaseRoute]) -> Starlette:
    """The ASGI application; `more` are the ruler's routes."""
    web, api = Web(context), "/loki/api/v1"
    routes: list[BaseRoute] = [
        _route(context, f"{api}/push", web.push, "POST"),
        _route(context, f"{api}/query", web.query),
        _route(context, f"{api}/query_range", web.query_range),
        _route(context, f"{api}/labels", web.labels),
        _route(context, f"{api}/label", web.labels),
        _route(context, f"{api}/label/{{name}}/values", web.label_values),
        _route(context, f"{api}/series", web.series),
        _route(context, f"{api}/index/stats", web.index_stats),
        _route(context, f"{api}/index/volume", web.index_volume),
        _route(context, f"{api}/index/volume_range", web.index_volume_range),
        _route(context, f"{api}/detected_fields", web.detected_fields),
        _route(context, f"{api}/detected_field/{{name}}/values", web.detected_fields),
        _route(context, f"{api}/detected_labels", web.detected_labels),
        _route(context, f"{api}/patterns", web.patterns),
        _route(context, f"{api}/format_query", web.format_query),
        _route(context, f"{api}/drilldown-limits", web.drilldown_limits),
        WebSocketRoute(f"{api}/tail", web.follow),
        _route(context, "/ready", web.ready),
        _route(context, "/metrics", web.metrics),
        _route(context, "/config", web.config),
        _route(context, f"{api}/status/buildinfo", web.buildinfo),
        *more,
    ]
    return Starlette(routes=routes)


def _route(context: Context, path: str, handler: Handler, *methods: str) -> Route:
    """A route that is timed, and whose failures are plain text, as in Loki."""
    name = path.strip("/").replace("/", "_").replace("{", "").replace("}", "")

    async def answer(request: Request) -> Response:
        with context.metrics.timed(request.method, name) as status:
            response = await _safely(handler, request)
            status.append(response.status_code)
        return response

    return Route(path, answer, methods=list(methods) or ["GET", "POST"])


async def _safely(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except Failed as error:
        return _plain(error.status, error.message)
    except BadParameter as error:
        return _plain(400, str(error))
    except ClientDisconnect:
        return _plain(499, "the request was cancelled by the client")


def _plain(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, headers={"X-Content-Type-Options": "nosniff"})


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=UTF-8")


async def _read(request: Request) -> bytes | None:
    """The body; None if it is too large."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def _form(request: Request) -> Form:
    """The parameters of the URL and, for a POST, of the body."""
    form = parse_qs(request.scope["query_string"].decode(errors="replace"), keep_blank_values=True)
    if request.method == "POST":
        body = await _read(request)
        for name, values in parse_qs((body or b"").decode(errors="replace")).items():
            form.setdefault(name, []).extend(values)
    return form


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    """Returns when the client has left."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass
