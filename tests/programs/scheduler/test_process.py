"""`python -m stack.programs.scheduler` as a process: start, logs, stop, wrong use."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from stack.programs.scheduler import logs
from stack.programs.scheduler.__main__ import main

NOWHERE = "postgresql://app:hidden@127.0.0.1:1/residency"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stack.programs.scheduler", *arguments]


@pytest.fixture
def process(
    free_port: int, tmp_path: Path, eventually
) -> Iterator[tuple[str, subprocess.Popen, Path]]:  # type: ignore[type-arg]
    """(URL, process, log) of a scheduler whose database does not exist."""
    log = tmp_path / "log"
    with log.open("wb") as out:
        env = {**os.environ, "DATABASE_URL": NOWHERE, "SCHEDULER_PASSWORD": "hidden too"}
        made = subprocess.Popen(command("--port", str(free_port)), env=env, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{free_port}"
    with httpx.Client(base_url=url) as http:

        def alive() -> bool:
            try:
                return http.get("/health").status_code == 200
            except httpx.TransportError:
                assert made.poll() is None, log.read_text()
                return False

        eventually(alive)
    yield url, made, log
    made.kill()
    made.wait()


def test_help_teaches(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for word in ("DATABASE_URL", "SCHEDULER_SEED", "coordinator1", "/health/ready", "example"):
        assert word in shown


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ((), {}, "--port"),
        (("--port", "http"), {}, "`http` is not a port"),
        (("--port", "8000"), {"DATABASE_URL": ""}, "`DATABASE_URL` is not set"),
        (("--port", "8000"), {"DATABASE_URL": NOWHERE, "SCHEDULER_SEED": "a"}, "`SCHEDULER_SEED`"),
    ],
)
def test_wrong_use_exits_2(
    arguments, environment: dict[str, str], said: str, monkeypatch, capsys
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        code = main(list(arguments))
    except SystemExit as stop:  # argparse's way
        code = stop.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_taken_port_exits_3(monkeypatch, capsys) -> None:
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        assert main(["--port", port]) == 3
    assert f"`127.0.0.1:{port}` cannot be listened on" in capsys.readouterr().err


def test_process_lives_without_a_database_and_logs_json(process) -> None:
    url, made, log = process
    with httpx.Client(base_url=url) as http:
        assert http.get("/health/ready").status_code == 503
        body = {"username": "resident01", "password": "hidden too"}
        answer = http.post("/api/v1/auth/login", json=body, headers={"X-Request-ID": "mine"})
        assert (answer.status_code, answer.headers["X-Request-ID"]) == (503, "mine")
        http.get("/nowhere?token=hidden")
    made.send_signal(signal.SIGTERM)
    assert made.wait(timeout=20) == 0
    text = log.read_text()
    assert "hidden" not in text
    found = [json.loads(line) for line in text.splitlines()]
    assert {tuple(line) for line in found} == {logs.FIELDS}
    requests = {line["path"]: line for line in found if line["logger"] == "scheduler.request"}
    assert set(requests) == {"/api/v1/auth/login", "/nowhere"}
    login = requests["/api/v1/auth/login"]
    assert (login["level"], login["status"], login["request_id"]) == ("ERROR", 503, "mine")
    assert requests["/nowhere"]["level"] == "INFO"


def test_process_stops_cleanly_on_ctrl_c(process) -> None:
    _, made, log = process
    made.send_signal(signal.SIGINT)
    assert made.wait(timeout=20) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("in_pieces", [False, True], ids=["its length is said", "in pieces"])
def test_body_that_is_too_large_is_refused_unread_and_no_error_of_ours(
    process, in_pieces: bool
) -> None:
    """Whoever reaches the port sends it, logged in or not: it must not page anybody."""
    url, made, log = process
    piece = b" " * 100_000
    body = (piece for _ in range(10_000)) if in_pieces else piece * 11
    with httpx.Client(timeout=30) as http:
        try:
            status = http.post(f"{url}/api/v1/auth/login", content=body).status_code
        except httpx.WriteError:  # refused while it still sends
            status = 413
        assert status == 413
        counted = http.get(f"{url}/metrics").text
    refused = [line for line in counted.splitlines() if line.startswith("http_requests_total{")
               and 'status="5' in line and not line.endswith(" 0")]  # fmt: skip
    assert refused == []
    assert '"status": 5' not in log.read_text()
    assert psutil.Process(made.pid).memory_info().rss < 200_000_000
