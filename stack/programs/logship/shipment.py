"""Lines on their way: collected by stream, encoded as Loki accepts them."""

from pathlib import Path
from typing import Protocol

import cramjam

from stack.programs.logship.positions import Mark
from stack.programs.lokiproto import PushRequest

_NS = 1_000_000_000


class Origin(Protocol):
    """A file whose lines are on their way."""

    path: Path

    def acknowledge(self, mark: Mark) -> None:
        """Note that the store has everything before the mark."""


class Shipment:
    """What is pushed at once, a batch to Promtail. Once handed over it does not change."""

    def __init__(self, since: float) -> None:
        self.since = since
        """When it was begun, in seconds of a monotonic clock."""
        self.bytes = 0
        """Of its lines."""
        self.lines = 0
        self.noted = False
        """Something in it must be saved before it is sent."""
        self.marks: dict[Origin, Mark] = {}
        """How far each file is sent once this is."""
        self._streams: dict[str, list[tuple[int, str]]] = {}

    def add(self, labels: str, time_ns: int, line: str) -> None:
        self._streams.setdefault(labels, []).append((time_ns, line))
        self.lines += 1
        self.bytes += len(line)

    def parts(self) -> "list[Shipment]":
        """A shipment of each stream, to be sent instead of the whole."""
        made = []
        for labels, entries in self._streams.items():
            part = Shipment(self.since)
            part._streams = {labels: entries}
            part.lines, part.bytes = len(entries), sum(len(line) for _, line in entries)
            made.append(part)
        return made

    def encoded(self) -> bytes:
        """A PushRequest, compressed with snappy's block format."""
        request = PushRequest()
        for labels, entries in self._streams.items():
            stream = request.streams.add(labels=labels)
            for time_ns, line in entries:
                entry = stream.entries.add(line=line)
                entry.timestamp.seconds, entry.timestamp.nanos = divmod(time_ns, _NS)
        return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def selector(labels: dict[str, str]) -> str:
    """Labels as Loki writes them: `{job="lab", level="info"}`, sorted."""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return "{" + ", ".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
