"""Faults of the monitoring, on programs that only remember what they were asked."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadgen.faults import monitoring
from loadgen.faults.base import FaultFailed
from loadgen.faults.monitoring import (
    CHECK,
    NOBODY,
    TEAMS,
    AlertmanagerAdded,
    ConfigurationBroken,
    RuleAmbiguous,
    SlackRefuses,
)
from stack import yamltext
from tests.waiting import eventually


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
        self.main = folder / "config" / "prometheus" / "prometheus.yml"
        self.main.write_text(
            "alerting: {alertmanagers: [{static_configs: [{targets: [127.0.0.1:1]}]}]}\n"
        )
        self.load()
        stack = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, stack.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                stack.posted.append((self.path, json.loads(body or b"null")))
                fails = self.path == "/-/reload" and stack.broken
                if not fails:
                    stack.load()
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

    def load(self) -> None:
        """What a reload makes of the files as they are."""
        self.rules = [str(path) for path in (self.main.parent / "rules").glob("*.yml")]
        written = yamltext.load(self.main)["alerting"]["alertmanagers"]
        self.receivers = [
            address for one in written for group in one["static_configs"]
            for address in group["targets"]
        ]  # fmt: skip

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
        if path == "/api/v1/rules":
            return json.dumps({"data": {"groups": [{"file": file} for file in self.rules]}})
        if path == "/api/v1/alertmanagers":
            found = [{"url": f"http://{address}/api/v2/alerts"} for address in self.receivers]
            return json.dumps({"data": {"activeAlertmanagers": found}})
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


def test_ambiguous_rule_is_loaded_and_taken_away(stack: Stack) -> None:
    fault = RuleAmbiguous()
    assert fault.verify(stack) is None
    fault.undo(stack)
    assert stack.posted == []
    fault.inject(stack)
    assert [Path(file).name for file in stack.rules] == ["ambiguous_join.yml"]
    assert "is still there" in str(fault.verify(stack))
    loaded = list(stack.rules)
    fault.undo(stack)
    assert fault.verify(stack) is None
    stack.rules = loaded
    assert "Prometheus still has" in str(fault.verify(stack))


def test_second_alertmanager_is_added_and_taken_away(stack: Stack) -> None:
    fault, before = AlertmanagerAdded(), stack.main.read_text()
    assert fault.verify(stack) is None
    fault.undo(stack)
    assert stack.posted == []
    fault.inject(stack)
    assert stack.receivers == ["127.0.0.1:1", NOBODY]
    assert "is still changed" in str(fault.verify(stack))
    fault.undo(stack)
    assert stack.main.read_text() == before
    assert fault.verify(stack) is None
    stack.receivers = ["127.0.0.1:1", NOBODY]
    assert fault.verify(stack) == f"Prometheus still sends to {NOBODY}"
    stack.receivers = []
    assert fault.verify(stack) == "Prometheus has not found its Alertmanager"


def test_second_alertmanager_is_blocked_by_somebody_who_listens(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AlertmanagerAdded().blocked(stack) is None
    address = stack.url.removeprefix("http://")
    monkeypatch.setattr(monitoring, "NOBODY", address)
    said = f"something listens at {address}, where nobody should"
    assert AlertmanagerAdded().blocked(stack) == said


@pytest.mark.parametrize("fault", [RuleAmbiguous(), AlertmanagerAdded()])
def test_change_that_prometheus_refuses_is_no_fault_and_can_be_undone(
    stack: Stack, fault: RuleAmbiguous | AlertmanagerAdded
) -> None:
    half = stack.main.parent / "rules" / "half_saved.yml"
    half.write_text("")
    with pytest.raises(FaultFailed, match="`prometheus` refuses its configuration"):
        fault.inject(stack)
    half.unlink()
    fault.undo(stack)
    assert fault.verify(stack) is None


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
