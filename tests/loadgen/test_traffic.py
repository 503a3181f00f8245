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
from tests.waiting import eventually

SCENARIO = REPO / "scenarios" / "infrastructure" / "disk_space_warning.py"


class Clinic(BaseHTTPRequestHandler):
    """Answers everything as the scheduler would, with nothing in it."""

    requests: list[str]
    passwords: set[str]

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.passwords.add(given.get("password", ""))
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
    Clinic.requests, Clinic.passwords = [], set()
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


def by_hand(state: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Plain locust, told nothing of an instance."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("LOCUST_", "SCHEDULER_"))}
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(SCENARIO), "--headless", "-t", "2s", *more],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
        env={**given, "STACK_STATE": str(state)},
    )  # fmt: skip


def made(state: Path, name: str, port: int) -> None:
    """An instance whose scheduler has that port."""
    folder = state / "instances" / name
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "scheduler_password").write_text(f"word of {name}\n")
    (folder / "instance.json").write_text(json.dumps({"ports": {"backend": {"http": port}}}))


def test_locust_by_hand_finds_the_instance_and_its_password(
    clinic: ThreadingHTTPServer, tmp_path: Path
) -> None:
    made(tmp_path, "default", clinic.server_port)
    made(tmp_path, "other", 9)
    done = by_hand(tmp_path, "-u", "50")
    assert done.returncode == 0, done.stderr
    where = f"no --host: these people work against instance `default`, {url(clinic)}\n"
    assert where in done.stderr
    assert "-u: without effect; the shape `QuietClinic` decides how many users" in done.stderr
    assert "GET /api/v1/schedule" in Clinic.requests
    assert Clinic.passwords == {"word of default"}


def test_locust_by_hand_takes_the_password_of_whom_it_is_pointed_at(
    clinic: ThreadingHTTPServer, tmp_path: Path
) -> None:
    made(tmp_path, "default", 9)
    made(tmp_path, "other", clinic.server_port)
    done = by_hand(tmp_path, "--host", url(clinic))
    assert done.returncode == 0, done.stderr
    assert "no --host" not in done.stderr
    assert "without effect" not in done.stderr
    assert Clinic.passwords == {"word of other"}


def test_locust_by_hand_takes_the_only_instance_and_asks_which_of_several(
    clinic: ThreadingHTTPServer, tmp_path: Path
) -> None:
    assert "no --host, and no instance `default` to work against" in by_hand(tmp_path).stderr
    made(tmp_path, "mine", clinic.server_port)
    assert "work against instance `mine`" in by_hand(tmp_path).stderr
    made(tmp_path, "other", 9)
    assert "no --host, and no instance `default` to work against" in by_hand(tmp_path).stderr


def test_traffic_that_is_no_longer_heard_says_so(
    clinic: ThreadingHTTPServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    layout = SimpleNamespace(name="i", secret=lambda name: secret, url=lambda service: url(clinic))

    def broken(one: object) -> None:
        raise KeyError("errors")

    with Crew(SimpleNamespace(layout=layout), tmp_path) as crew:
        locust = crew.join("kind", SCENARIO, broken)
        said = eventually(lambda: locust.trouble, "its trouble")
    assert said == "locust is no longer heard: KeyError: 'errors'"
