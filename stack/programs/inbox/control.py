"""Makes a channel fail or delay its answers on purpose, as a control file says:
`{"slack": {"status": 500}, "email": {"delay": 2.5}}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput
from stack.programs.control import ControlFile, number, only_known
from stack.programs.inbox.message import Channel

LONGEST_DELAY_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a channel should behave; healthy by default."""

    status: int | None = None
    """HTTP status or SMTP code to answer with."""
    delay_s: float = 0.0
    """How long its sender waits for the answer."""


class Control:
    """What a control file currently asks for; without a file all channels are healthy."""

    def __init__(self, file: Path | None) -> None:
        self._file = ControlFile(file, _wishes, who="inbox") if file else None

    def wish(self, channel: Channel) -> Wish:
        """Return what is asked of the channel."""
        return (self._file.value() if self._file else {}).get(channel, Wish())


def _wishes(document: dict[str, object]) -> Mapping[Channel, Wish]:
    """Read what is asked for. Raises BadInput."""
    wishes = {}
    for name, wish in document.items():
        if name not in list(Channel):
            raise BadInput(f"`{name}` is not a channel; channels are {', '.join(Channel)}")
        status = wish.get("status", 0) if isinstance(wish, dict) else None
        if (
            not isinstance(wish, dict)
            or not isinstance(status, int)
            or (status and not 200 <= status <= 599)
        ):
            raise BadInput(f"`{name}` is {wish}, expected a status from 200 to 599, or a delay")
        only_known(wish, ["status", "delay"])
        delay_s = number(wish, "delay", maximum=LONGEST_DELAY_S) or 0.0
        wishes[Channel(name)] = Wish(status=status or None, delay_s=delay_s)
    return wishes
