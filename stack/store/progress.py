"""Shows on stderr how downloads and builds go. Nothing is shown when nothing is done."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Progress(Protocol):
    """What fetching and building report to, from several threads. Counts are in bytes."""

    def begin(self, what: str, size: int) -> None:
        """`size` is 0 while it is unknown."""

    def expect(self, what: str, size: int) -> None:
        """The size of what has begun has become known."""

    def advance(self, what: str, count: int) -> None: ...

    def end(self, what: str, *, good: bool = True) -> None:
        """It is over; unless `good`, nothing came of it."""

    def say(self, line: str) -> None: ...


class Quiet:
    """Counts what was downloaded and says nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.downloaded = 0  # bytes

    def begin(self, what: str, size: int) -> None: ...

    def expect(self, what: str, size: int) -> None: ...

    def advance(self, what: str, count: int) -> None:
        with self._lock:
            self.downloaded += count

    def end(self, what: str, *, good: bool = True) -> None: ...

    def say(self, line: str) -> None: ...


class Lines(Quiet):
    """One plain line for each artifact that something came of: for logs and pipes. `done` is the
    verb; where nothing came, the error speaks for itself."""

    def __init__(self, done: str = "fetched") -> None:
        super().__init__()
        self._done = done
        self._begun: dict[str, tuple[float, int]] = {}
        """Name → since when (monotonic seconds), and how many bytes came."""

    def begin(self, what: str, size: int) -> None:
        self._begun[what] = (time.monotonic(), 0)

    def advance(self, what: str, count: int) -> None:
        super().advance(what, count)
        began, size = self._begun[what]
        self._begun[what] = (began, size + count)

    def end(self, what: str, *, good: bool = True) -> None:
        began, size = self._begun.pop(what)
        if not size or not good:
            return
        rate = size / max(time.monotonic() - began, 1e-3)
        self.say(f"{self._done} {what}: {size / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s")

    def say(self, line: str) -> None:
        # One write, so that lines of several threads do not run into each other.
        sys.stderr.write(f"{line}\n")


@contextlib.contextmanager
def shown(done: str = "fetched") -> Iterator["Bars | Lines"]:
    """What suits stderr: bars on a terminal, lines elsewhere."""
    if sys.stderr.isatty():
        with Bars() as bars:
            yield bars
    else:
        yield Lines(done)


class Bars(Quiet):
    """A live bar for each download under way, with bytes and rate: for terminals."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: dict[str, TaskID] = {}
        self._bars: RichProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begin(self, what: str, size: int) -> None:
        with self._lock:
            self._tasks[what] = self._live().add_task(what, total=size or None)

    def expect(self, what: str, size: int) -> None:
        self._live().update(self._tasks[what], total=size)

    def advance(self, what: str, count: int) -> None:
        super().advance(what, count)
        self._live().advance(self._tasks[what], count)

    def end(self, what: str, *, good: bool = True) -> None:
        self._live().remove_task(self._tasks.pop(what))

    def say(self, line: str) -> None:
        with self._lock:
            self._live().console.print(line, highlight=False, markup=False)

    def _live(self) -> "RichProgress":
        """The bars, shown from their first use on: a build with nothing to do shows none."""
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
            from rich.progress import Progress as RichProgress

            self._bars = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self._bars
