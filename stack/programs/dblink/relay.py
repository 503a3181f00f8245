"""The relay: each accepted connection is paired with one to the target.

Bytes and the end of the stream go through the delay line of their direction; a reset does not wait.
A side that cannot keep up, or a full delay line, stops reading on the other side, so that a
connection never holds more than about `_UNDER_WAY_BYTES` in each direction.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from stack.programs.dblink.delay_line import DelayLine

_UNDER_WAY_BYTES = 4 * 1024**2
_CONNECT_WITHIN_S = 5.0

MOST_CONNECTIONS = 100
"""One more is reset: PostgreSQL has room for 120, and its operator and its exporter come by another
way."""


class Side(asyncio.Protocol):
    """One of the two connections of a pair: reads from its own, writes to its `peer`'s."""

    def __init__(self, latency_s: Callable[[], float]) -> None:
        self.peer: Side | None = None
        self.transport: asyncio.Transport | None = None
        self._latency_s = latency_s
        self._line = DelayLine()  # from here to the peer
        self._timer: asyncio.TimerHandle | None = None
        self._peer_is_full = False
        self._at_end = False  # our stream has ended
        self._ended = False  # and the peer knows
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._accept(data)

    def eof_received(self) -> bool:
        self._at_end = True
        self._accept(None)
        return True  # half-closed: the other direction stays open

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        # Without `exc` both directions had ended, or the pair was reset on purpose.
        if exc is not None and self.peer:
            self.peer.reset()

    def pause_writing(self) -> None:
        if self.peer:
            self.peer.peer_is_full(True)

    def resume_writing(self) -> None:
        if self.peer:
            self.peer.peer_is_full(False)

    def peer_is_full(self, full: bool) -> None:
        """Note whether the peer's socket accepts more."""
        self._peer_is_full = full
        self._pace()

    def reset(self) -> None:
        """Close immediately, so that the program at the other end sees a reset."""
        if self.transport and not self.transport.is_closing():
            reset(self.transport)

    def _accept(self, item: bytes | None) -> None:
        latency_s = self._latency_s()
        if latency_s == 0 and self._line.next_s() is None and self._has_peer():
            self._pass_on(item)
            return
        self._line.put(item, now_s=self._loop.time(), latency_s=latency_s)
        self._pace()
        self._wait()

    def _wait(self) -> None:
        due_s = self._line.next_s()
        if self._timer is None and due_s is not None and self._has_peer():
            self._timer = self._loop.call_at(due_s, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        for item in self._line.take(now_s=self._loop.time()):
            self._pass_on(item)
        self._pace()
        self._wait()

    def _has_peer(self) -> bool:
        """Until the other connection is there, what comes in waits in the line."""
        return self.peer is not None and self.peer.transport is not None

    def _pass_on(self, item: bytes | None) -> None:
        peer = self.peer
        if peer is None or peer.transport is None or peer.transport.is_closing():
            return
        if item is not None:
            peer.transport.write(item)
            return
        self._ended = True
        if peer._ended:
            peer.transport.close()
            if self.transport:
                self.transport.close()
        else:
            peer.transport.write_eof()

    def _pace(self) -> None:
        """Read from our own connection only while there is room."""
        if self._at_end or self.transport is None or self.transport.is_closing():
            return
        if self._peer_is_full or self._line.size_bytes > _UNDER_WAY_BYTES:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


def reset(transport: asyncio.Transport) -> None:
    """Abort with a TCP reset instead of closing cleanly."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Accepted(Side):
    """The client's side, which connects to the target. What the client sends meanwhile waits."""

    def __init__(
        self, target: tuple[str, int], latency_s: Callable[[], float], open_sides: set["Accepted"]
    ) -> None:
        super().__init__(latency_s)
        self._target = target
        self._open_sides = open_sides
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._open_sides) >= MOST_CONNECTIONS:
            self.reset()
            return
        self._open_sides.add(self)
        self._connecting = self._loop.create_task(self._connect())

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_sides.discard(self)
        if self._connecting:
            self._connecting.cancel()
        super().connection_lost(exc)

    def reset_both(self) -> None:
        """End the pair immediately."""
        self.reset()
        if self.peer:
            self.peer.reset()

    async def _connect(self) -> None:
        def far_side() -> Side:
            side = Side(self._latency_s)
            side.peer, self.peer = self, side
            return side

        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                await self._loop.create_connection(far_side, *self._target)
        except OSError:  # TimeoutError is one
            self.reset()
        else:
            self._wait()


async def serve(
    listening: socket.socket,
    target: tuple[str, int],
    latency_s: Callable[[], float],
    until: asyncio.Event,
) -> None:
    """Relay until `until` is set, then reset all open connections.

    `latency_s` is called for each chunk and returns the seconds by which to delay it.
    """
    sides: set[Accepted] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Accepted(target, latency_s, sides), sock=listening)
    try:
        await until.wait()
    finally:
        server.close()
        for side in list(sides):
            side.reset_both()
