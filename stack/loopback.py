"""HTTP to the services of this machine: no proxy, and no certificates, since loading those takes
twenty milliseconds of CPU for each client."""

from collections.abc import Mapping

import httpx

TIMEOUT_S = 2.0


def client(base_url: str = "", *, timeout_s: float = TIMEOUT_S) -> httpx.Client:
    """A client that keeps its connections open until it is closed."""
    return httpx.Client(base_url=base_url, timeout=timeout_s, trust_env=False, verify=False)


def request(
    method: str,
    url: str,
    *,
    query: Mapping[str, list[str]] | None = None,
    json: object = None,
    timeout_s: float = TIMEOUT_S,
) -> httpx.Response:
    """The answer to one request. Raises httpx.HTTPError when there is none."""
    with client(timeout_s=timeout_s) as once:
        return once.request(method, url, params=dict(query or {}), json=json)
