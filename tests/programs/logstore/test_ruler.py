"""Alerts from logs: states as in Prometheus, and what Alertmanager gets."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from stack.errors import BadInput
from stack.logql.alerts import RuleState, restored_s
from stack.logql.results import Sample
from stack.logql.rules import Rule, load
from stack.paths import CONFIG_ROOT
from stack.programs.logstore.ruler.run import remembered
from stack.run.service import Layout
from stack.run.services import loki
from tests.programs.logstore.conftest import running
from tests.waiting import eventually

FOUND = [Sample(labels={"service": "a"}, value=12.0)]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"saved_s": "5", "active": []}', '{"saved_s": 5, "active": [["a"]]}',
     '{"saved_s": 5, "active": [["f", "g", "a", [["l"]], 5]]}',
     '{"saved_s": 5, "active": [["f", "g", "a", [["l", "v"]], "5"]]}'],
)  # fmt: skip
def test_state_that_no_ruler_wrote_is_forgotten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ruler.json"
    path.write_text(text)
    assert remembered(path).active == {}
    path.write_text('{"saved_s": 5, "active": [["f", "g", "a", [["l", "v"]], 4]]}')
    assert remembered(path).active == {("f", "g", "a", (("l", "v"),)): 4}


def rule(**changes: object) -> Rule:
    values = {
        "name": "Burst", "expr": "1", "for_s": 10.0, "keep_firing_s": 0.0,
        "labels": {"severity": "warning", "who": "{{ $labels.service }}"},
        "annotations": {"summary": "{{ $labels.service }}{{$labels.none}}: {{ $value }}"},
    }  # fmt: skip
    return Rule(**{**values, **changes})


def sent(state: RuleState, now: float) -> list[str]:
    return [alert.state for alert in state.to_send(now, resend_s=60, interval_s=1)]


def test_alert_stays_quiet_without_a_cause():
    state = RuleState(rule=rule())
    state.update([], 0)
    assert state.state == "inactive"
    assert sent(state, 0) == []


def test_alert_is_pending_then_fires_then_resolves():
    state = RuleState(rule=rule())
    state.update(FOUND, 100)
    assert state.state == "pending"
    assert sent(state, 100) == []
    state.update(FOUND, 109.9)
    assert state.state == "pending"
    state.update(FOUND, 110)
    assert state.state == "firing"
    assert sent(state, 110) == ["firing"]
    assert sent(state, 111) == [], "once, until the resend delay is over"
    assert sent(state, 171) == ["firing"]
    state.update([], 172)
    assert state.state == "inactive"
    assert sent(state, 172) == ["inactive"]
    assert sent(state, 240) == ["inactive"], "Alertmanager may have been away"
    state.update([], 172 + 901)
    assert state.alerts == {}


def test_alert_has_labels_and_annotations_filled_in():
    state = RuleState(rule=rule(for_s=0))
    state.update(FOUND, 100)
    (alert,) = state.active()
    assert alert.state == "firing"
    assert alert.labels == {
        "service": "a", "severity": "warning", "who": "a", "alertname": "Burst",
    }  # fmt: skip
    assert alert.annotations == {"summary": "a: 12"}


def test_alert_starts_from_scratch_when_its_cause_was_gone_for_a_moment():
    state = RuleState(rule=rule())
    state.update(FOUND, 100)
    state.update([], 105)
    state.update(FOUND, 109)
    state.update(FOUND, 112)
    assert state.state == "pending"


def test_alert_keeps_firing_as_long_as_its_rule_says():
    state = RuleState(rule=rule(for_s=0, keep_firing_s=30))
    state.update(FOUND, 100)
    state.update([], 110)
    state.update([], 139)
    assert state.state == "firing"
    state.update([], 140)
    assert state.state == "inactive"


@pytest.mark.parametrize(
    ("active", "for_s", "down", "now", "grace", "wanted"),
    [
        (100, 60, 170, 200, 10, 100),  # it was due before
        (100, 600, 200, 300, 10, 200),  # what was left is left
        (100, 60, 155, 300, 10, 250),  # a little was left: the grace period
    ],
    ids=["due", "left", "grace"],
)
def test_alert_takes_up_its_for_after_a_restart(active, for_s, down, now, grace, wanted):
    assert restored_s(active, for_s, down, now, grace) == wanted


GOOD = """
groups:
  - name: logs
    rules:
      - alert: Burst
        expr: sum by (service) (count_over_time({service="a"}[1m])) > 2
        for: 1m
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    rules:", "    rulez:", "group `logs`: `rulez` is not known"),
        ("for: 1m", "for: soon", "alert `Burst`: `for`: `soon` is not a duration"),
        ("for: 1m", "for: 60", "alert `Burst`: `for`: `60` is not a duration"),
        ("for: 1m", "fore: 1m", "`fore` is not known"),
        ("alert: Burst", "record: a:b", "rule `a:b` records, and the log store keeps no metrics"),
        ("[1m])) > 2", "[1m]) > 2", "`expr`: parse error at line 1, col"),
        ('sum by (service) (count_over_time({service="a"}[1m])) > 2', '\'{service="a"}\'',
         "`expr` gives lines, expected a number"),
        ("for: 1m", "annotations: {a: '{{ $value | humanize }}'}",
         "the template `{{ $value | humanize }}` is not supported"),
        ("groups:", "group:", "`group` is not known"),
        ("  - name", "  - [", "cannot be read"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_used_are_refused(tmp_path, old, new, words):
    file = tmp_path / "a.yml"
    file.write_text(GOOD)
    assert len(load(tmp_path, 15)) == 1
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(BadInput) as refused:
        load(tmp_path, 15)
    assert words in str(refused.value)
    assert "a.yml" in str(refused.value)


def test_rules_may_say_0_without_a_unit(tmp_path):
    (tmp_path / "a.yml").write_text(GOOD.replace("for: 1m", "for: 0"))
    assert [rule.for_s for group in load(tmp_path, 15) for rule in group.rules] == [0]


class Alertmanager:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.alerts: list[dict] = []
        inbox = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/api/v2/alerts"
                inbox.extend(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def alertmanager():
    made = Alertmanager()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_ruler_notifies_alertmanager_of_a_burst_and_of_its_end(tmp_path, alertmanager):
    (tmp_path / "rules/fake").mkdir(parents=True)
    rules = GOOD.replace("[1m]", "[2s]").replace("for: 1m", "for: 200ms")
    (tmp_path / "rules/fake/a.yml").write_text(rules)
    changes = {
        "ruler__alertmanager_url": alertmanager.url, "ruler__evaluation_interval": "100ms",
        "ruler__resend_delay": "1s", "ruler__external_url": "http://loki",
        "ruler__datasource_uid": "logs",
    }  # fmt: skip
    with running(tmp_path, **changes) as store:

        def burst() -> object:
            """It goes on until it is seen: a busy machine evaluates late."""
            for number in range(3):
                store.push({"service": "a"}, (time.time_ns(), f"error {number}"))
            return alertmanager.alerts

        eventually(burst)
        first = alertmanager.alerts[0]
        assert first["labels"] == {"alertname": "Burst", "service": "a"}
        explored = urlsplit(first["generatorURL"])
        assert (explored.netloc, explored.path) == ("loki", "/explore")
        (query,) = json.loads(parse_qs(explored.query)["left"][0])["queries"]
        assert query["expr"].startswith("sum")
        assert query["queryType"] == "range"
        assert query["datasource"] == {"type": "loki", "uid": "logs"}
        assert first["startsAt"] < first["endsAt"]
        assert "name: logs" in store.get("/loki/api/v1/rules").text
        (group,) = store.get("/prometheus/api/v1/rules").json()["data"]["groups"]
        assert (group["name"], group["rules"][0]["health"]) == ("logs", "ok")
        eventually(lambda: store.get("/prometheus/api/v1/alerts").json()["data"]["alerts"] == [])
        last = eventually(
            lambda: next((a for a in alertmanager.alerts if a["endsAt"] <= _now()), None)
        )
        assert last["labels"] == first["labels"]
        metrics = store.get("/metrics").text
        assert 'loki_prometheus_rule_evaluations_total{rule_group="logs"}' in metrics


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 0.5))


def layout(tmp_path, speed: float) -> Layout:
    return Layout(
        name="test", directory=tmp_path, config_root=CONFIG_ROOT, speed=speed,
        ports={"loki": {"http": 4000, "grpc": 4001}, "alertmanager": {"http": 4002}},
        addresses={
            "loki:3100": "127.0.0.1:4000", "loki:9095": "127.0.0.1:4001",
            "alertmanager:9093": "127.0.0.1:4002",
        },
        packages={},
    )  # fmt: skip


@pytest.mark.parametrize(("speed", "interval_s", "resend_s"), [(1, 15, 60), (60, 0.25, 1)])
def test_service_gives_the_store_its_files_at_speed(tmp_path, speed, interval_s, resend_s):
    from stack.programs.logstore import TENANT
    from stack.programs.logstore.settings import load as settings

    made = layout(tmp_path, speed)
    for name, text in loki.config(made).items():
        path = made.config("loki") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = settings(made.config("loki") / "loki-config.yml")
    assert (found.address, found.port) == ("127.0.0.1", 4000)
    assert found.folder == tmp_path / "data/loki"
    assert found.ruler.alertmanager_url == "http://127.0.0.1:4002"
    assert (found.ruler.interval_s, found.ruler.resend_s) == (interval_s, resend_s)
    rules = load(found.ruler.rules / TENANT, found.ruler.interval_s)
    assert rules, "the checked-in rules can be used"
