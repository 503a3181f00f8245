"""Following a query as entries come in (`/loki/api/v1/tail`, over a websocket)."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from starlette.websockets import WebSocket

from stack.logql import Batch, Engine, LogQLError
from stack.logql.ast import LineFilter, LogQuery, Matcher
from stack.logql.errors import Kind
from stack.logql.matching import selects
from stack.logql.parse import parse
from stack.logql.results import Streams
from stack.programs.logstore.answers import encoded
from stack.programs.logstore.wal import Part

EVERY_S = 0.1
"""Entries that come within this time are sent together."""
WAITING = 20_000
"""Entries that may wait for a slow client; older ones are dropped, and it is told so."""


class Incoming:
    """Entries as they come in, for one client. `take` is for the committing thread."""

    def __init__(self) -> None:
        self._parts: deque[Part] = deque()
        self._rows = 0
        self._lost: deque[Part] = deque(maxlen=100)

    def take(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._parts.append(part)
            self._rows += len(part.lines)
        while self._rows > WAITING and len(self._parts) > 1:
            old = self._parts.popleft()
            self._rows -= len(old.lines)
            self._lost.append(old)

    def drain(self) -> list[Part]:
        """What came in since the last call."""
        drained = []
        while self._parts:
            part = self._parts.popleft()
            self._rows -= len(part.lines)
            drained.append(part)
        return drained

    def lost(self) -> list[Part]:
        """What was dropped since the last call; at most the last hundred parts."""
        lost = []
        while self._lost:
            lost.append(self._lost.popleft())
        return lost


class Parts:
    """Some entries as a `Source`."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = parts

    def select(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int, *, backward: bool = False,
        line_filters: Sequence[LineFilter] = (),
    ) -> Iterator[Batch]:  # fmt: skip
        chosen = selects(matchers)
        rows = [
            (at_ns, line, part.stream.stream)
            for part in self._parts
            if chosen(part.stream.labels)
            for at_ns, line in zip(part.timestamps_ns, part.lines, strict=True)
            if start_ns <= at_ns < end_ns
        ]
        rows.sort(key=lambda row: row[0], reverse=backward)
        if rows:
            timestamps_ns, lines, streams = zip(*rows, strict=True)
            yield Batch(timestamps_ns=timestamps_ns, lines=lines, streams=streams)


def log_query(text: str) -> str:
    """The query itself. Raises LogQLError unless it is a log query."""
    if not isinstance(parse(text), LogQuery):
        raise LogQLError("metric queries cannot be tailed", kind=Kind.EXECUTION)
    return text


def matched(query: str, parts: Iterable[Part], since_ns: int) -> Streams:
    """The entries that the query passes, oldest first. Raises LogQLError."""
    found = Engine(Parts(parts)).query_range(query, since_ns, 2**63 - 1, 1, 2**31, "forward")
    assert isinstance(found, Streams)
    return found


def forward(found: Streams) -> Streams:
    """The same entries in the other order."""
    return Streams(streams=tuple(replace(one, entries=one.entries[::-1]) for one in found.streams))


Key = tuple[tuple[tuple[str, str], ...], int, str]


def keys(found: Streams) -> set[Key]:
    """What distinguishes the entries."""
    return {(tuple(one.labels.items()), *entry) for one in found.streams for entry in one.entries}


def without(found: Streams, seen: set[Key]) -> Streams:
    """The entries that were not seen yet."""
    left = []
    for one in found.streams:
        labels = tuple(one.labels.items())
        entries = tuple(entry for entry in one.entries if (labels, *entry) not in seen)
        if entries:
            left.append(replace(one, entries=entries))
    return Streams(streams=tuple(left))


async def send(socket: WebSocket, found: Streams, lost: Sequence[Part] = ()) -> None:
    """One message to the client; none if there is nothing to send."""
    if not found.streams and not lost:
        return
    streams = [
        {"stream": dict(one.labels), "values": [(str(at_ns), line) for at_ns, line in one.entries]}
        for one in found.streams
    ]
    dropped = [
        {"labels": dict(part.stream.labels), "timestamp": str(part.timestamps_ns[-1])}
        for part in lost
    ]
    message = encoded({"streams": streams, "dropped_entries": dropped or None})
    await socket.send_text(message.decode())
