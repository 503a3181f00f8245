"""What a proof shows while it runs: a live table, or one line per transition in a log."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live
from rich.table import Table

from scenarios.proof.play import Status, Tell

REFRESH_PER_S = 4


@contextmanager
def display(alerts: Sequence[str], console: Console | None = None) -> Iterator[Tell]:
    """Yields the function that takes each status, from any thread."""
    console = console or Console(highlight=False)
    board = _Board(alerts, console)
    if not console.is_terminal:
        yield board.line
        return
    live = Live(get_renderable=board.table, console=console, refresh_per_second=REFRESH_PER_S)
    live.start()
    try:
        yield board.note
    finally:
        with suppress(OSError):  # its terminal may be gone
            live.stop()


class _Board:
    def __init__(self, alerts: Sequence[str], console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._started = time.time()
        self._latest = {
            alert: Status(alert=alert, instance="", what="waiting for its turn") for alert in alerts
        }

    def note(self, progress: Status) -> None:
        with self._lock:
            self._latest[progress.alert] = progress

    def line(self, progress: Status) -> None:
        """Print what is new; a log wants each transition once."""
        with self._lock:
            before = self._latest.get(progress.alert)
            self._latest[progress.alert] = progress
            if before and before.what == progress.what:
                return
            at = time.strftime("%H:%M:%S")
            _, deadline = _seconds(progress)
            limit = f" (within {deadline})" if deadline else ""
            words = f"{at} {progress.alert:24} {progress.instance:8} {progress.what}{limit}"
            with suppress(OSError):  # nobody reads any more; the proof is no worse for that
                self._console.print(words, soft_wrap=True, markup=False)

    def table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("alert", no_wrap=True)
        table.add_column("state", ratio=1)
        table.add_column("so far", justify="right", no_wrap=True)
        table.add_column("deadline", justify="right", no_wrap=True)
        table.add_column("instance", no_wrap=True)
        with self._lock:
            for progress in self._latest.values():
                so_far, deadline = _seconds(progress)
                table.add_row(
                    progress.alert, _coloured(progress.what), so_far, deadline, progress.instance
                )
        table.caption = f"{time.time() - self._started:.0f} s"
        table.caption_justify = "left"
        return table


def _seconds(progress: Status) -> tuple[str, str]:
    """Seconds so far and those allowed, counted from the fault; empty before it."""
    if progress.zero is None:
        return "", ""
    allowed = progress.due is not None and progress.due != float("inf")
    deadline = f"{(progress.due or 0) - progress.zero:.1f} s" if allowed else ""
    return f"{time.time() - progress.zero:.1f} s", deadline


def _coloured(what: str) -> str:
    colours = {"proven": "green", "failed": "red", "blocked": "yellow"}
    colour = colours.get(what.split(":")[0])
    escaped = what.replace("[", r"\[")
    return f"[{colour}]{escaped}[/{colour}]" if colour else escaped
