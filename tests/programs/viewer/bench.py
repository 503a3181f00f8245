"""Runs a real viewer for the tests: a process of its own on a free port, before data sources that
answer what the test says."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stack.paths import REPO
from stack.yamltext import write
from tests.waiting import eventually

PASSWORD = "se:cret"
ADMIN = {"Authorization": "Basic YWRtaW46c2U6Y3JldA=="}
"""`admin:se:cret`: a password may hold colons."""


@dataclass
class Asked:
    """What a data source was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Source:
    """A data source that can misbehave."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Path → what it answers; others with an empty JSON object."""
    hangs: set[str] = field(default_factory=set)
    """Paths that it never answers."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client of such a path has gone."""


def _handler(source: Source) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            source.asked.append(Asked(self.command, self.path, headers, body))
            path = self.path.partition("?")[0]
            if path in source.hangs:
                self.connection.settimeout(30)
                if self.connection.recv(1) == b"":
                    source.left.set()
                self.close_connection = True
                return
            status, more, content = source.answers.get(
                path, (200, {"Content-Type": "application/json"}, b"{}")
            )
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler


@contextmanager
def source() -> Iterator[Source]:
    made = Source()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Viewer:
    """A viewer that answers, and where its files are."""

    process: "subprocess.Popen[str]"
    port: int
    folder: Path
    source: Source

    @property
    def dashboards(self) -> Path:
        return self.folder / "dashboards"

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[HTTPResponse, bytes]:
        """The answer and its body. The path is sent as it is."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def json(self, path: str, headers: dict[str, str] | None = None) -> Any:
        answer, body = self.ask("GET", path, headers)
        assert answer.status == 200, body
        return json.loads(body)

    def said(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Status and message of an answer that is none."""
        answer, body = self.ask(method, path, **more)
        return answer.status, json.loads(body)["message"]

    def metric(self, line: str) -> float:
        _, body = self.ask("GET", "/metrics")
        found = [row for row in body.decode().splitlines() if row.startswith(f"{line} ")]
        assert len(found) == 1, found
        return float(found[0].rpartition(" ")[2])

    def log(self) -> str:
        return (self.folder / "log").read_text()


def dashboard(uid: str, title: str, **more: Any) -> dict[str, Any]:
    return {"uid": uid, "title": title, "tags": [], "panels": [], **more}


def save(file: Path, document: object) -> None:
    """Into place at once, as editors do."""
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(document))
    partial.replace(file)


def furnish(folder: Path, port: int) -> None:
    """Provisioning files, dashboards, a page and a password."""
    sources = [
        {"name": name, "uid": name.lower(), "type": name.lower(), "access": "proxy",
         "url": f"http://127.0.0.1:{port}", "isDefault": name == "Prometheus",
         "jsonData": {"timeInterval": "15s"}}
        for name in ("Prometheus", "Loki", "Alertmanager")
    ]  # fmt: skip
    provider = {
        "name": "lab", "type": "file", "folder": "Residency Scheduler", "folderUid": "residency",
        "options": {"path": str(folder / "dashboards")},
    }  # fmt: skip
    for kind, document in (
        ("datasources", {"apiVersion": 1, "datasources": sources}),
        ("dashboards", {"apiVersion": 1, "providers": [provider]}),
    ):
        file = folder / "provisioning" / kind / "all.yml"
        file.parent.mkdir(parents=True)
        file.write_text(write(document))
    (folder / "dashboards").mkdir()
    save(folder / "dashboards" / "overview.json",
         dashboard("overview", "Overview", tags=["residency", "start"]))  # fmt: skip
    save(folder / "dashboards" / "database.json",
         dashboard("database", "Database Metrics", tags=["residency"]))  # fmt: skip
    page = folder / "page"
    (page / "build" / "img").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Dashboards</title>")
    (page / "main.js").write_text("export const text = 'many words'; " * 200)
    (page / "chunk-4F6HXQ2B.js").write_text("1")
    (page / "build" / "img" / "icon.svg").write_text("<svg/>")
    (folder / "password").write_text(f"{PASSWORD}\n")


def arguments(folder: Path, port: int, reach: int) -> list[str]:
    return [
        sys.executable, "-m", "stack.programs.viewer", "--port", str(port),
        "--provisioning", str(folder / "provisioning"), "--page", str(folder / "page"),
        "--annotations", str(folder / "annotations.sqlite"),
        "--control", str(folder / "control.json"),
        "--password-file", str(folder / "password"), "--reach", f"127.0.0.1:{reach}",
    ]  # fmt: skip


@contextmanager
def running(folder: Path, asked: Source) -> Iterator[Viewer]:
    """A viewer whose files are in the folder, which `furnish` filled."""
    port = free_port()
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            arguments(folder, port, asked.port), cwd=REPO, stdout=log, stderr=log, text=True
        )
        viewer = Viewer(process, port, folder, asked)
        try:
            eventually(lambda: viewer.json("/api/health"), "the viewer to answer")
            yield viewer
        finally:
            process.kill()
            process.wait(10)
