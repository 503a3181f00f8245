"""Each of the lab's own programs lives within memory of its own: what goes beyond it ends a request
or, at worst, that program alone, which is started again; never the machine.

The limit is RLIMIT_DATA (man 2 setrlimit): what a program may write to and has to itself, which is
what it has in use and little more. RLIMIT_AS would count addresses.
"""

import os
import resource
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.programs.logfmt import say

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

VARIABLE = "STACK_MEMORY_BYTES"
"""Environment variable with the limit in bytes; without it there is none."""

_STACK_BYTES = 1 << 20
"""Of a thread. Linux' 8 MiB count in full, used or not."""

_SPARE_BYTES = 16 << 20
"""A program that cannot have as much once a request is over has no use any more."""

_ENDED = 1


def within(who: str, main: Callable[[], int]) -> int:
    """What `main` returns, run within the limit; 1 when it does not get along with that."""
    limit = int(os.environ.get(VARIABLE, "0"))
    if limit:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        threading.stack_size(_STACK_BYTES)
    try:
        return main()
    except MemoryError:
        _say(who, "it needs more memory than it has and ends, to be started again")
        return _ENDED


class Bounded:
    """An ASGI application around another one: a request for which there is no memory gets 503, and
    the program ends if there is none after it, either."""

    def __init__(self, app: "ASGIApp", who: str) -> None:
        self._app = app
        self._who = who

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        begun = False

        async def told(message: "Message") -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, told)
            return
        except MemoryError:
            pass  # what it held is freed only once the exception is gone
        _say(self._who, "a request needs more memory than there is", path=scope.get("path", ""))
        if not _spare():
            _say(self._who, "there is no memory left: it ends, to be started again")
            os._exit(_ENDED)
        if not begun and scope["type"] == "http":
            from starlette.responses import PlainTextResponse

            refused = PlainTextResponse(f"this needs more memory than {_limit()} bytes\n", 503)
            await refused(scope, receive, send)


def _spare() -> bool:
    try:
        bytearray(_SPARE_BYTES)
    except MemoryError:
        return False
    return True


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def _say(who: str, what: str, **fields: object) -> None:
    say("error", who, what, limit_bytes=_limit(), **fields)
