"""Lines that belong together: what a `multiline` stage joins.

Differs from Promtail's in one respect: after a block was sent because it waited too long or became
too large, its later lines are sent one by one, without the labels of the block's first line. So
what a line becomes depends on the file alone, wherever a restarted shipper begins to read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stack.programs.logship.reader import Note, Raw
from stack.programs.logship.stages import Multiline


@dataclass(frozen=True, kw_only=True)
class Block:
    """A line, or several joined by newlines; `start` and `end` are offsets in the file."""

    start: int
    end: int
    text: str
    note: Note | None
    by_clock: bool
    """The clock, not the file, decided where it ends."""


class Blocks:
    """Joins the lines of one file. Without `multiline`, each is its own block."""

    def __init__(self, multiline: Multiline | None, *, max_bytes: int) -> None:
        self._multiline = multiline
        self._max_bytes = max_bytes
        self._held: list[Raw] = []
        self._since = 0.0

    def add(self, raws: Iterable[Raw], now: float) -> list[Block]:
        """The blocks completed by these lines. `now` is in seconds of a monotonic clock."""
        if self._multiline is None:
            return [_block([raw]) for raw in raws]
        found: list[Block] = []
        for raw in raws:
            begins = self._multiline.begins(raw.text)
            if raw.note or begins or self._too_large_with(raw):
                found += self._flush(by_clock=False)
            if raw.note or not (begins or self._held):
                found.append(_block([raw]))
                continue
            self._held.append(raw)
            self._since = now
            if raw.by_clock or len(self._held) == self._multiline.max_lines:
                found += self._flush(by_clock=raw.by_clock)
        return found

    def due(self, now: float) -> list[Block]:
        """What has waited long enough."""
        if not self._held or self._multiline is None:
            return []
        if now - self._since < self._multiline.max_wait_s:
            return []
        return self._flush(by_clock=True)

    def rest(self) -> list[Block]:
        """What is held back, because nothing can follow it."""
        return self._flush(by_clock=True)

    def _too_large_with(self, raw: Raw) -> bool:
        return bool(self._held) and raw.end - self._held[0].start > self._max_bytes

    def _flush(self, *, by_clock: bool) -> list[Block]:
        held, self._held = self._held, []
        return [_block(held, by_clock=by_clock)] if held else []


def _block(raws: list[Raw], *, by_clock: bool = False) -> Block:
    return Block(
        start=raws[0].start,
        end=raws[-1].end,
        text="\n".join(raw.text for raw in raws) if len(raws) > 1 else raws[0].text,
        note=raws[0].note,
        by_clock=by_clock or raws[-1].by_clock,
    )
