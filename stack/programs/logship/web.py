"""What the shipper shows over HTTP, on Promtail's paths: /ready, /metrics, /targets."""

import json
from collections.abc import Callable
from http.server import ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stack.programs.logship.shipper import Shipper
from stack.programs.serving import PLAIN, Page, listen, pages

_JSON = "application/json"


def server(shipper: Shipper) -> ThreadingHTTPServer:
    """Listening, not yet serving. Raises HostCannot when the port is not available."""
    shown: dict[str, Callable[[], Page]] = {
        "/ready": lambda: _ready(shipper),
        "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(shipper.metrics.registry)),
        "/targets": lambda: (200, _JSON, json.dumps(_targets(shipper), indent=1).encode()),
    }

    listening = listen(
        shipper.settings.host, shipper.settings.port, option="`server.http_listen_port`"
    )
    return pages(listening, shown)


def _ready(shipper: Shipper) -> Page:
    if shipper.ready:
        return 200, PLAIN, b"Ready\n"
    return 503, PLAIN, b"Not ready: it has not looked for files yet\n"


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
