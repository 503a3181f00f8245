"""Who may send what changes something: requests for this very host, from its own pages or from no
page at all. What a browser says of itself cannot be forged by the page that it shows.
"""

import re

from starlette.datastructures import Headers

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

_HOST = re.compile(r"([A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without its port; "" if it is none."""
    match = _HOST.fullmatch(host)
    return match[1].lower() if match else ""


def from_here(headers: Headers) -> bool:
    """Whether a request that may change something comes from the page itself, or from no page."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")
