"""The picture of a proof that runs: how far each scenario is, in as few lines as there is room.

Pure: statuses and a time go in, lines come out.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from rich.text import Text

from scenarios.proof.estimate import Measured, Turn, left_s, words
from scenarios.proof.play import Stage, Status

FAILED_SHOWN = 5
"""Of those that failed, the last ones; all are in the report."""

NAME_SHARE = 0.45
"""Of the width, for the name at most."""

TIMES_FROM, INSTANCES_FROM = 60, 100
"""Columns from which there is room for times, and for the instance."""

WIDEST = 140
"""Columns that a row uses at most: eyes lose the line across more."""

_OVER = (Stage.PROVEN, Stage.FAILED, Stage.BLOCKED)
_WAITING_FOR = "waiting for "


class Board:
    """What each scenario does, and did. Takes statuses from any thread."""

    def __init__(
        self,
        turns: Sequence[Turn],
        instances: int,
        *,
        failed: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`failed` are those that have failed without being played. `clock` is in Unix seconds."""
        self._clock = clock
        self._turns = turns
        self._instances = instances
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        """When the latest status came."""
        self._span: dict[str, tuple[float, float]] = {}
        """When the first and the latest status that was no waiting came."""
        self._latest = {
            name: Status(alert=name, instance="", what="waiting for its turn", stage=Stage.WAITING)
            for turn in turns
            for name in turn.names
        } | {
            name: Status(alert=name, instance="", what="not played", stage=Stage.FAILED)
            for name in failed
        }
        self.ending = ""
        """Why it ends before its time, once it does; then no estimate is given."""

    def note(self, status: Status) -> bool:
        """Take a status; whether it says more than that a figure has moved."""
        now = self._clock()
        with self._lock:
            before = self._latest.get(status.alert)
            self._latest[status.alert] = status
            new = not before or _kind(before) != _kind(status)
            if new:
                self._since[status.alert] = now
                if status.stage is not Stage.WAITING:
                    begun, _ = self._span.get(status.alert, (now, now))
                    self._span[status.alert] = begun, now
            return new

    def lines(self, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` cells: what runs, slowest first, what failed,
        the slowest in words, and the total."""
        now = self._clock()
        with self._lock:
            latest = list(self._latest.values())
            running = [one for one in latest if one.stage is Stage.RUNNING]
            running.sort(key=lambda one: self._since[one.alert])
            total = Text(self._total(latest, now, width), style="bold")
        wide = width >= TIMES_FROM
        failed = [one for one in latest if one.stage in (Stage.FAILED, Stage.BLOCKED)]
        last = failed[-min(FAILED_SHOWN, max(0, height // 4)) :] if height >= 4 else []
        slowest = [self._slowest(running[0], now)] if running and wide and height > 6 else []
        room = height - 1 - len(slowest) - len(last)
        shown = running if len(running) <= room else running[: max(0, room - 1)]
        names = [one.alert for one in (*shown, *last)]
        column = min(max(map(len, names), default=0), int(width * NAME_SHARE))
        rows = [self._row(one, column, width, now) for one in shown]
        if room > 0 and len(running) > len(shown):
            more = f"… and {len(running) - len(shown)} more run"
            rows.append(Text(_cut(more, width), style="dim"))
        rows += [_ended(one, column, width) for one in last]
        return [*rows, *slowest, total][-height:]

    def _row(self, status: Status, column: int, width: int, now: float) -> Text:
        width = min(width, WIDEST)
        row = Text(_cut(_cut(status.alert, column).ljust(column) + "  ", width))
        right = f"  {self._times(status, now)}" if width >= TIMES_FROM else ""
        right += f"  {status.instance:>8}" if width >= INSTANCES_FROM else ""
        room = max(0, width - len(row) - len(right))
        what = status.what if len(status.what) <= room else status.what.removeprefix(_WAITING_FOR)
        return row.append(_cut(what, room).ljust(room)).append(right, style="dim")

    def _times(self, status: Status, now: float) -> str:
        """Seconds since the fault and until the deadline; without one, since it began to wait."""
        if status.zero is None or status.due is None or status.due == float("inf"):
            return f"{now - self._since[status.alert]:.0f} s".rjust(16)
        return f"{now - status.zero:.1f} of {status.due - status.zero:.1f} s".rjust(16)

    def _slowest(self, status: Status, now: float) -> Text:
        seconds = now - self._since[status.alert]
        return Text(f"slowest: {status.alert}, {status.what} for {seconds:.0f} s", style="dim")

    def _total(self, latest: Sequence[Status], now: float, width: int) -> str:
        """With as much of the rest as there is room for."""
        counts = Counter(one.stage for one in latest)
        said = [f"{counts[Stage.PROVEN]} of {len(latest)} proven", f"{counts[Stage.FAILED]} failed"]
        said += [f"{counts[Stage.BLOCKED]} blocked"] if counts[Stage.BLOCKED] else []
        if self.ending:
            left = self.ending
        else:
            seconds = self._left_s(now)
            left = f"about {words(_rounded(seconds))} left" if seconds else ""
        waiting = f"{counts[Stage.WAITING]} waiting" if counts[Stage.WAITING] else ""
        seen = f"{counts[Stage.SEEN]} to be judged" if counts[Stage.SEEN] else ""
        for beside in (
            [seen, waiting, left],
            [waiting, left],
            [left],
            [left.replace("about ", "~")],
            [],
        ):
            line = ", ".join([*said, *filter(None, beside)])
            if len(line) <= width:
                break
        return line

    def _left_s(self, now: float) -> float | None:
        begun, waiting = [], []
        for turn in self._turns:
            stages = [self._latest[name].stage for name in turn.names]
            spans = [self._span[name] for name in turn.names if name in self._span]
            over = all(stage in _OVER for stage in stages)
            if all(stage is Stage.WAITING for stage in stages):
                waiting.append(turn.about_s)
            elif spans:
                until = max(last for _, last in spans) if over else now
                took_s = until - min(first for first, _ in spans)
                begun.append(Measured(about_s=turn.about_s, took_s=took_s, over=over))
        return left_s(begun, waiting, self._instances)


def _kind(status: Status) -> tuple[Stage, str]:
    """What stays the same while only figures move."""
    return status.stage, re.sub(r"\d+", "", status.what)


def _ended(status: Status, column: int, width: int) -> Text:
    name = _cut(_cut(status.alert, column).ljust(column) + "  ", width)
    style = "red" if status.stage is Stage.FAILED else "yellow"
    return Text(name).append(_cut(status.what, max(0, width - len(name))), style=style)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"[:width]


def _rounded(seconds: float) -> float:
    """To what does not flicker."""
    return max(5.0, 5 * round(seconds / 5))
