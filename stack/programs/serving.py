"""uvicorn as the lab's own programs run it."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Stops at SIGTERM or SIGINT, with exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals within. uvicorn's own raises them again afterwards: an end as if killed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True
