"""How a service takes over its configuration while it runs.

Each gives what the service complains of, None if it is content.
"""

from collections.abc import Callable

from stack.run.service import Layout

_TIMEOUT_S = 30.0

Reload = Callable[[Layout], str | None]


def post(service: str, path: str = "/-/reload") -> Reload:
    """By the request that Prometheus' own programs know."""

    def reload(layout: Layout) -> str | None:
        import httpx  # whoever only describes services asks none of them

        from stack.loopback import request

        try:
            answer = request("POST", layout.url(service) + path, timeout_s=_TIMEOUT_S)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        return None if answer.is_success else answer.text.strip()

    return reload


def hangup(pid_file: Callable[[Layout], str]) -> Reload:
    """By SIGHUP to the process whose PID stands in a file."""

    def reload(layout: Layout) -> str | None:
        import os
        import signal
        from pathlib import Path

        try:
            os.kill(int(Path(pid_file(layout)).read_text()), signal.SIGHUP)
        except (OSError, ValueError) as error:
            return f"it cannot be told: {error}"
        return None

    return reload
