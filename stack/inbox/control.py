"""Makes a channel fail on purpose, as a JSON file says: `{"slack": {"status": 500}}`.

The file is absent or `{}` while all is healthy, and is replaced atomically by who changes it.
"""

import json
import sys
from pathlib import Path

from stack.inbox.message import Channel


class Control:
    """The wishes of a control file, read again whenever it was replaced."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._status: dict[Channel, int] = {}

    def status(self, channel: Channel) -> int | None:
        """Return the HTTP status or SMTP code that the channel shall answer; None if healthy."""
        if self._file is None:
            return None
        try:
            stat = self._file.stat()
            seen = (stat.st_ino, stat.st_mtime_ns)
            if seen != self._seen:
                self._status = _wishes(self._file.read_text())
                self._seen = seen
        except FileNotFoundError:
            self._status, self._seen = {}, None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            # A file that cannot be understood must not change what the channels do.
            print(f"`{self._file}` is left unheeded: {error}", file=sys.stderr, flush=True)
        return self._status.get(channel)


def _wishes(text: str) -> dict[Channel, int]:
    """Parse the file. Raises ValueError, TypeError or AttributeError if it is of another form."""
    wishes = {}
    for name, wish in json.loads(text).items():
        status = wish.get("status")
        if status is not None:
            if not 200 <= int(status) <= 599:
                raise ValueError(f"`{name}`: status {status} is not within 200 to 599")
            wishes[Channel(name)] = int(status)
    return wishes
