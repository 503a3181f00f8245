"""What somebody sees of a rule while its incident goes on: its value now, and what it wants."""

import io
import json
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from scenarios.tasks.value import show

RULES = """
groups:
  - name: a
    rules:
      - alert: TooMany
        expr: |
          sum by (instance) (connections{job="postgres-exporter", state="idle"}) > 20 and up == 1
"""


class Prometheus(ThreadingHTTPServer):
    """Answers each query with the next of its values; without one it is down."""

    def __init__(self, values: dict[str, list[float]]) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.values = values


class Answers(BaseHTTPRequestHandler):
    server: Prometheus

    def do_GET(self) -> None:
        [query] = parse_qs(urlsplit(self.path).query)["query"]
        values = self.server.values["up" if query == "up" else "sum"]
        result = [{"metric": {}, "value": [0, str(values.pop(0))]}] if values else None
        self.send_response(200 if result else 503)
        self.end_headers()
        self.wfile.write(json.dumps({"data": {"resultType": "vector", "result": result}}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Any]:
    rules = tmp_path / "prometheus" / "rules" / "a.yml"
    rules.parent.mkdir(parents=True)
    rules.write_text(RULES)
    servers = []

    def looked(values: Sequence[float], *, alert: str = "TooMany", width: int = 80) -> str:
        server = Prometheus({"sum": [*values], "up": [1.0] * len(values)})
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        instance: Any = SimpleNamespace(
            config_dir=tmp_path, url=lambda service: f"http://127.0.0.1:{server.server_port}"
        )
        left = [True] * max(len(values), 1)
        said = io.StringIO()
        console = Console(file=said, width=width)  # off a terminal the last look alone is printed
        show(instance, alert, lambda: bool(left and left.pop()), console)
        return said.getvalue()

    yield looked
    for server in servers:
        server.shutdown()
        server.server_close()


def test_value_is_shown_beside_what_is_wanted_and_the_nearest_so_far(look: Any) -> None:
    title, first, second = look([3, 17, 5]).splitlines()
    assert title.split() == ["measured", "now", "nearest", "wanted"]
    assert first.startswith("sum by (instance)")
    assert first.split()[-5:] == ["5", "17", "more", "than", "20"]
    assert second.split() == ["and", "up", "1", "1", "exactly", "1"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_value_fits_a_terminal_of_any_width(look: Any, width: int) -> None:
    lines = look([3], width=width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert "20" in "".join(lines)


def test_prometheus_that_does_not_answer_is_said(look: Any) -> None:
    assert "no answer" in look([])


def test_incident_without_a_rule_shows_nothing(look: Any) -> None:
    assert look([1], alert="Other") == ""
