"""How a run ends before its time: by a signal, or because its terminal was closed."""

import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""All end a run in order; whoever ignores one (nohup) goes on doing so."""


@contextmanager
def ended_by(handle: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Calls `handle` for each of these signals while the block runs, in the main thread alone."""

    def handler(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            hung_up()
        handle(signal.Signals(number))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with ExitStack() as restore:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                restore.callback(signal.signal, number, signal.signal(number, handler))
        yield


def as_interrupt() -> Callable[[signal.Signals], None]:
    """For `ended_by`: the first signal raises KeyboardInterrupt, whichever it is. A closed terminal
    sends several, and none may stop what the first began."""
    came: list[signal.Signals] = []

    def interrupt(number: signal.Signals) -> None:
        came.append(number)
        if len(came) == 1:
            raise KeyboardInterrupt

    return interrupt


def hung_up() -> None:
    """Say no more to a terminal that is gone: whoever writes to it would fail, in the middle of
    undoing a fault. Files and pipes stay."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere, descriptor)
    os.close(nowhere)


def told(text: str) -> None:
    """Written at once, past all buffers; nobody may be there to read it."""
    with suppress(OSError):
        os.write(2, text.encode())
