"""What the shipper tells over HTTP, on Promtail's paths: /ready, /metrics, /targets."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stack.errors import HostCannot
from stack.programs.logship.shipper import Shipper

_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"

Page = tuple[int, str, bytes]
"""Status, content type, body."""


def server(shipper: Shipper) -> ThreadingHTTPServer:
    """Listening, not yet serving. Raises HostCannot when the port cannot be had."""
    pages: dict[str, Callable[[], Page]] = {
        "/ready": lambda: _ready(shipper),
        "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(shipper.metrics.registry)),
        "/targets": lambda: (200, _JSON, json.dumps(_targets(shipper), indent=1).encode()),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # Prometheus keeps its connection, and so its thread here
        wbufsize = 1 << 16  # head and body go together

        def do_GET(self) -> None:
            page = pages.get(self.path)
            status, kind, body = page() if page else (404, _PLAIN, b"no such page\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...  # it would ship itself

    address = (shipper.settings.host, shipper.settings.port)
    try:
        listening = ThreadingHTTPServer(address, Handler)
    except OSError as error:
        raise HostCannot(
            f"`{address[0]}:{address[1]}` cannot be listened on: {error.strerror}.",
            cure="Choose another `server.http_listen_port`, or stop what holds it.",
        ) from None
    listening.daemon_threads = True
    return listening


def _ready(shipper: Shipper) -> Page:
    if shipper.ready:
        return 200, _PLAIN, b"Ready\n"
    return 503, _PLAIN, b"Not ready: it has not yet looked for files\n"


def _targets(shipper: Shipper) -> list[dict[str, object]]:
    return [
        {
            "job": tail.target.job,
            "path": str(tail.path),
            "labels": dict(tail.target.labels),
            "inode": tail.inode,
            "read_bytes": tail.reader.offset,
            "acknowledged_bytes": tail.acknowledged.offset,
        }
        for trail in list(shipper.watch.trails.values())
        for tail in list(trail.tails)
    ]
