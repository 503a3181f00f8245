"""Wraps every request, as plain ASGI: measures it, logs one line, answers 500 if code failed."""

import logging
import secrets
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.programs.scheduler import logs
from stack.programs.scheduler.metrics import METHODS, UNMATCHED, Metrics

log = logging.getLogger("scheduler.request")

DOCS = "/docs"

UNCOUNTED = ("/health", "/metrics", DOCS, "/openapi.json")
"""Fast and frequent: if they were measured, they would hide slow requests."""


class Observe:
    """Outermost middleware. The request id is the client's `X-Request-ID` or a new one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNCOUNTED):
            await self.app(scope, receive, send)
            return
        request = logs.Request(
            request_id=_request_id(scope), method=scope["method"], path=scope["path"]
        )
        logs.current.set(request)
        started = time.perf_counter()

        async def observing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request.request_id.encode("latin-1")),
                ]
            await send(message)

        self.metrics.in_progress += 1
        try:
            await self.app(scope, receive, observing_send)
        except Exception as error:
            request.error = error
            if request.status is None:
                answer = JSONResponse({"detail": "Internal Server Error"}, 500)
                await answer(scope, receive, observing_send)
        finally:
            self.metrics.in_progress -= 1
        self._record(scope, request, time.perf_counter() - started)

    def _record(self, scope: Scope, request: logs.Request, seconds: float) -> None:
        request.seconds = seconds
        status = request.status or 500
        method = request.method if request.method in METHODS else "OTHER"
        path = getattr(scope.get("route"), "path", UNMATCHED)
        self.metrics.requests.answered(method, path, status, seconds)
        level = logging.WARNING if request.why else logging.INFO
        if status >= 500 or request.error:
            level = logging.ERROR
        why = f": {request.why}" if request.why else ""
        log.log(level, "%s %s %s%s", request.method, path, status, why, exc_info=request.error)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and 0 < len(value) <= 64 and value.isascii():
            return str(value.decode())
    return secrets.token_hex(16)
