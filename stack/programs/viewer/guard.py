"""Who may ask: by name and password, from which page, for which host; and what browsers are told.

Stands before everything else. Reading is for all who reach the port, as Grafana's anonymous viewer;
what needs the password asks `is_admin`.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Collection, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.programs.origin import FOREIGN_HOST, SAFE, refusal
from stack.programs.viewer.metrics import Metrics

USER = "admin"

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'"
)
"""Content-Security-Policy. Styles may stand in the page: Grafana's libraries write them there."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """An ASGI application around another one."""

    def __init__(
        self, app: ASGIApp, *, password: str, hosts: Collection[str], metrics: Metrics
    ) -> None:
        """`hosts`: names by which the viewer may be addressed, without a port: a page of another
        name that leads here (DNS rebinding) gets nothing."""
        self._app = app
        self._wanted = f"{USER}:{password}".encode()
        self._hosts = frozenset(hosts)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began, status = time.perf_counter(), 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refused(scope)
        try:
            await (refused or self._app)(scope, receive, told)
        finally:
            took = time.perf_counter() - began
            # Who has left gets none: nginx counts them so.
            self._metrics.took(scope["path"], scope["method"], status or 499, took)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        """What to answer instead of the application; None where it may."""
        headers = Headers(scope=scope)
        if status := refusal(headers, self._hosts, changes=scope["method"] not in SAFE):
            foreign_host = status == FOREIGN_HOST
            self._metrics.refused.labels("host" if foreign_host else "origin").inc()
            why = ("the viewer is not at this host name" if foreign_host
                   else "a page of another site may not send this")  # fmt: skip
            return _told(status, why)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["admin"] = False
        if "authorization" in headers:
            # Compared in full, also when the name is wrong: time says nothing.
            if not hmac.compare_digest(_credentials(headers["authorization"]), self._wanted):
                self._metrics.failed_logins.inc()
                return _told(401, "Invalid username or password")
            state["admin"] = True
        return None


def is_admin(request: Request) -> bool:
    """Whether the request carries the right name and password."""
    return bool(request.state.admin)


def _told(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status)


def _credentials(header: str) -> bytes:
    """`name:password` of basic authentication, b"" if the header is something else."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
