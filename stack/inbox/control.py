"""Makes a channel fail on purpose, as a control file says: `{"slack": {"status": 500}}`."""

from pathlib import Path

from stack.control import ControlFile
from stack.errors import BadInput
from stack.inbox.message import Channel


class Control:
    """The wishes of a control file as of now; without a file all channels are healthy."""

    def __init__(self, file: Path | None) -> None:
        self._file = ControlFile(file, _wishes, who="inbox") if file else None

    def status(self, channel: Channel) -> int | None:
        """Return the HTTP status or SMTP code that the channel shall answer; None if healthy."""
        return self._file.value().get(channel) if self._file else None


def _wishes(document: dict[str, object]) -> dict[Channel, int]:
    """Read the statuses that are wished. Raises BadInput."""
    wishes = {}
    for name, wish in document.items():
        if name not in list(Channel):
            raise BadInput(f"`{name}` is no channel; there are {', '.join(Channel)}")
        status = wish.get("status", 0) if isinstance(wish, dict) else None
        if not isinstance(status, int) or (status and not 200 <= status <= 599):
            raise BadInput(f"`{name}` is {wish}; wanted is a status of 200 to 599")
        if status:
            wishes[Channel(name)] = status
    return wishes
