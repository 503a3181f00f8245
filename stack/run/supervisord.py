"""`python -m stack.run.supervisord`: supervisord, which goes on while its disk is full.

By itself it ends when its own log cannot be written, and with it everything that it runs goes
without a restart. Here what cannot be written is lost, and the log goes on when there is room.
"""

from contextlib import suppress
from typing import Any

from supervisor import loggers, supervisord


def _lose(handler: Any) -> None:
    """Supervisor's own prints a traceback, to a file on the same disk."""


class _Rotating(loggers.RotatingFileHandler):  # type: ignore[misc]
    """Its own and its processes' logs."""

    def emit(self, record: Any) -> None:
        if self.stream.closed:  # there was no room for a new file
            with suppress(OSError):
                self.reopen()
        with suppress(OSError):  # from the rotation: what is written has a handler of its own
            super().emit(record)


def main() -> None:
    loggers.Handler.handleError = _lose
    loggers.RotatingFileHandler = _Rotating
    supervisord.main()


if __name__ == "__main__":
    main()
