"""`doit load` as a process, and a clinic that it may load."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stack.paths import REPO

Doit = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def doit(tmp_path: Path) -> Iterator[Doit]:
    """Starts `doit load`, `within` another command, what it says going to a file. What a test
    leaves running is ended."""
    started: list[subprocess.Popen[str]] = []
    environment = {k: v for k, v in os.environ.items() if k != "SCHEDULER_PASSWORD"}

    def start(
        *words: str, within: Sequence[str] = (), said: Path | None = None, **more: str
    ) -> "subprocess.Popen[str]":
        with ExitStack() as opened:
            started.append(subprocess.Popen(
                [*within, sys.executable, "dodo.py", "load", *words], cwd=REPO, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=opened.enter_context(said.open("w")) if said else subprocess.PIPE,
                env={**environment, "STACK_STATE": str(tmp_path), **more},
            ))  # fmt: skip
        return started[-1]

    yield start
    for run in started:
        run.terminate()
        run.communicate(timeout=60)


class Clinic(BaseHTTPRequestHandler):
    """Answers everything with nothing in it."""

    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"access_token": "t", "items": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def clinic() -> Iterator[str]:
    Clinic.requests = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Clinic)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
