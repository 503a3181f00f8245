"""Heartbeats: quiet while they come, reported when they stop, also across restarts."""

import json
import sqlite3

import httpx
import pytest

from stack.programs.inbox.heartbeat import Heartbeats, judge
from stack.programs.inbox.message import Kind, Post
from stack.programs.inbox.store import MessageStore
from stack.run.services.inbox import heartbeat_timeout_s
from tests.waiting import eventually

WEBHOOK = {
    "version": "4",
    "groupKey": '{}/{severity="none"}:{alertname="Watchdog"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "heartbeat",
    "alerts": [{"status": "firing", "labels": {"alertname": "Watchdog", "severity": "none"}}],
}


def post(**changes):
    body = json.dumps({**WEBHOOK, **changes}).encode()
    return Post(
        path="/heartbeat/watchdog",
        content_type="application/json",
        body=body,
        received_at=1000.0,
        size_bytes=len(body),
    )


def beat(**changes):
    return judge(post(**changes), "watchdog")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Watched:
    """Heartbeats that are missing after 10 s, looked for twice a second."""

    def __init__(self, file):
        self.clock = Clock()
        self.store = MessageStore(file)
        self.beats = Heartbeats(self.store, 10, self.clock)

    def wait(self, seconds):
        found = []
        for _ in range(round(seconds * 2)):
            self.clock.now += 0.5
            found += self.beats.look()
        return [message.subject for message in found]


@pytest.fixture
def watched(tmp_path):
    made = Watched(tmp_path / "inbox.db")
    yield made
    made.store.close()


MISSING = "[FIRING:1] Watchdog - heartbeat missing for 10 s"


def test_heartbeat_is_not_missing_before_the_first(watched):
    assert watched.wait(100) == []


def test_heartbeat_that_comes_is_not_news(watched):
    for _ in range(10):
        assert watched.beats.beat(beat()) is None
        assert watched.wait(10) == []
    assert watched.store.after(0) == []


def test_heartbeat_that_stops_is_reported_once_and_once_when_it_is_back(watched):
    watched.beats.beat(beat())
    assert watched.wait(60) == [MISSING]
    back = watched.beats.beat(beat())
    assert back.subject == "[RESOLVED] Watchdog - heartbeat is back"
    assert watched.beats.beat(beat()) is None
    assert watched.wait(11) == [MISSING]
    kept = watched.store.after(0)
    assert [message.kind for message in kept] == [Kind.FIRING, Kind.RESOLVED, Kind.FIRING]
    assert {(message.channel, message.destination) for message in kept} == {
        ("heartbeat", "watchdog")
    }
    assert all(message.alerts == ("Watchdog",) and not message.problems for message in kept)


def test_heartbeat_missing_is_not_reported_again_after_a_restart(watched, tmp_path):
    watched.beats.beat(beat())
    assert watched.wait(11) == [MISSING]
    again = Watched(tmp_path / "inbox.db")
    assert again.wait(60) == []
    assert again.beats.beat(beat()).kind is Kind.RESOLVED
    again.store.close()


def test_heartbeat_has_its_whole_time_after_a_restart(watched, tmp_path):
    watched.beats.beat(beat())
    assert watched.wait(9) == []
    again = Watched(tmp_path / "inbox.db")
    assert again.wait(10) == []
    assert again.wait(1) == [MISSING]
    again.store.close()


def test_heartbeat_is_not_missed_while_the_inbox_itself_slept(watched):
    watched.beats.beat(beat())
    watched.clock.now += 60
    assert watched.beats.look() == []
    assert watched.wait(10) == []
    assert watched.wait(1) == [MISSING]


def test_heartbeat_that_cannot_be_stored_is_reported_later(watched, monkeypatch):
    watched.beats.beat(beat())
    real = watched.store.keep_heartbeat

    def full(*arguments):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(watched.store, "keep_heartbeat", full)
    with pytest.raises(sqlite3.OperationalError):
        watched.wait(11)
    monkeypatch.setattr(watched.store, "keep_heartbeat", real)
    assert watched.wait(1) == ["[FIRING:1] Watchdog - heartbeat missing for 11 s"]


def test_heartbeat_judges_a_webhook_that_is_in_order():
    found = beat()
    assert (found.kind, found.answer, found.problems) == (Kind.FIRING, 200, ())
    assert beat(status="resolved").kind is Kind.RESOLVED


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": "3"}, "`version` is `3`, not `4`"),
        ({"status": "pending"}, "`status` is `pending`, not firing or resolved"),
        ({"groupKey": ""}, "`groupKey` is missing"),
        ({"receiver": None}, "`receiver` is missing"),
        ({"alerts": []}, "`alerts` is empty, or an alert has no `alertname`"),
        ({"alerts": [{"labels": {}}]}, "`alerts` is empty, or an alert has no `alertname`"),
        ({"alerts": "x"}, "`alerts` is empty, or an alert has no `alertname`"),
    ],
)
def test_heartbeat_refuses_what_is_not_a_webhook(changes, problem):
    found = beat(**changes)
    assert (found.kind, found.answer, found.problems) == (Kind.OTHER, 400, (problem,))


@pytest.mark.parametrize(("speed", "timeout_s"), [(1, 300), (60, 5), (720, 5)])
def test_heartbeat_timeout_is_real_time_on_a_busy_machine(speed, timeout_s):
    assert heartbeat_timeout_s(speed) == timeout_s


def send(inbox, content=None, **changes):
    content = content or json.dumps({**WEBHOOK, **changes}).encode()
    return httpx.post(f"{inbox.url}/heartbeat/watchdog", content=content, trust_env=False)


def until(inbox, count):
    eventually(lambda: len(inbox.messages()) >= count, f"{count} messages")
    return inbox.messages()


def test_inbox_reports_a_heartbeat_that_stops_and_comes_back(tmp_path, run_inbox):
    with run_inbox(tmp_path, heartbeat_timeout_s=0.5) as inbox:
        assert send(inbox).status_code == 200
        assert [message["kind"] for message in until(inbox, 1)] == ["firing"]
    with run_inbox(tmp_path) as inbox:
        assert send(inbox, status="resolved").status_code == 200
        assert len(inbox.messages()) == 1
        assert send(inbox).status_code == 200
        assert [message["kind"] for message in until(inbox, 2)] == ["firing", "resolved"]
        for message in inbox.messages():
            assert (message["channel"], message["destination"]) == ("heartbeat", "watchdog")
            page = httpx.get(f"{inbox.url}/messages/{message['id']}", trust_env=False).text
            assert message["subject"] in page
        metrics = httpx.get(f"{inbox.url}/metrics", trust_env=False).text
        assert 'inbox_messages_total{channel="heartbeat",kind="resolved"} 1.0' in metrics


def test_inbox_records_a_heartbeat_that_it_refuses(inbox):
    for content in (b"{", b"[]", b"{}", b"\xff" * 9):
        answer = send(inbox, content)
        assert answer.status_code == 400
        assert "not a JSON object" in answer.text
    assert [message["kind"] for message in inbox.messages()] == ["other"] * 4
    page = httpx.get(f"{inbox.url}/messages/{inbox.messages()[0]['id']}", trust_env=False)
    assert page.status_code == 200
