"""How the lab's own programs listen and answer over HTTP.

`listen` opens a port; `serve` runs an ASGI application on it with uvicorn; `pages` shows a few
pages from threads, for programs that are too small for uvicorn. Large imports are local, so that
each program carries only what it uses.
"""

import gc
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from stack.errors import HostCannot
from stack.programs import peers
from stack.programs.memory import Bounded
from stack.programs.origin import HEADERS, refusal

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from starlette.types import ASGIApp

PLAIN = "text/plain; charset=utf-8"

Page = tuple[int, str, bytes]
"""Status, content type, body."""

_BACKLOG = 2048

_MOST_CONNECTIONS = 64
"""Of pages, each of which has a thread. One more, and the one that was silent the longest goes."""

_SILENT_S = 60.0
"""A connection is closed after so many seconds of silence; Prometheus asks more often than that."""


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """A socket that listens there. `option` sets another port. Raises HostCannot."""
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer waits 40 ms for an
    # ACK.
    made = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        why = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise HostCannot(
            f"port `{host}:{port}` cannot be listened on: {why}.",
            cure=f"Stop what holds it (`ss -ltnp` names it), or choose another one with {option}.",
        ) from error
    return made


def names(listening: socket.socket) -> tuple[str, ...] | None:
    """The host names by which it may be asked; None, which is any, where others than this machine's
    own may come: what stands in front of it knows its names."""
    address = str(listening.getsockname()[0])
    return (address, "localhost") if address.startswith("127.") else None


async def serve(
    app: "ASGIApp", listening: socket.socket, *, who: str, stop_s: int, door: bool = True,
    most_bytes: int | None = None, **settings: Any,
) -> None:  # fmt: skip
    """Serve until SIGTERM or SIGINT; requests under way then have `stop_s` seconds to end. `who`
    it is stands in its log.

    Pages of other sites are kept out by a `door`, unless the program has one of its own; so are
    bodies of more than `most_bytes`, unless it has bounds of its own. `settings` are uvicorn's, and
    come before those here.
    """
    import asyncio

    import uvicorn

    from stack.programs.door import Door

    usual = {
        "log_level": "warning",
        "access_log": False,
        "lifespan": "off",
        "proxy_headers": False,
        "server_header": False,
        # Longer than any client keeps an idle connection (Alertmanager: 5 minutes), so that none is
        # closed just as something is sent over it.
        "timeout_keep_alive": 3600,
        "timeout_graceful_shutdown": stop_s,
    }
    app = Door(app, names(listening), most_bytes=most_bytes) if door else app
    users = peers.may_come()
    app = app if users is None else peers.Ours(app, users)
    server = uvicorn.Server(uvicorn.Config(Bounded(app, who), **{**usual, **settings}))
    # uvicorn raises the signals that it took again afterwards: an end as if killed.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    gc.freeze()  # what was imported stays: no need to look at it in every collection
    await server.serve([listening])


def pages(
    listening: socket.socket, shown: Mapping[str, Callable[[], Page]]
) -> "ThreadingHTTPServer":
    """A server of pages by path, a thread for each connection. It does not serve yet."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    hosts, lock = names(listening), threading.Lock()
    connections: dict[socket.socket, None] = {}  # the one that was silent the longest first

    class Handler(BaseHTTPRequestHandler):
        timeout = _SILENT_S
        protocol_version = "HTTP/1.1"  # Prometheus keeps its connection, and with it the thread
        wbufsize = 1 << 16  # head and body leave together

        def do_GET(self) -> None:
            made.heard(self.connection)
            if status := refusal(self.headers, hosts, changes=False):
                self.send_error(status, "nothing is at this host name")
                return
            page = shown.get(self.path.partition("?")[0])
            other = f"no such page; there are {', '.join(shown)}\n".encode()
            status, kind, body = page() if page else (404, PLAIN, other)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not logged: the shipper would ship itself."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def verify_request(self, request: Any, client_address: Any) -> bool:
            users = peers.may_come()
            return users is None or peers.is_ours(client_address, request.getsockname(), users)

        def process_request(self, request: Any, client_address: Any) -> None:
            with lock:
                connections[request] = None
                if len(connections) > _MOST_CONNECTIONS:
                    longest = next(iter(connections))
                    del connections[longest]
                    with suppress(OSError):
                        longest.shutdown(socket.SHUT_RDWR)  # ends its thread, which closes it
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:
            with lock:
                connections.pop(request, None)
            super().shutdown_request(request)

        def heard(self, connection: socket.socket) -> None:
            with lock:
                if connection in connections:
                    del connections[connection]
                    connections[connection] = None

    address = listening.getsockname()
    made = Server(address, Handler, bind_and_activate=False)
    made.socket.close()
    made.socket, made.server_address = listening, address
    return made
