"""What the page asks, answered with invented data: a stand-in for the service, and for Prometheus,
Loki and Alertmanager behind it, which can be made to fail."""

import contextlib
import json
import math
import mimetypes
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy that the page must live under."""

_PROXY = re.compile(r"/api/datasources/proxy/uid/(\w+)/(.*)")


@dataclass
class Lab:
    """What is there, and what was asked. `down` names the sources that do not answer."""

    page: Path
    dashboards: dict[str, dict[str, Any]]
    scraped: str = "15s"
    """How often Prometheus has new samples, as the data source says."""
    down: set[str] = field(default_factory=set)
    slow_s: float = 0.0
    """How long Prometheus thinks about a query."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def queries(self, text: str) -> list[dict[str, str]]:
        """Parameters of the queries that contain a text, the oldest first."""
        return [found for _, found in self.asked if text in found.get("query", "")]


@contextlib.contextmanager
def served(page: Path, *dashboards: dict[str, Any]) -> Iterator[Lab]:
    lab = Lab(page=page, dashboards={each["uid"]: each for each in dashboards})
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(lab)) as server:
        lab.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield lab
        finally:
            server.shutdown()
            thread.join()


def _handler(lab: Lab) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
            lab.asked.append((url.path, asked))
            status, body, kind = _answer(lab, url.path, asked)
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                ("Content-Security-Policy", POLICY),
            ):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler


def _answer(lab: Lab, path: str, asked: dict[str, str]) -> tuple[int, bytes, str]:
    if path.startswith("/public/"):
        file = lab.page / path.removeprefix("/public/")
        if not file.is_file():
            return 404, b"", "text/plain"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return 200, file.read_bytes(), kind
    if not path.startswith("/api/"):
        return 200, (lab.page / "index.html").read_bytes(), "text/html; charset=utf-8"
    status, found = _api(lab, path, asked)
    return status, json.dumps(found).encode(), "application/json"


def _api(lab: Lab, path: str, asked: dict[str, str]) -> tuple[int, Any]:
    if path == "/api/search":
        return 200, [
            {"uid": uid, "title": each["title"], "tags": each.get("tags", []), "type": "dash-db"}
            for uid, each in lab.dashboards.items()
        ]
    if path == "/api/frontend/settings":
        options = {"timeInterval": lab.scraped}
        prometheus = {"uid": "prometheus", "type": "prometheus", "jsonData": options}
        return 200, {"datasources": {"Prometheus": prometheus}}
    if path.startswith("/api/dashboards/uid/"):
        found = lab.dashboards.get(path.rpartition("/")[2])
        if found is None:
            return 404, {"message": "Dashboard not found"}
        return 200, {"dashboard": found, "meta": {}}
    if path == "/api/annotations":
        middle = (int(asked["from"]) + int(asked["to"])) // 2
        event = {"time": middle, "timeEnd": middle, "text": "Deployed 1.2.3", "tags": ["deploy"]}
        return 200, [{"id": 1, **event}]
    if match := _PROXY.fullmatch(path):
        if match[1] in lab.down:
            return 502, {"message": "connection refused"}
        if match[1] == "prometheus" and "query" in asked:
            time.sleep(lab.slow_s)
        return _SOURCES[match[1]](match[2], asked)
    return 404, {"message": "Not found"}


def _prometheus(path: str, asked: dict[str, str]) -> tuple[int, Any]:
    if path.endswith("/rules"):
        return 200, _success({"groups": [{"name": "g", "rules": _RULES}]})
    if path.endswith("/values"):
        return 200, _success(["auth", "cart", "search"])
    query = asked["query"]
    if "broken" in query:
        return 400, {"status": "error", "error": "1:8: parse error: unexpected end of input"}
    if "empty" in query:
        return 200, _success({"resultType": "matrix", "result": []})
    count = 10_000 if "many" in query else 3
    names = [{"service": f"service-{number}"} for number in range(count)]
    if path.endswith("/query"):
        now = float(asked.get("time") or time.time())
        found = [{"metric": name, "value": [now, "42"]} for name in names]
        return 200, _success({"resultType": "vector", "result": found})
    times = _times(asked)
    found = [
        {"metric": name, "values": [[t, str(20 + at % 50 + 5 * math.sin(t / 60))] for t in times]}
        for at, name in enumerate(names)
    ]
    return 200, _success({"resultType": "matrix", "result": found})


def _times(asked: dict[str, str]) -> list[float]:
    start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
    return [start + step * number for number in range(int((end - start) / step) + 1)]


def _loki(path: str, asked: dict[str, str]) -> tuple[int, Any]:
    if path.endswith("/rules"):
        return 200, _success({"groups": []})
    now = time.time_ns()
    lines = [[str(now - number * 10**9), f'level=info msg="line {number}"'] for number in range(5)]
    stream = {"stream": {"service": "backend", "level": "info"}, "values": lines}
    return 200, _success({"resultType": "streams", "result": [stream]})


def _alertmanager(path: str, asked: dict[str, str]) -> tuple[int, Any]:
    silenced = {"state": "suppressed", "silencedBy": ["me"], "inhibitedBy": []}
    return 200, [{"labels": {"alertname": "DiskFull", "severity": "warning"}, "status": silenced}]


def _success(data: object) -> dict[str, object]:
    return {"status": "success", "data": data}


def _rule(name: str, severity: str, state: str) -> dict[str, object]:
    alert = {
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": f"{name} in words", "dashboard_uid": "lab"},
        "state": state,
        "activeAt": "2026-01-01T00:00:00Z",
    }
    return {"type": "alerting", "name": name, "state": state, "alerts": [alert]}


_RULES = [_rule("PostgreSQLDown", "critical", "firing"), _rule("DiskFull", "warning", "firing")]
_SOURCES = {"prometheus": _prometheus, "loki": _loki, "alertmanager": _alertmanager}


def dashboard(uid: str, *panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A dashboard of panels, two beside each other."""
    for number, panel in enumerate(panels):
        panel.setdefault("id", number + 1)
        place = {"x": 12 * (number % 2), "y": 6 * (number // 2), "w": 12, "h": 6}
        panel.setdefault("gridPos", place)
    return {"uid": uid, "title": uid.title(), "panels": list(panels), "schemaVersion": 39, **more}


def panel(type_: str, title: str, query: str = "", **more: Any) -> dict[str, Any]:
    uid = "loki" if type_ == "logs" else "prometheus"
    target = {"refId": "A", "expr": query, "legendFormat": "{{service}}"}
    if type_ in ("stat", "gauge", "bargauge", "table"):
        target |= {"instant": True, **({"format": "table"} if type_ == "table" else {})}
    asked = {"datasource": {"uid": uid, "type": uid}, "targets": [target]} if query else {}
    return {"type": type_, "title": title, **asked, **more}
