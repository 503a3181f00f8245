"""Who may send what changes something: requests for this very host, from its own pages or from no
page at all. What a browser says of itself cannot be forged by the page that it shows.
"""

import re
from collections.abc import Collection
from typing import Protocol

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
"""What browsers are told, where the program does not tell them otherwise."""

FOREIGN_HOST, FOREIGN_ORIGIN = 421, 403
"""What those get who may not ask: `Misdirected Request`, `Forbidden`."""


class Headers(Protocol):
    """Of a request, by name in any case; Starlette's and the standard library's."""

    def get(self, name: str, /) -> str | None: ...


_HOST = re.compile(r"([A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without its port; "" if it is none."""
    match = _HOST.fullmatch(host)
    return match[1].lower() if match else ""


def from_here(headers: Headers) -> bool:
    """Whether a request that may change something comes from the page itself, or from no page."""
    if (headers.get("sec-fetch-site") or "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def refusal(headers: Headers, hosts: Collection[str] | None, *, changes: bool) -> int:
    """The status that a request is refused with, 0 when it may pass.

    `hosts`: names by which one may be addressed; a page of another name that is made to lead here
    (DNS rebinding) gets nothing. None: any. `changes`: whether it may change something or, as a
    websocket, tell something to whatever page asks.
    """
    if hosts is not None and host_name(headers.get("host") or "") not in hosts:
        return FOREIGN_HOST
    return FOREIGN_ORIGIN if changes and not from_here(headers) else 0
