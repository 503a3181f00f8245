"""The watcher against sources that say what they are told to: who is asked, and what is noted."""

import io
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof import watch
from scenarios.proof.evidence import (
    AlertState,
    Evidence,
    Full,
    Late,
    Lost,
    Said,
    Silent,
    Stepped,
    Trouble,
)
from scenarios.proof.watch import Watcher
from tests.waiting import eventually

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
    error: str
    """That of the rule."""
    stopped: threading.Event
    """While it is cleared, Alertmanager takes what it is asked and does not answer."""
    targets: list[dict[str, Any]]
    evaluated: str
    """When the rule was evaluated last."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/api/v2/alerts":
            self.stopped.wait(30)
        self.asked.add(path)
        self.queries |= {query} if path == "/api/messages" else set()
        state = "pending" if self.alerts else "inactive"
        rule: Any = {"name": "Burst", "state": state, "labels": {},
                     "lastEvaluation": self.evaluated, "alerts": self.alerts,
                     "health": "err" if self.error else "ok", "lastError": self.error}  # fmt: skip
        group = {"name": "logs", "interval": 1, "lastEvaluation": NOON, "rules": [rule]}
        answers = {
            "/api/v1/rules": {"data": {"groups": []}},
            "/api/v1/alerts": {"data": {"alerts": []}},
            "/health": {"newest": 3},
            "/api/v1/targets": {"data": {"activeTargets": self.targets}},
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
def instance(tmp_path: Path) -> Iterator[Any]:
    Sources.asked, Sources.queries, Sources.alerts = set(), set(), []
    Sources.error, Sources.stopped, Sources.targets = "", threading.Event(), []
    Sources.stopped.set()
    Sources.evaluated = NOON
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sources)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(
        name="i",
        url=lambda service: f"http://127.0.0.1:{server.server_port}",
        supervisor=SimpleNamespace(states=dict),
        layout=SimpleNamespace(log=lambda service: tmp_path / f"{service}.log"),
        directory=tmp_path,
        ports={},
    )
    Sources.stopped.set()
    server.shutdown()
    server.server_close()


def watched(instance: Any, *, logs: bool) -> tuple[Watcher, Evidence]:
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    return Watcher(instance, evidence, frozenset(), logs=logs), evidence


def test_loki_is_asked_only_where_an_alert_from_logs_is_proven(instance: Any) -> None:
    watcher, _ = watched(instance, logs=False)
    begun = watcher.until
    with watcher:
        eventually(lambda: watcher.until > begun, "a look")
    assert "/prometheus/api/v1/rules" not in Sources.asked
    watcher, _ = watched(instance, logs=True)
    with watcher:
        eventually(lambda: "/prometheus/api/v1/rules" in Sources.asked, "Loki to be asked")
        eventually(lambda: watcher.evaluations_at_rest("Burst"), "its rule to be at rest")


def test_alert_from_logs_is_noted_with_who_evaluated_it(instance: Any) -> None:
    watcher, evidence = watched(instance, logs=True)

    def states() -> list[AlertState]:
        return [one for one in evidence.of("") if isinstance(one, AlertState)]

    with watcher:
        Sources.alerts = [{"labels": LABELS, "state": "firing", "activeAt": NOON}]
        eventually(lambda: watcher.active() == ["Burst"], "the alert")
        Sources.alerts = []
        eventually(lambda: not watcher.active(), "its end")
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
        eventually(watcher.active, "the alert")
    assert not watcher.strayed, "its own alert is told of before it ends"
    with Watcher(instance, evidence, frozenset(), ["Other"], logs=True) as watcher:
        eventually(lambda: watcher.strayed, "the stray")
    Sources.alerts = []
    after = Watcher(instance, evidence, frozenset(), ["Other"], logs=True, strayed=watcher.strayed)
    assert after.at_rest_s() < time.monotonic() - watcher.strayed + 1


def test_messages_from_before_the_watch_are_no_evidence(instance: Any) -> None:
    watcher, _ = watched(instance, logs=False)
    begun = watcher.until
    with watcher:
        eventually(lambda: watcher.until > begun, "a look")
    assert Sources.queries == {"after=3&raw=1"}


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
        eventually(lambda: watcher.until > begun, "a look")
        ahead_s = by_s
        eventually(lambda: seen(Stepped), "the step")
    assert [one.what for one in seen(Stepped)] == [f"the machine's clock was set by {by_s:+.1f} s"]
    assert not [one for one in seen(Late) if one.gap_s > abs(by_s) - 1]


def of(evidence: Evidence, kind: type) -> list[Any]:
    return [one for one in evidence.of("") if isinstance(one, kind)]


@pytest.mark.parametrize("method", ["_read_rules", "_look_at_services", "_note_late", "active"])
def test_watcher_that_ends_is_evidence(
    instance: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("groups")

    watcher, evidence = watched(instance, logs=False)
    monkeypatch.setattr(watcher, method, broken)
    with watcher:
        (lost,) = eventually(lambda: of(evidence, Lost), "the end to be noted")
    assert lost.what.startswith("the watcher ended: KeyError: 'groups' (test_watch.py:")


def test_who_does_not_answer_is_named_and_the_machine_is_not(instance: Any) -> None:
    watcher, evidence = watched(instance, logs=False)
    with watcher:
        begun = watcher.until
        eventually(lambda: watcher.until > begun, "a look")
        Sources.stopped.clear()
        eventually(lambda: of(evidence, Trouble), "the silence to be trouble")
        Sources.stopped.set()
        since = watcher.until
        eventually(lambda: watcher.until > since, "an answer")
    silences = of(evidence, Silent)
    assert {one.what for one in silences} == {"alertmanager"}
    (begun,) = {one.since for one in silences}
    assert max(one.at for one in silences) - begun > 3
    assert [one.what for one in of(evidence, Trouble)] == [
        f"`alertmanager` at {instance.url('')} stopped answering: timed out"
    ]
    assert sum(one.gap_s for one in of(evidence, Late)) < 2, "whoever waits is not slow"


def test_source_that_a_fault_disturbs_may_be_silent(instance: Any) -> None:
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    with Watcher(instance, evidence, frozenset({"alertmanager"})) as watcher:
        Sources.stopped.clear()
        begun = time.time() + watch.SLOW_S
        eventually(lambda: watcher.until > begun, "looks at the others")
        Sources.stopped.set()
    assert not of(evidence, Silent)


def test_what_an_engine_says_of_a_rule_is_noted_each_time_that_it_begins_to_fail(
    instance: Any,
) -> None:
    watcher, evidence = watched(instance, logs=True)
    with watcher:
        for count in (1, 2):
            Sources.error = "found duplicate series for the match group"
            eventually(lambda: len(of(evidence, Said)) == count, "its words")  # noqa: B023
            Sources.error = ""
            Sources.asked.clear()
            eventually(lambda: watcher.evaluations_at_rest("Burst"), "it to be well")
    (said, _) = of(evidence, Said)
    assert (said.source, said.about, said.of) == ("loki", "rule", "Burst")
    assert said.text == "found duplicate series for the match group"


def test_what_engines_write_in_their_logs_is_noted(instance: Any) -> None:
    log = instance.layout.log("alertmanager")
    failed = 'level=ERROR msg="Notify for alerts failed" err="on-call/slack[0]: too old"\n'
    log.write_text(failed)
    watcher, evidence = watched(instance, logs=False)
    with watcher, log.open("a") as more:
        more.write(failed.replace("too old", "slice index out of range"))
        more.flush()
        (said,) = eventually(lambda: of(evidence, Said), "its words")
    assert (said.source, said.about, said.of) == ("alertmanager", "notify", "slack")
    assert said.text == "on-call/slack[0]: slice index out of range"


def test_disk_that_is_full_is_noted_once(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs
    sizes = {"f_blocks": 100, "f_bavail": 2, "f_bfree": 2, "f_frsize": 4096}
    monkeypatch.setattr(watch, "_SERVICES_EVERY_S", 0.0)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(**sizes))
    watcher, evidence = watched(instance, logs=False)
    with watcher:
        (full,) = eventually(lambda: of(evidence, Full), "the full disk")
        begun = watcher.until
        eventually(lambda: watcher.until > begun + 0.5, "more looks")
    monkeypatch.setattr(os, "statvfs", real)
    assert full.what == f"no room is left on the disk of `{instance.directory}`"
    assert len(of(evidence, Full)) == 1


def test_program_that_says_that_its_disk_is_full_is_believed(instance: Any) -> None:
    log = instance.layout.log("prometheus")
    log.write_text("")
    watcher, evidence = watched(instance, logs=False)
    with watcher, log.open("a") as more:
        more.write('level=error err="write wal/0: No space left on device"\n')
        more.flush()
        (full,) = eventually(lambda: of(evidence, Full), "the full disk")
    assert full.what == "`prometheus` says: no space left on device"


def test_scrapes_that_fail_are_quoted_but_for_those_that_the_fault_breaks(instance: Any) -> None:
    Sources.targets = [
        {"labels": {"job": job}, "health": health, "lastError": "connection refused"}
        for job, health in (("backend", "down"), ("inbox", "down"), ("worker", "up"))
    ]
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    with Watcher(instance, evidence, frozenset({"backend.tables"})) as watcher:
        watcher.note_scrapes()
    assert [one.text for one in of(evidence, Said)] == ["inbox: connection refused"]


def test_change_after_the_next_evaluation_was_due_is_not_dated_back(instance: Any) -> None:
    """Prometheus changes a rule's alerts a moment before it says when that evaluation was."""
    watcher, evidence = watched(instance, logs=True)
    with watcher:
        last = time.time() + 60  # the next evaluation is a second after it: nothing is due
        Sources.evaluated = datetime.fromtimestamp(last, UTC).isoformat()
        Sources.alerts = [{"labels": LABELS, "state": "firing", "activeAt": NOON}]
        eventually(watcher.active, "the alert")
        overdue = time.time()
        Sources.evaluated = datetime.fromtimestamp(overdue - 2, UTC).isoformat()
        Sources.alerts = []
        eventually(lambda: not watcher.active(), "its end")
    fired, ended = (one.at for one in evidence.of("") if isinstance(one, AlertState))
    assert abs(fired - last) < 0.001
    assert ended >= overdue
    assert list(watcher.fired) == [("Burst", (("service", "a"),))]
