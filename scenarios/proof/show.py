"""What a proof shows while it runs: a live picture, or what is new in lines or events."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from scenarios.proof.board import Board
from scenarios.proof.endings import told
from scenarios.proof.play import Status
from stack import progress


class Display:
    """Takes statuses from any thread."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._report: progress.Quiet = progress.Quiet()

    @contextmanager
    def shown(self, words: str, **figures: object) -> Iterator[None]:
        """Begins with these words, and shows the board while the block runs."""
        with progress.shown() as self._report, self._report.watch(self._board.lines):
            self._report.say(words, "planned", **figures)
            yield
        self._report = progress.Quiet()

    def tell(self, status: Status) -> None:
        if not self._board.note(status) or self._report.live:
            return
        allowed = status.due is not None and status.zero is not None and status.due != float("inf")
        limit_s = round(status.due - status.zero, 1) if allowed else None  # type: ignore[operator]
        limit = f" (within {limit_s} s)" if limit_s else ""
        self._report.say(
            f"{time.strftime('%H:%M:%S')} {status.alert:24} {status.instance:8}"
            f" {status.what}{limit}",
            "status", alert=status.alert, instance=status.instance, stage=status.stage,
            what=status.what, within_s=limit_s,
        )  # fmt: skip

    def ending(self, words: str) -> None:
        """It ends before its time. Safe in a signal's handler: takes no lock."""
        if self._report.live:
            self._board.ending = words
        else:
            told(f"\n{words}\n")
