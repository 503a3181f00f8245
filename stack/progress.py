"""How work that takes a while says how it goes: live on a terminal, in lines elsewhere, as JSON for
programs, or not at all. Progress goes to stderr and results to stdout; JSON is all on stdout.

A process says all of it in one way (`choose`) and through one speaker (`shown`).
"""

import contextlib
import json
import os
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

REFRESH_S = 0.25
"""What is over sooner is not shown live at all."""

Draw = Callable[[int, int], Sequence["Text | str"]]
"""Lines of a live picture, from the columns and rows there are; longer ones are cut."""


class Progress(Protocol):
    """What work reports to, from several threads."""

    live: bool
    """Whether there is a live picture."""

    def begin(self, what: str, size: int | None = None) -> None:
        """Something is under way, of `size` bytes: 0 while that is unknown, None when what it
        consists of is not counted."""

    def expect(self, what: str, size: int) -> None:
        """The size of what has begun has become known."""

    def advance(self, what: str, count: int) -> None:
        """So many more bytes of it are there."""

    def end(self, what: str, *, good: bool = True) -> None:
        """It is over; unless `good`, nothing came of it."""

    def doing(self, what: str) -> contextlib.AbstractContextManager[None]:
        """It is under way while the block runs."""

    def say(self, line: str, event: str = "said", /, **fields: object) -> None:
        """Something worth a line; a program is told `event` with these fields."""

    def watch(self, draw: Draw) -> contextlib.AbstractContextManager[None]:
        """Where there is a live picture, it has these lines as well while the block runs."""


class Quiet:
    """Counts what was downloaded and says nothing."""

    live = False
    """Whether there is a live picture."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.downloaded = 0  # bytes

    def begin(self, what: str, size: int | None = None) -> None: ...

    def expect(self, what: str, size: int) -> None: ...

    def advance(self, what: str, count: int) -> None:
        with self._lock:
            self.downloaded += count

    def end(self, what: str, *, good: bool = True) -> None: ...

    @contextlib.contextmanager
    def doing(self, what: str) -> Iterator[None]:
        self.begin(what)
        good = False
        try:
            yield
            good = True
        finally:
            self.end(what, good=good)

    def say(self, line: str, event: str = "said", /, **fields: object) -> None: ...

    @contextlib.contextmanager
    def watch(self, draw: Draw) -> Iterator[None]:
        yield


def filled(text: str, width: int) -> str:
    """In lines of whole words, for a terminal of so many columns, indented as what they continue;
    a path is never broken."""
    room = max(20, width)
    return "\n".join(
        textwrap.fill(line, room, break_long_words=False, break_on_hyphens=False,
                      subsequent_indent=line[: len(line) - len(line.lstrip())])
        for line in text.split("\n")
    )  # fmt: skip


def fitting(text: str, stream: IO[str]) -> str:
    """As it is printed there: on a terminal in lines of whole words."""
    if not stream.isatty():
        return text
    return filled(text, os.get_terminal_size(stream.fileno()).columns or 80)


def amount(count: float) -> str:
    """Bytes, in words."""
    return f"{count / 1e6:.1f} MB" if count >= 99_950 else f"{count / 1e3:.0f} kB"


class _Begun:
    """What is under way: since when, of how many bytes, and how many are there."""

    def __init__(self, size: int | None) -> None:
        self.since = time.monotonic()
        self.size = size
        self.came = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since

    @property
    def rate(self) -> str:
        return f"{amount(self.came / max(self.seconds, 1e-3))}/s"


class _Counting(Quiet):
    """Keeps what is under way."""

    def __init__(self) -> None:
        super().__init__()
        self._begun: dict[str, _Begun] = {}

    def begin(self, what: str, size: int | None = None) -> None:
        with self._lock:
            self._begun[what] = _Begun(size)

    def expect(self, what: str, size: int) -> None:
        with self._lock:
            self._begun[what].size = size

    def advance(self, what: str, count: int) -> None:
        with self._lock:
            super().advance(what, count)
            self._begun[what].came += count

    def end(self, what: str, *, good: bool = True) -> None:
        with self._lock:
            self._ended(what, self._begun.pop(what), good=good)

    def _ended(self, what: str, begun: _Begun, *, good: bool) -> None: ...


class Lines(_Counting):
    """One plain line for whatever begins, and for each artifact that something came of: for logs
    and pipes. `done` is the verb; where nothing came, the error speaks for itself."""

    def __init__(self, done: str = "fetched") -> None:
        super().__init__()
        self._done = done

    def begin(self, what: str, size: int | None = None) -> None:
        super().begin(what, size)
        if size is None:
            self.say(f"{what} …")

    def _ended(self, what: str, begun: _Begun, *, good: bool) -> None:
        if begun.came and good:
            self.say(f"{self._done} {what}: {amount(begun.came)}, {begun.rate}")

    def say(self, line: str, event: str = "said", /, **fields: object) -> None:
        # One write, so that lines of several threads do not run into each other. Nobody may read
        # any more: the work is no worse for that.
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


class Events(_Counting):
    """One JSON object a line, on stdout: `event`, `at` (Unix seconds), and what belongs to it."""

    def begin(self, what: str, size: int | None = None) -> None:
        super().begin(what, size)
        self._tell("began", what=what, **({"bytes": size} if size else {}))

    def _ended(self, what: str, begun: _Begun, *, good: bool) -> None:
        came = {"bytes": begun.came} if begun.came else {}
        self._tell("ended", what=what, good=good, seconds=round(begun.seconds, 3), **came)

    def say(self, line: str, event: str = "said", /, **fields: object) -> None:
        self._tell(event, **(fields or {"text": line}))

    def _tell(self, event: str, **fields: object) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more: the work is no worse for that
            _write_event(event, fields)


def _write_event(event: str, fields: Mapping[str, object]) -> None:
    told = {"event": event, "at": round(time.time(), 3), **fields}
    sys.stdout.write(json.dumps(told, default=str) + "\n")
    sys.stdout.flush()


class Terminal(_Counting):
    """A live picture: what is under way, a line for each download and one for all the rest, below
    the lines that stay. It needs no more than a quarter of a second to be worth showing."""

    live = True

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self._stream = stream
        self._draws: list[Draw] = [self._under_way]
        self._over = threading.Event()
        self._painter: threading.Thread | None = None
        self._screen: Live | None = None
        self._shape: tuple[int, list[int]] = (0, [])
        """Columns that the picture was made for, and the cells of each of its lines."""

    def begin(self, what: str, size: int | None = None) -> None:
        super().begin(what, size)
        self._paint()

    def say(self, line: str, event: str = "said", /, **fields: object) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._screen:
                words = filled(line, self._screen.console.width)
                self._screen.console.print(words, highlight=False, markup=False, soft_wrap=True)
            else:
                self._stream.write(f"{fitting(line, self._stream)}\n")
                self._stream.flush()

    @contextlib.contextmanager
    def watch(self, draw: Draw) -> Iterator[None]:
        self._draws.append(draw)
        self._paint()
        try:
            yield
        finally:
            self._draws.remove(draw)

    def close(self) -> None:
        """Take the picture away."""
        self._over.set()
        if self._painter:
            self._painter.join()
        if self._screen:
            with contextlib.suppress(OSError):  # the terminal may be gone
                self._screen.stop()

    def _paint(self) -> None:
        with self._lock:
            if not self._painter:
                self._painter = threading.Thread(target=self._keep_painting, daemon=True)
                self._painter.start()

    def _keep_painting(self) -> None:
        while not self._over.wait(REFRESH_S):
            with self._lock, contextlib.suppress(OSError):
                self._refresh()

    def _refresh(self) -> None:
        if self._screen:
            self._make_good(self._screen)
            self._screen.refresh()
        elif self._begun or len(self._draws) > 1:
            self._screen = self._started()

    def _started(self) -> "Live":
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, highlight=False)
        live = Live(
            get_renderable=lambda: self._picture(*console.size),
            console=console,
            auto_refresh=False,  # by us: a terminal that is made narrower has to be tidied first
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
            vertical_overflow="crop",
        )
        live.start(refresh=True)
        return live

    def _picture(self, width: int, height: int) -> "Text":
        from rich.text import Text

        lines = [line for draw in self._draws for line in draw(width - 1, height - 1)]
        texts = [line if isinstance(line, Text) else Text(line) for line in lines[: height - 1]]
        for one in texts:
            one.truncate(width - 1, overflow="ellipsis")
        self._shape = width, [one.cell_len for one in texts]
        return Text("\n", no_wrap=True, overflow="crop").join(texts)

    def _make_good(self, live: "Live") -> None:
        """Where a terminal is made narrower, what was one line of it becomes several: wipe those
        that the picture would not know of."""
        from rich.control import Control
        from rich.segment import ControlType

        (before, lines), now = self._shape, live.console.size.width
        more = sum((cells - 1) // now for cells in lines if cells) if now < before else 0
        up = [(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)] * more
        if up:
            live.console.control(Control(*up))

    def _under_way(self, width: int, height: int) -> list[str]:
        with self._lock:
            begun = list(self._begun.items())
        lines = []
        for what, one in begun:
            if one.size is not None:
                of = f" of {amount(one.size)}" if one.size else ""
                lines.append(f"{what}  {amount(one.came)}{of}, {one.rate}")
        work = [(what, one) for what, one in begun if one.size is None]
        if work:
            seconds = f"  {max(one.seconds for _, one in work):.0f} s"
            words = ", ".join(what for what, _ in work)
            room = max(8, width - len(seconds))
            lines.append((words if len(words) <= room else f"{words[: room - 1]}…") + seconds)
        return lines[-max(1, height // 2) :]


class Way(StrEnum):
    """How a process says it."""

    AUTO = "auto"
    """As suits stderr."""
    QUIET = "quiet"
    """Results alone."""
    EVENTS = "events"
    """Results, too."""


class _Process:
    way = Way.AUTO
    speaker: "Quiet | None" = None


def choose(way: Way) -> None:
    """From now on."""
    _Process.way = way


def chosen() -> Way:
    return _Process.way


@contextlib.contextmanager
def shown(done: str = "fetched") -> Iterator[Quiet]:
    """Who says how it goes. What is begun within the block of another one is said by that one."""
    if _Process.speaker:
        yield _Process.speaker
        return
    with contextlib.ExitStack() as ending:
        _Process.speaker = _speaker(done)
        ending.callback(setattr, _Process, "speaker", None)
        if isinstance(_Process.speaker, Terminal):
            ending.callback(_Process.speaker.close)
        yield _Process.speaker


def _speaker(done: str) -> Quiet:
    if _Process.way is Way.EVENTS:
        return Events()
    if _Process.way is Way.QUIET:
        return Quiet()
    living = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return Terminal(sys.stderr) if living else Lines(done)


def result(line: str, event: str = "", /, **fields: object) -> None:
    """What came of the work: a line on stdout, however quiet, or the event with these fields. An
    empty one is left out: then it is for programs, or for people, alone."""
    if _Process.way is Way.EVENTS:
        if event:
            _write_event(event, fields)
    elif line:
        print(fitting(line, sys.stdout), flush=True)
