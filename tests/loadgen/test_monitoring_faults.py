"""Faults of the monitoring, on programs that only remember what they were asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadgen.faults.base import FaultFailed
from loadgen.faults.monitoring import CHECK, TEAMS, ConfigurationBroken, SlackRefuses


def eventually(check: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"not true within {within_s:g} s"
        time.sleep(0.02)


class Stack:
    """Prometheus, Alertmanager and inbox at one address, and an instance that has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.strict = True
        self.posted: list[tuple[str, object]] = []
        self.messages: list[dict[str, object]] = []
        self.layout = SimpleNamespace(
            config=lambda service: folder / "config" / service, url=lambda service: self.url
        )
        for part in ("prometheus/rules", "alertmanager/templates"):
            (folder / "config" / part).mkdir(parents=True)
        stack = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, stack.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                stack.posted.append((self.path, json.loads(body or b"null")))
                fails = self.path == "/-/reload" and stack.broken
                self._answer(500 if fails else 200, "")

            def _answer(self, status: int, text: str) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def broken(self) -> bool:
        return self.strict and any(self.folder.rglob("half_saved.*"))

    @property
    def control(self) -> object:
        return json.loads(self.control_file("inbox").read_text())

    def control_file(self, service: str) -> Path:
        return self.folder / f"{service}.json"

    def get(self, path: str) -> str:
        if path == "/metrics":
            well = 0 if self.broken else 1
            return "".join(
                f"{name}_config_last_reload_successful {well}\n"
                for name in ("prometheus", "alertmanager")
            )
        return json.dumps({"newest": 0} if path == "/health" else self.messages)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_broken_configuration_is_loaded_and_taken_away(stack: Stack, service: str) -> None:
    fault = ConfigurationBroken(service=service)
    assert fault.verify(stack) is None
    fault.undo(stack)
    assert stack.posted == []
    fault.inject(stack)
    assert stack.broken
    assert "is still there" in str(fault.verify(stack))
    fault.undo(stack)
    assert fault.verify(stack) is None
    assert stack.posted == [("/-/reload", None)] * 2


def test_broken_configuration_that_is_taken_is_no_fault(stack: Stack) -> None:
    stack.strict = False
    with pytest.raises(FaultFailed, match=r"`prometheus` loaded .*, which is broken"):
        ConfigurationBroken(service="prometheus").inject(stack)


def test_broken_configuration_says_when_nobody_answers(stack: Stack) -> None:
    stack.server.shutdown()
    stack.server.server_close()
    with pytest.raises(FaultFailed, match=r"POST http://127\.0\.0\.1:"):
        ConfigurationBroken(service="prometheus").inject(stack)


def test_slack_refuses_until_all_other_channels_have_told(stack: Stack) -> None:
    fault = SlackRefuses(alert="Failing")
    fault.inject(stack)
    assert stack.control == {"slack": {"status": 500}}
    path, alerts = stack.posted[0]
    assert path == "/api/v2/alerts"
    assert isinstance(alerts, list)
    assert {(a["labels"]["alertname"], a["labels"]["severity"]) for a in alerts} == {
        (CHECK, "info")
    }
    assert [a["labels"]["team"] for a in alerts] == list(TEAMS)
    stack.messages = [
        {"channel": "pagerduty", "alerts": ["Failing"]},
        {"channel": "email", "alerts": ["Another"]},
    ]
    assert (
        str(fault.verify(stack)) == "the inbox's control file still says {'status': 500} for Slack"
    )
    stack.messages = [*stack.messages, {"channel": "email", "alerts": ["Failing"]}]
    eventually(lambda: stack.control == {})
    fault.undo(stack)
    assert fault.verify(stack) is None


def test_slack_is_back_after_undo_and_leaves_other_channels_alone(stack: Stack) -> None:
    stack.control_file("inbox").write_text('{"email": {"status": 451}}')
    fault = SlackRefuses(alert="Failing")
    fault.inject(stack)
    assert stack.control == {"email": {"status": 451}, "slack": {"status": 500}}
    fault.undo(stack)
    assert stack.control == {"email": {"status": 451}}
    _, ended = stack.posted[-1]
    assert isinstance(ended, list)
    assert len(ended) == len(TEAMS)
