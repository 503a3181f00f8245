"""The real Alertmanager sends; the inbox must find no problem."""

import subprocess
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from stack.store.packageset import realise
from tests.waiting import eventually

http = httpx.Client(verify=False, timeout=30)
CONFIG = """
global:
  slack_api_url: http://127.0.0.1:{http_port}/services/T00000000/B00000000/XXXX
  pagerduty_url: http://127.0.0.1:{http_port}/v2/enqueue
  smtp_smarthost: 127.0.0.1:{smtp_port}
  smtp_from: alertmanager@residency.example
  smtp_require_tls: false
route:
  receiver: all
  group_by: [alertname]
  group_wait: 50ms
  group_interval: 100ms
  repeat_interval: 1h
receivers:
  - name: all
    slack_configs:
      - {{channel: '#alerts-database', send_resolved: true}}
    pagerduty_configs:
      - {{routing_key: {key}, send_resolved: true, severity: critical}}
    email_configs:
      - {{to: database@residency.example, send_resolved: true}}
"""


@pytest.fixture
def alertmanager(inbox, tmp_path, routing_key, a_free_port):
    """The URL of an Alertmanager with its own default templates, which sends to the inbox."""
    config = tmp_path / "alertmanager.yml"
    ports = {"http_port": inbox.http_port, "smtp_port": inbox.smtp_port}
    config.write_text(CONFIG.format(**ports, key=routing_key))
    process = subprocess.Popen(
        [
            str(realise(["alertmanager"])["alertmanager"] / "bin" / "alertmanager"),
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{a_free_port}",
            "--cluster.listen-address=",
        ],
    )
    url = f"http://127.0.0.1:{a_free_port}"

    def ready() -> bool:
        assert process.poll() is None, "Alertmanager ended"
        try:
            return http.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(ready, "Alertmanager to be ready")
        yield url
    finally:
        process.kill()
        process.wait(10)


def put_alert(url: str, *, ends_in_s: float) -> None:
    now = datetime.now(UTC)
    alert = {
        "labels": {"alertname": "PostgreSQLDown", "severity": "critical", "team": "database"},
        "annotations": {"summary": "no answer", "description": "café: <5 % & falling"},
        "startsAt": (now - timedelta(seconds=60)).isoformat(),
        "endsAt": (now + timedelta(seconds=ends_in_s)).isoformat(),
    }
    http.post(f"{url}/api/v2/alerts", json=[alert]).raise_for_status()


def test_inbox_hears_alertmanager_on_all_channels(inbox, alertmanager):
    put_alert(alertmanager, ends_in_s=300)
    eventually(lambda: len(inbox.messages()) >= 3, "all channels to hear of the alert")
    put_alert(alertmanager, ends_in_s=-1)
    eventually(lambda: len(inbox.messages()) >= 6, "all channels to hear of its end")

    messages = inbox.messages()
    for kind, part in (("firing", messages[:3]), ("resolved", messages[3:])):
        assert {message["kind"] for message in part} == {kind}
        assert {message["destination"] for message in part} == {
            *("#alerts-database", "on-call", "database@residency.example"),
        }
    assert {tuple(message["alerts"]) for message in messages} == {("PostgreSQLDown",)}
    assert {message["answer"] for message in messages} == {200, 202, 250}
    assert [message["problems"] for message in messages] == [[]] * 6
    for message in messages:
        page = http.get(f"{inbox.url}/messages/{message['id']}")
        assert "PostgreSQLDown" in page.text
