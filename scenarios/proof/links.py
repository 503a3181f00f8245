"""Opens what messages link on the instance: it must answer, a dashboard's with that very panel.

What a fault has stopped need not answer, and what lies outside is not asked.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from stack import loopback
from stack.check import claims
from stack.loopback import HOST

PATIENCE_S = 10.0


class Links:
    """Of one instance. Each address is opened once, whatever its time range."""

    def __init__(
        self, ports: Mapping[str, Mapping[str, int]], disturbed: Collection[str] = ()
    ) -> None:
        """`disturbed` are the services that need not answer."""
        self._asked = {
            f"{HOST}:{port}"
            for service, named in ports.items()
            if service not in disturbed
            for port in named.values()
        }
        self._found: dict[object, str] = {}

    def dead(self, channel: str, raw: str) -> tuple[str, ...]:
        """What is wrong with the links of a message as it came over the wire, each in words."""
        try:
            seen = claims.received(channel, raw)
        except (ValueError, LookupError, AttributeError):
            return ()  # which is said elsewhere
        return tuple(filter(None, map(self._open, seen.links if seen else ())))

    def _open(self, link: str) -> str:
        try:
            parts = urlsplit(link)
        except ValueError:
            return ""
        if parts.netloc not in self._asked:
            return ""
        key = parts.netloc, parts.path, claims.shown(link)
        if key not in self._found:
            self._found[key] = next(_troubles(link), "")
        return self._found[key]


def _troubles(link: str) -> Iterator[str]:
    parts = urlsplit(link)
    shown = claims.shown(link)
    try:
        with loopback.client(timeout_s=PATIENCE_S) as client:
            answer = client.get(link, follow_redirects=True)
            if answer.status_code != 200:
                yield f"{link} answers {answer.status_code}"
            if not shown:
                return
            uid, panel = shown
            found = client.get(f"http://{parts.netloc}/api/dashboards/uid/{uid}")
            if found.status_code != 200:
                yield f"{link}: there is no dashboard `{uid}`"
            elif panel not in {str(one.get("id")) for one in _panels(found.json()["dashboard"])}:
                yield f"{link}: dashboard `{uid}` has no panel {panel}"
    except httpx.HTTPError as error:
        yield f"{link} does not answer: {error}"


def _panels(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All of a dashboard, those in closed rows as well."""
    for panel in node.get("panels", ()):
        yield panel
        yield from _panels(panel)
