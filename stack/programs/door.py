"""Stands before each of the lab's own programs that speak HTTP: who may come in, and what browsers
are told. A page of another site in somebody's browser must neither send here nor read.
"""

from collections.abc import Collection, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.programs.origin import FOREIGN_HOST, SAFE, refusal

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
"""Set where the program has not set its own."""

_POLICY_VIOLATED = 1008
"""RFC 6455, 7.4.1."""


class Door:
    """An ASGI application around another one."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] | None,
        headers: Mapping[str, str] = HEADERS,
    ) -> None:
        """`hosts` as for `origin.refusal`."""
        self._app = app
        self._hosts = None if hosts is None else frozenset(hosts)
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        changes = kind == "websocket" or scope["method"] not in SAFE
        status = refusal(Headers(scope=scope), self._hosts, changes=changes)
        if kind == "websocket":
            if status:
                await receive()
                await send({"type": "websocket.close", "code": _POLICY_VIOLATED})
            else:
                await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await (_refused(status) if status else self._app)(scope, receive, told)


def _refused(status: int) -> ASGIApp:
    said = (
        "there is nothing at this host name; ask 127.0.0.1 or localhost"
        if status == FOREIGN_HOST
        else "a page of another site may not send this"
    )
    return PlainTextResponse(f"{said}\n", status)
