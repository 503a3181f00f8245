"""Scenario files as locustfiles: with plain locust, and on the leash of a proof."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from loadgen.traffic import Crew, command
from stack.paths import REPO

SCENARIO = REPO / "scenarios" / "infrastructure" / "disk_space_warning.py"


class Clinic(BaseHTTPRequestHandler):
    """Answers everything as the scheduler would, with nothing in it."""

    requests: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "t"})

    def do_GET(self) -> None:
        self._answer({"items": []})

    def _answer(self, content: dict[str, object]) -> None:
        type(self).requests.append(f"{self.command} {self.path.partition('?')[0]}")
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def clinic() -> Iterator[ThreadingHTTPServer]:
    Clinic.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Clinic)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_scenario_file_runs_under_plain_locust(clinic: ThreadingHTTPServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(SCENARIO), "--headless", "-t", "2s"],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "LOCUST_HOST": url(clinic), "SCHEDULER_PASSWORD": "secret"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "POST /api/v1/auth/login" in Clinic.requests
    assert "GET /api/v1/schedule" in Clinic.requests
    assert "Aggregated" in done.stdout + done.stderr


def test_traffic_tells_its_figures_and_stops(clinic: ThreadingHTTPServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    layout = SimpleNamespace(name="i", secret=lambda name: secret, url=lambda service: url(clinic))
    enough = threading.Event()
    figures: list[dict[str, object]] = []

    def heard(one: object) -> None:
        figures.append(dict(one))  # type: ignore[call-overload]
        if int(str(figures[-1]["requests"])) >= 8:
            enough.set()

    with Crew(SimpleNamespace(layout=layout), tmp_path) as crew:
        locust = crew.join("kind", SCENARIO, heard)
        assert crew.join("kind", SCENARIO, heard) is locust
        assert enough.wait(30), [log.read_text() for log in tmp_path.glob("*.log")]
        assert figures[-1]["failures"] == 0
        assert figures[-1]["users"] == 4
        before = int(str(figures[-1]["requests"]))
        figures.clear()
        enough.clear()
        crew.start_over(["kind"])
        assert crew.join("kind", SCENARIO, heard) is locust
        assert enough.wait(30)
        assert int(str(figures[0]["requests"])) < before
        crew.start_over([])
        assert locust.exit_code is not None


def test_traffic_ends_when_who_started_it_is_killed(clinic: ThreadingHTTPServer) -> None:
    words = command(SCENARIO, url(clinic))
    starter = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen({words!r}, stdout=subprocess.PIPE, start_new_session=True)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, "SCHEDULER_PASSWORD": "secret"}
    with subprocess.Popen([sys.executable, "-c", starter], cwd=REPO, text=True,
                          stdout=subprocess.PIPE, env=environment) as parent:  # fmt: skip
        assert parent.stdout is not None
        locust = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs([locust], timeout=15)
    assert not locust.is_running() or locust.status() == psutil.STATUS_ZOMBIE
