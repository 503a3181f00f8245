"""Servers that a load generator is measured with: `python -m tests.bench.load.servers KIND`.

`instant` answers as fast as it can, `busy` takes two milliseconds of CPU for each request and does
one after the other, `stalls` is silent for two seconds once. Says its port, and at SIGTERM when
each request came: a JSON list of seconds.
"""

import asyncio
import json
import signal
import sys
import time

BUSY_S = 0.002
STALL_S = 2.0
STALLS_AFTER_S = 4.0
"""From the first request."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

came: list[float] = []


class Instant(asyncio.Protocol):
    """Knows no more of HTTP than where a request without a body ends."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in requests:
            came.append(time.monotonic())
            self.answer()

    def answer(self) -> None:
        self._transport.write(ANSWER)


class Busy(Instant):
    def answer(self) -> None:
        until = time.thread_time() + BUSY_S
        while time.thread_time() < until:
            pass
        super().answer()


class Stalls(Instant):
    def answer(self) -> None:
        since = time.monotonic() - came[0] - STALLS_AFTER_S
        left_s = STALL_S - since if 0 <= since < STALL_S else 0.0
        asyncio.get_running_loop().call_later(left_s, super().answer)


KINDS = {"instant": Instant, "busy": Busy, "stalls": Stalls}


async def serve(kind: str) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(KINDS[kind], "127.0.0.1", 0, backlog=1000)
    loop.add_signal_handler(signal.SIGTERM, over.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    server.close()
    print(json.dumps([round(one, 5) for one in came]), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
