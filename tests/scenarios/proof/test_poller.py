"""The connection that the watcher asks over."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scenarios.proof.poller import Failed, Poller


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, tuple[int, bytes]] = {  # noqa: RUF012
        "/?a=1&n=x&n=y": (200, b"[1]"),
        "/bad": (500, b"[]"),
        "/text": (200, b"no JSON"),
    }

    def do_GET(self) -> None:
        code, body = self.answers[self.path]
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_poller_answers_again_after_it_failed(server: ThreadingHTTPServer) -> None:
    poller = Poller(f"http://127.0.0.1:{server.server_port}")
    for path in ("/bad", "/text"):
        with pytest.raises(Failed):
            poller.ask(path)
    assert poller.ask("/", a=1, n=["x", "y"]) == [1]
    poller.close()
    assert poller.ask("/", a=1, n=["x", "y"]) == [1]
    poller.close()


def test_poller_of_what_is_gone_fails(server: ThreadingHTTPServer) -> None:
    poller = Poller("http://127.0.0.1:1")
    with pytest.raises(Failed):
        poller.ask("/")
