"""Stands before each of the lab's own programs that speak HTTP: who may come in, and what browsers
are told. A page of another site in somebody's browser must neither send here nor read.
"""

from collections.abc import Collection, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.programs.origin import FOREIGN_HOST, HEADERS, SAFE, refusal

_POLICY_VIOLATED = 1008
"""RFC 6455, 7.4.1."""


_OF_A_BODY = frozenset((b"content-length", b"transfer-encoding"))


class Door:
    """An ASGI application around another one."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] | None,
        headers: Mapping[str, str] = HEADERS,
        *,
        most_bytes: int | None = None,
    ) -> None:
        """`hosts` as for `origin.refusal`; `most_bytes`: of a request's body, None where the
        program has bounds of its own."""
        self._app = app
        self._hosts = None if hosts is None else frozenset(hosts)
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._names = {name for name, _ in self._headers}
        self._most_bytes = most_bytes

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
                headers = [*message.get("headers", ())]
                given = {name for name, _ in headers}
                if self._names.isdisjoint(given):
                    headers += self._headers
                else:
                    headers += [one for one in self._headers if one[0] not in given]
                message["headers"] = headers
            await send(message)

        if status:
            await _refused(status)(scope, receive, told)
        elif self._most_bytes is None or _has_no_body(scope):
            await self._app(scope, receive, told)
        else:
            await self._bounded(scope, receive, told, self._most_bytes)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, most_bytes: int) -> None:
        """The application, which reads no more of the body than that many bytes."""
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > most_bytes:
            await _too_large(most_bytes)(scope, receive, send)
            return
        read = 0

        async def some() -> Message:
            nonlocal read
            if read > most_bytes:
                return {"type": "http.disconnect"}
            message = await receive()
            read += len(message.get("body", b""))
            return {"type": "http.disconnect"} if read > most_bytes else message

        async def told(message: Message) -> None:
            if read <= most_bytes:
                await send(message)

        try:
            await self._app(scope, some, told)
        finally:
            if read > most_bytes:
                await _too_large(most_bytes)(scope, receive, send)


def _has_no_body(scope: Scope) -> bool:
    """By its headers (RFC 9112, 6.3)."""
    return _OF_A_BODY.isdisjoint([name for name, _ in scope["headers"]])


def _too_large(most_bytes: int) -> ASGIApp:
    return PlainTextResponse(
        f"the body is larger than {most_bytes} bytes\n", 413, {"Connection": "close"}
    )


def _refused(status: int) -> ASGIApp:
    said = (
        "there is nothing at this host name; ask 127.0.0.1 or localhost"
        if status == FOREIGN_HOST
        else "a page of another site may not send this"
    )
    return PlainTextResponse(f"{said}\n", status)
