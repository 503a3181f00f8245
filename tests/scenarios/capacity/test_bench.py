"""The bench under a real locust: what it offers, hears and notices."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from scenarios.capacity.bench import Bench
from scenarios.capacity.search import Died

METRICS = b"""db_pool_connections{state="idle"} 0
db_pool_connections{state="in_use"} 20
db_pool_requests_waiting 3
"""


class Scheduler(BaseHTTPRequestHandler):
    """Answers everything with nothing in it, and that its pool is full."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = self.path.partition("?")[0]
        body = METRICS if asked == "/metrics" else b'{"access_token": "t", "items": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """As much of an instance as the bench asks for; this process is its scheduler."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scheduler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    state = SimpleNamespace(pid=os.getpid())
    made = SimpleNamespace(
        pids=[os.getpid()],
        control_file=lambda service: tmp_path / f"{service}.json",
        layout=SimpleNamespace(
            secret=lambda name: secret, backends=1, log=lambda service: tmp_path / "log"
        ),
        url=lambda service: f"http://127.0.0.1:{server.server_port}",
        supervisor=SimpleNamespace(states=lambda: {"backend": state}),
    )
    made.pid = lambda service: made.pids[0]
    yield made
    server.shutdown()
    server.server_close()


@pytest.mark.nightly
def test_bench_offers_a_rate_and_hears_all_that_becomes_of_it(
    instance: SimpleNamespace, tmp_path: Path
) -> None:
    with Bench(instance, tmp_path) as bench:  # type: ignore[arg-type]
        bench.settle(8, 4)
        window = bench.measure(4)
        # Each arrival is a request or two.
        assert 8 * window.seconds * 0.7 <= window.offered <= 2 * 8 * window.seconds * 1.3
        assert window.latencies == sorted(window.latencies)
        assert window.failed == 0
        assert window.usage["database pool"] == 1
        assert window.figures["connections in_use"] == 20
        assert window.figures["requests waiting for a connection"] == 3
        assert {"CPU of backend", "generator CPU", "machine"} <= window.usage.keys()
        assert window.figures["memory of backend"] > 0
        assert (tmp_path / "load.json").exists(), "Prometheus is told"
    assert not (tmp_path / "load.json").exists()


def test_scheduler_that_died_is_noticed(instance: SimpleNamespace, tmp_path: Path) -> None:
    with Bench(instance, tmp_path) as bench:  # type: ignore[arg-type]
        instance.pids[0] += 1
        with pytest.raises(Died, match="the scheduler died under the load"):
            bench.settle(1, 600)


def test_generator_that_died_is_noticed(instance: SimpleNamespace, tmp_path: Path) -> None:
    with Bench(instance, tmp_path) as bench:  # type: ignore[arg-type]
        bench._locust.kill()
        with pytest.raises(Died, match="the load generator died"):
            bench.settle(1, 600)
