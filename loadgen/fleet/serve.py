"""Answers scrapes: HTTP/1.1 over connections that stay, with as little as Prometheus needs.

A web framework would take more than the fleet's own work does.
"""

import asyncio
from collections.abc import Callable

from stack.loopback import HOST

Answer = Callable[[str], str | None]
"""The text at a path; None where nothing is."""

_HEAD = (
    b"HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n"
)

_LONGEST = 16 << 10
"""Bytes of a request's head."""


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._come = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._come += data
        while b"\r\n\r\n" in self._come:
            head, self._come = self._come.split(b"\r\n\r\n", 1)
            self._reply(head)
        if len(self._come) > _LONGEST and self._transport:
            self._transport.close()

    def _reply(self, head: bytes) -> None:
        first, *_ = head.split(b"\r\n", 1)
        words = first.split(b" ")
        if not self._transport or len(words) != 3 or words[0] != b"GET":
            self._send(405, b"Method Not Allowed", b"only GET is answered\n")
            return
        path = words[1].decode("ascii", "replace").partition("?")[0]
        text = self._answer(path)
        if text is None:
            self._send(404, b"Not Found", b"there is no such member of the fleet\n")
        else:
            self._send(200, b"OK", text.encode())

    def _send(self, status: int, reason: bytes, body: bytes) -> None:
        if self._transport:
            self._transport.write(_HEAD % (status, reason, len(body)) + body)


async def serve(answer: Answer) -> asyncio.Server:
    """A server on a free port of this machine."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(answer), HOST, 0, backlog=2048)
