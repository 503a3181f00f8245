"""HTTP to services on this machine: past any proxy, and without certificates.

`client` and `request` use httpx; `urlopen` uses the standard library, for programs that start often
and have to stay small.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector, Request

    import httpx

HOST = "127.0.0.1"
"""Everything listens here."""

BEHIND = "127.0.0.2"
"""Where what nginx stands before listens. All of 127.0.0.0/8 is this machine (RFC 1122)."""

TIMEOUT_S = 2.0


@cache
def _opener() -> "OpenerDirector":
    import urllib.request  # with all that it brings: most who start never open anything

    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def urlopen(asked: "str | Request", *, timeout_s: float) -> "HTTPResponse":
    """The answer, to be closed by the caller. Raises as `urllib.request.urlopen`, which obeys
    http_proxy; this does not."""
    return cast("HTTPResponse", _opener().open(asked, timeout=timeout_s))


def client(base_url: str = "", *, timeout_s: float = TIMEOUT_S) -> "httpx.Client":
    """A client that keeps its connections open until it is closed.

    Certificates are not loaded: that costs twenty milliseconds of CPU per client.
    """
    import httpx

    return httpx.Client(base_url=base_url, timeout=timeout_s, trust_env=False, verify=False)


def request(
    method: str,
    url: str,
    *,
    query: Mapping[str, list[str]] | None = None,
    json: object = None,
    timeout_s: float = TIMEOUT_S,
) -> "httpx.Response":
    """The answer to one request. Raises httpx.HTTPError if there is none."""
    with client(timeout_s=timeout_s) as once:
        return once.request(method, url, params=dict(query) if query else None, json=json)
