"""Answers scrapes, each from figures that are at most a tenth of a second old."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FRESH_S = 0.1
"""Two scrapes within that time share their figures: many readers cost no more than one."""

_CLIENT_S = 5.0
"""How long a client may take to ask."""


class Fresh:
    """Remembers a text for `FRESH_S`."""

    def __init__(
        self, make: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._clock = make, clock
        self._text, self._until = "", float("-inf")
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            if self._clock() >= self._until:
                self._text = self._make()
                self._until = self._clock() + FRESH_S
            return self._text


def server(address: tuple[str, int], metrics: Callable[[], str]) -> ThreadingHTTPServer:
    """An HTTP server that answers `/metrics` and `/healthz`. Raises OSError."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_S
        protocol_version = "HTTP/1.1"  # Prometheus keeps its connection, and with it the thread
        wbufsize = -1  # head and body leave together

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics())
            elif path == "/healthz":
                self._answer(200, "text/plain; charset=utf-8", "ok")
            else:
                self._answer(404, "text/plain; charset=utf-8", "see /metrics\n")

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Scrapes are no news."""

    listening = ThreadingHTTPServer(address, Handler)
    listening.daemon_threads = True
    return listening
