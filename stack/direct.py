"""HTTP by the standard library alone, past any proxy: what is asked is on this machine."""

import urllib.request
from http.client import HTTPResponse
from typing import cast

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def urlopen(asked: str | urllib.request.Request, *, timeout_s: float) -> HTTPResponse:
    """The answer, to be closed; raises as `urllib.request.urlopen`, which would obey http_proxy."""
    return cast(HTTPResponse, _OPENER.open(asked, timeout=timeout_s))
