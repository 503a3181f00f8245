"""Requests to services of this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stack import loopback


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that was asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_query_in_the_address_is_asked(url: str) -> None:
    assert loopback.request("GET", f"{url}/api/messages?after=7").text == "/api/messages?after=7"


def test_query_beside_the_address_is_asked(url: str) -> None:
    assert loopback.request("GET", f"{url}/a", query={"b": ["1", "2"]}).text == "/a?b=1&b=2"
