"""The watcher against sources that say what they are told to: who is asked, and what is noted."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof.evidence import AlertState, Evidence, Late, Stepped
from scenarios.proof.watch import Watcher

LABELS = {"alertname": "Burst", "service": "a"}
NOON = "2026-01-01T12:00:00.5Z"


class Sources(BaseHTTPRequestHandler):
    """Prometheus, Alertmanager, inbox and Loki at one address; they are told apart by path."""

    protocol_version = "HTTP/1.1"
    asked: set[str]
    queries: set[str]
    """Of messages."""
    alerts: list[dict[str, Any]]
    """Of the one rule on logs."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.asked.add(path)
        self.queries |= {query} if path == "/api/messages" else set()
        state = "pending" if self.alerts else "inactive"
        rule: Any = {"name": "Burst", "state": state, "labels": {}, "health": "ok",
                     "lastEvaluation": NOON, "alerts": self.alerts}  # fmt: skip
        group = {"name": "logs", "interval": 1, "lastEvaluation": NOON, "rules": [rule]}
        answers = {
            "/api/v1/rules": {"data": {"groups": []}},
            "/api/v1/alerts": {"data": {"alerts": []}},
            "/health": {"newest": 3},
            "/prometheus/api/v1/rules": {"data": {"groups": [group]}},
        }
        body = json.dumps(answers.get(path, [])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def instance() -> Iterator[Any]:
    Sources.asked, Sources.queries, Sources.alerts = set(), set(), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sources)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(
        name="i",
        url=lambda service: f"http://127.0.0.1:{server.server_port}",
        supervisor=SimpleNamespace(states=dict),
    )
    server.shutdown()
    server.server_close()


def eventually(check: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)


def watched(instance: Any, *, logs: bool) -> tuple[Watcher, Evidence]:
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    return Watcher(instance, evidence, frozenset(), logs=logs), evidence


def test_loki_is_asked_only_where_an_alert_from_logs_is_proven(instance: Any) -> None:
    watcher, _ = watched(instance, logs=False)
    begun = watcher.until
    with watcher:
        eventually(lambda: watcher.until > begun, "it never looked")
    assert "/prometheus/api/v1/rules" not in Sources.asked
    watcher, _ = watched(instance, logs=True)
    with watcher:
        eventually(lambda: "/prometheus/api/v1/rules" in Sources.asked, "Loki was not asked")
        eventually(lambda: watcher.evaluations_at_rest("Burst"), "its rule was not seen at rest")


def test_alert_from_logs_is_noted_with_who_evaluated_it(instance: Any) -> None:
    watcher, evidence = watched(instance, logs=True)

    def states() -> list[AlertState]:
        return [one for one in evidence.of("") if isinstance(one, AlertState)]

    with watcher:
        Sources.alerts = [{"labels": LABELS, "state": "firing", "activeAt": NOON}]
        eventually(lambda: watcher.active() == ["Burst"], "the alert was not seen")
        Sources.alerts = []
        eventually(lambda: not watcher.active(), "its end was not seen")
    assert [(one.alert, one.state, one.source) for one in states()] == [
        ("Burst", "firing", "loki"),
        ("Burst", "inactive", "loki"),
    ]
    assert {tuple(one.labels.items()) for one in states()} == {(("service", "a"),)}


def test_what_an_alert_nobody_waits_for_did_last_is_known_to_the_next_watcher(
    instance: Any,
) -> None:
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    Sources.alerts = [{"labels": LABELS, "state": "firing", "activeAt": NOON}]
    with Watcher(instance, evidence, frozenset(), ["Burst"], logs=True) as watcher:
        eventually(watcher.active, "the alert was not seen")
    assert not watcher.strayed, "its own alert is told of before it ends"
    with Watcher(instance, evidence, frozenset(), ["Other"], logs=True) as watcher:
        eventually(lambda: watcher.strayed, "the stray was not noted")
    Sources.alerts = []
    after = Watcher(instance, evidence, frozenset(), ["Other"], logs=True, strayed=watcher.strayed)
    assert after.at_rest_s() < time.time() - watcher.strayed + 1


def test_messages_from_before_the_watch_are_no_evidence(instance: Any) -> None:
    watcher, _ = watched(instance, logs=False)
    begun = watcher.until
    with watcher:
        eventually(lambda: watcher.until > begun, "it never looked")
    assert Sources.queries == {"after=3"}


@pytest.mark.parametrize("by_s", [3.0, -3.0])
def test_clock_that_is_set_is_noted_and_is_no_busy_machine(
    instance: Any, monkeypatch: pytest.MonkeyPatch, by_s: float
) -> None:
    ahead_s = 0.0
    ours = SimpleNamespace(time=lambda: time.time() + ahead_s, monotonic=time.monotonic)
    monkeypatch.setattr("scenarios.proof.watch.time", ours)
    watcher, evidence = watched(instance, logs=False)

    def seen(kind: type) -> list[Any]:
        return [one for one in evidence.of("") if isinstance(one, kind)]

    with watcher:
        begun = watcher.until
        eventually(lambda: watcher.until > begun, "it never looked")
        ahead_s = by_s
        eventually(lambda: seen(Stepped), "the step was not noted")
    assert [one.what for one in seen(Stepped)] == [f"the machine's clock was set by {by_s:+.1f} s"]
    assert not [one for one in seen(Late) if one.gap_s > abs(by_s) - 1]
