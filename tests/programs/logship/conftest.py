"""A store that keeps what Loki would, and misbehaves when asked; files to ship, and shippers."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cramjam
import pytest
import yaml

from stack.paths import REPO
from stack.programs.logship.settings import read
from stack.programs.logship.shipper import Shipper
from stack.programs.lokiproto import PushRequest

Entry = tuple[str, int, str]
"""Labels, nanoseconds, line."""

FIRSTLINE = r"^(\d|\{)"


@dataclass
class FakeLoki:
    """Keeps each (stream, timestamp, line) once, as Loki does."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """Statuses of the coming pushes; 204 when there is none."""
    after_keeping: list[int] = field(default_factory=list)
    """The same, but what was pushed is kept all the same: the answer is lost, not the push."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Text in the labels of a stream -> what a push with such a stream gets; the others in it are
    kept."""
    says: list[str | None] = field(default_factory=list)
    """What each push said of who sends it."""
    pushes: int = 0
    kept: dict[Entry, int] = field(default_factory=dict)
    """Entry -> how many times it was pushed."""

    def push(self, body: bytes) -> tuple[int, str]:
        self.pushes += 1
        if self.answers and (status := self.answers.pop(0)) != 204:
            return status, "so it is"
        request = PushRequest.FromString(bytes(cramjam.snappy.decompress_raw(body)))
        refused = None
        for stream in request.streams:
            if why := next(
                (why for text, why in self.refused.items() if text in stream.labels), None
            ):
                refused = why
                continue
            for entry in stream.entries:
                at = entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos
                key = (stream.labels, at, entry.line)
                self.kept[key] = self.kept.get(key, 0) + 1
        if refused:
            return refused
        return self.after_keeping.pop(0) if self.after_keeping else 204, "so it is"

    def lines(self, labels: str = "") -> list[str]:
        """In the order of their times, those of streams whose labels hold the text."""
        found = sorted((at, line) for stream, at, line in self.kept if labels in stream)
        return [line for _, line in found]

    def count(self) -> Counter[str]:
        return Counter(line for _, _, line in self.kept)


def _handler(loki: FakeLoki) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            loki.says.append(self.headers["Authorization"])
            status, text = loki.push(body)
            self.send_response(status)
            told = b"" if status == 204 else text.encode()
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler


@pytest.fixture
def loki() -> Iterator[FakeLoki]:
    made = FakeLoki()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        server.daemon_threads = True
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


class Place:
    """A folder with logs, and shippers that run in it."""

    def __init__(self, folder: Path, loki: FakeLoki) -> None:
        self.folder, self.loki = folder, loki
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.log = self.logs / "app.log"
        self.positions = folder / "positions.yaml"
        self.config = folder / "promtail-config.yml"
        self._running: list[tuple[Shipper, threading.Thread]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self.configure()

    def configure(self, *, stages: list[object] | None = None, **changes: object) -> None:
        """`changes` replace whole sections of the file."""
        if stages is None:
            stages = [
                {"multiline": {"firstline": FIRSTLINE, "max_wait_time": "50ms"}},
                {"regex": {"expression": r"^(?P<time>\S+Z) (?P<level>[A-Z]+) "}},
                {"timestamp": {"source": "time", "format": "RFC3339Nano",
                               "action_on_failure": "skip"}},
                {"labels": {"level": "level"}},
                {"labeldrop": ["filename"]},
            ]  # fmt: skip
        labels = {"job": "test", "__path__": str(self.logs / "*.log")}
        document = {
            "server": {"http_listen_port": 0},
            "positions": {"filename": str(self.positions)},
            "clients": [
                {
                    "url": f"http://127.0.0.1:{self.loki.port}/loki/api/v1/push",
                    "batchwait": "10ms",
                    "backoff_config": {
                        "min_period": "20ms", "max_period": "50ms", "max_retries": 0
                    },
                }
            ],
            "limits_config": {"max_line_size": "1KB", "max_line_size_truncate": True},
            "target_config": {"sync_period": "100ms"},
            "scrape_configs": [
                {
                    "job_name": "test",
                    "static_configs": [{"targets": ["localhost"], "labels": labels}],
                    "pipeline_stages": stages,
                }
            ],
        }  # fmt: skip
        self.config.write_text(yaml.safe_dump({**document, **changes}))

    def write(self, *lines: str, to: Path | None = None) -> None:
        with (to or self.log).open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def start(self, says: str = "") -> Shipper:
        """In this process."""
        shipper = Shipper(read(self.config), says)
        thread = threading.Thread(target=shipper.run)
        thread.start()
        self._running.append((shipper, thread))
        return shipper

    def stop(self) -> None:
        while self._running:
            shipper, thread = self._running.pop()
            shipper.stop()
            thread.join()

    def spawn(self) -> subprocess.Popen[bytes]:
        """As a process, to be killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "stack.programs.logship", "--config", str(self.config)],
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdout=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        self.stop()
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.fixture
def place(tmp_path: Path, loki: FakeLoki) -> Iterator[Place]:
    made = Place(tmp_path, loki)
    yield made
    made.end()
