"""Pages from threads, whoever else keeps connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from stack.programs.serving import _MOST_CONNECTIONS, PLAIN, listen, pages


def address(reply: httpx.Response) -> object:
    """Of our end of the connection over which a page came."""
    assert reply.text == "up 1\n"
    return reply.extensions["network_stream"].get_extra_info("client_addr")


@pytest.fixture
def port() -> Iterator[int]:
    listening = listen("127.0.0.1", 0, option="")
    server = pages(listening, {"/metrics": lambda: (200, PLAIN, b"up 1\n")})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening.getsockname()[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_idle_connections_cost_few_threads_and_keep_nobody_out(port: int) -> None:
    before = threading.active_count()
    with ExitStack() as idle, httpx.Client(base_url=f"http://127.0.0.1:{port}") as kept:
        ours = address(kept.get("/metrics"))
        for _ in range(5):
            for _ in range(_MOST_CONNECTIONS - 1):
                idle.enter_context(closing(socket.create_connection(("127.0.0.1", port))))
            # It is asked again and again, and so never the one that was silent the longest.
            assert address(kept.get("/metrics")) == ours
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").text == "up 1\n"
        # Those whose connection was ended may still be on their way out.
        assert threading.active_count() - before <= 2 * _MOST_CONNECTIONS
