"""The inbox over HTTP: the endpoints of channels, what arrived as JSON, and the page."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stack.programs import ids
from stack.programs.inbox import heartbeat, pagerduty, runbooks, slack, views
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.message import Kind, Message, Post, Reply

_READ_LIMIT_BYTES = 64 * 1_048_576
"""A body is read up to here, so that its sender learns why it is refused; beyond, it is cut off."""
_NUMBER_LIMIT = 2**63
"""SQLite's integers end here."""
_KEEP_LIMIT_BYTES = max(slack.BODY_LIMIT_BYTES, pagerduty.BODY_LIMIT_BYTES)


class Web:
    """Handlers over one desk. `services` maps PagerDuty routing keys to service names."""

    def __init__(self, desk: Desk, services: Mapping[str, str], folder: Path | None) -> None:
        self._desk = desk
        self._services = services
        self._runbooks = folder

    async def slack(self, request: Request) -> Response:
        return await self._answer(slack.judge(await _read(request)))

    async def pagerduty(self, request: Request) -> Response:
        return await self._answer(pagerduty.judge(await _read(request), self._services))

    async def heartbeat(self, request: Request) -> Response:
        """Only what is wrong is recorded: regular beats are not news."""
        found = heartbeat.judge(await _read(request), request.path_params["name"])
        message = self._desk.wished(found)
        await self._desk.delay(message.channel)
        if message.answer >= 300:
            self._desk.take(message)
            said = "; ".join(message.problems) or "made to fail on purpose"
            return PlainTextResponse(said.encode(errors="replace"), message.answer)
        if message.kind is Kind.FIRING:
            self._desk.beat(message)
        return PlainTextResponse("ok", message.answer)

    async def messages(self, request: Request) -> Response:
        """List messages with an id above `after`, oldest first, at most `limit`; what came over the
        wire is left out unless `raw` is 1."""
        after, limit = _number(request, "after", 0), _number(request, "limit", -1)
        raw = _number(request, "raw", 0) == 1
        return JSONResponse(
            [
                as_json(found) | ({"raw": found.raw.decode("utf-8", "replace")} if raw else {})
                for found in self._desk.store.after(after, limit=limit, raw=raw)
            ]
        )

    async def page(self, request: Request) -> Response:
        return views.overview(self._desk.store.newest())

    async def message(self, request: Request) -> Response:
        found = self._found(request)
        known = [name for name in found.alerts if name in runbooks.names(self._runbooks)]
        return views.message(found, newest=self._desk.store.newest(), runbooks=known)

    async def mail_html(self, request: Request) -> Response:
        return views.mail_html(self._found(request))

    async def runbooks(self, request: Request) -> Response:
        return views.runbooks(runbooks.names(self._runbooks))

    async def runbook(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = runbooks.page(self._runbooks, name)
        if content is None:
            raise HTTPException(404, f"there is no runbook {name}; /runbooks lists them")
        return views.runbook(name, content)

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "newest": self._desk.store.newest()})

    async def metrics(self, request: Request) -> Response:
        text = generate_latest(self._desk.metrics.registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _answer(self, reply: Reply) -> Response:
        """Record the message, then answer. Nothing is acknowledged that is not recorded."""
        message = self._desk.wished(reply.message)
        self._desk.take(message)
        await self._desk.delay(message.channel)
        if message.answer != reply.message.answer:
            return PlainTextResponse("made to fail on purpose", message.answer)
        content_type = reply.content_type
        return Response(reply.text, message.answer, headers={"Content-Type": content_type})

    def _found(self, request: Request) -> Message:
        id = request.path_params["id"]
        message = self._desk.store.get(id)
        if message is None:
            raise HTTPException(404, f"there is no message {id}")
        return message


def application(desk: Desk, services: Mapping[str, str], folder: Path | None = None) -> Starlette:
    """Return the ASGI application. `folder` holds the runbooks, `ALERT.md`."""
    ids.known()
    web = Web(desk, services, folder)
    static = StaticFiles(directory=Path(__file__).parent / "static")
    return Starlette(
        routes=[
            Route("/services/{rest:path}", web.slack, methods=["POST"]),
            Route("/v2/enqueue", web.pagerduty, methods=["POST"]),
            Route("/heartbeat/{name}", web.heartbeat, methods=["POST"]),
            Route("/api/messages", web.messages),
            Route("/messages/{id:id}", web.message),
            Route("/messages/{id:id}/html", web.mail_html),
            Route("/runbooks", web.runbooks),
            Route("/runbooks/{name}", web.runbook),
            Route("/health", web.health),
            Route("/metrics", web.metrics),
            Route("/", web.page),
            Mount("/static", static),
        ],
        exception_handlers={sqlite3.Error: _not_stored, ClientDisconnect: _gone},
    )


def as_json(message: Message) -> dict[str, object]:
    """Return a message as `/api/messages` shows it."""
    return {
        "id": message.id,
        "received_at": message.received_at,
        "channel": message.channel,
        "destination": message.destination,
        "kind": message.kind,
        "alerts": message.alerts,
        "subject": message.subject,
        "body": message.body,
        "problems": message.problems,
        "answer": message.answer,
    }


async def _read(request: Request) -> Post:
    """Read a request, up to a limit; `size_bytes` of the result says if there was more."""
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        kept += chunk[: max(_KEEP_LIMIT_BYTES - size, 0)]
        size += len(chunk)
        if size > _READ_LIMIT_BYTES:
            break
    return Post(
        path=request.url.path,
        content_type=request.headers.get("content-type", ""),
        body=bytes(kept),
        received_at=time.time(),
        size_bytes=size,
    )


def _number(request: Request, name: str, default: int) -> int:
    """Return a query parameter. Raises HTTPException 400 if it is not a whole number."""
    text = request.query_params.get(name)
    try:
        number = default if text is None else int(text)
        if abs(number) < _NUMBER_LIMIT:
            return number
    except ValueError:
        pass
    raise HTTPException(400, f"`{name}` is `{text}`, not a whole number")


async def _not_stored(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"the inbox cannot store: {error}", 500)


async def _gone(request: Request, error: Exception) -> Response:
    return PlainTextResponse("", 400)
