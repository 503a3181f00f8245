"""A delay line: what goes in comes out, in order, after the latency at the time it went in.

Pure: the caller supplies the clock. Many items can be under way at once, so a delay costs time but
no throughput.
"""

from collections import deque


class DelayLine:
    """Chunks (`bytes`) under way, and finally the end of the stream (`None`)."""

    def __init__(self) -> None:
        self._items: deque[tuple[float, bytes | None]] = deque()
        self.size_bytes = 0

    def put(self, item: bytes | None, *, now_s: float, latency_s: float) -> None:
        """Add `item`. It never leaves before one that went in earlier."""
        due_s = now_s + latency_s
        if self._items:
            due_s = max(due_s, self._items[-1][0])
        self._items.append((due_s, item))
        self.size_bytes += len(item or b"")

    def take(self, *, now_s: float) -> list[bytes | None]:
        """Remove and return everything that is due, in order."""
        due: list[bytes | None] = []
        while self._items and self._items[0][0] <= now_s:
            item = self._items.popleft()[1]
            self.size_bytes -= len(item or b"")
            due.append(item)
        return due

    def next_s(self) -> float | None:
        """When the next item is due; None when nothing is under way."""
        return self._items[0][0] if self._items else None
