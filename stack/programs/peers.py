"""Which user of this machine is at the other end of a connection over loopback (as RFC 1413 asks,
and PostgreSQL's `ident`): an instance of the production profile answers its own users alone.

The kernel says whose each socket is in /proc/net/tcp (proc_net_tcp in its documentation). A socket
stays in that table, with its user, as long as the connection is open.
"""

import os
import socket
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "STACK_USERS"
"""Environment variable with the user ids that may come, separated by commas; unset: anybody."""

REFUSED = 403

WORDS = "this instance answers its own users alone; come through its front\n"

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")

Address = tuple[str, int]


@cache
def may_come() -> frozenset[int] | None:
    """The users who may; None for anybody."""
    said = os.environ.get(VARIABLE, "")
    return frozenset(int(one) for one in said.split(",")) if said else None


def is_ours(client: Address, server: Address, users: Collection[int]) -> bool:
    """Whether the socket that `client` is the address of, connected to `server`, is one of these
    users'."""
    wanted = {(_written(client, version), _written(server, version)) for version in (4, 6)}
    for table in _TABLES:
        try:
            with Path(table).open() as rows:
                for row in rows:
                    field = row.split(None, 8)
                    if len(field) > 7 and (field[1], field[2]) in wanted:
                        return int(field[7]) in users
        except FileNotFoundError:  # a kernel without IPv6
            continue
    return False


def _written(address: Address, version: int) -> str:
    """As the tables write it: words of four bytes in the machine's order, in hexadecimal."""
    packed = socket.inet_aton(address[0])
    if version == 6:  # an IPv4 address of a socket that can speak both
        packed = bytes(10) + b"\xff\xff" + packed
    words = [packed[at : at + 4][::-1].hex() for at in range(0, len(packed), 4)]
    return f"{''.join(words)}:{address[1]:04x}".upper()


class Ours:
    """An ASGI application that others than `users` get nothing of."""

    def __init__(self, app: "ASGIApp", users: Collection[int]) -> None:
        self._app = app
        self._users = users

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "lifespan" or self._ours(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = WORDS.encode()
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": REFUSED, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _ours(self, scope: "Scope") -> bool:
        client, server = scope.get("client"), scope.get("server")
        return client is not None and server is not None and is_ours(client, server, self._users)
