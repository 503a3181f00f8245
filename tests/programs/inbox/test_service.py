"""One real process: HTTP and SMTP, what is kept, how it starts and stops."""

import contextlib
import json
import signal
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage

import httpx
import pytest

from stack.paths import REPO
from stack.programs.inbox.__main__ import main

# One client: each `httpx.get` of its own would set up TLS again, which no test here uses.
http = httpx.Client(verify=False, timeout=30)
WEBHOOK = "/services/T00000000/B00000000/XXXX"


def slack(inbox, text="[FIRING:1] DiskFull", client=http):
    return client.post(f"{inbox.url}{WEBHOOK}", json={"channel": "#alerts-database", "text": text})


def mail(*, to="database@residency.example", subject="[RESOLVED] DiskFull", text="it is up"):
    message = EmailMessage()
    message["From"] = "alertmanager@residency.example"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Jan 2006 15:04:05 -0700"
    message["Message-ID"] = "<1@residency.example>"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    return message


def send(inbox, message):
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as connection:
        return connection.send_message(message)


def test_inbox_is_quiet_at_first(fresh_inbox):
    assert fresh_inbox.messages() == []
    metrics = http.get(f"{fresh_inbox.url}/metrics").text
    for channel in ("slack", "pagerduty", "email", "heartbeat"):
        assert f'inbox_problems_total{{channel="{channel}"}} 0.0' in metrics
        for kind in ("firing", "resolved", "other"):
            assert f'inbox_messages_total{{channel="{channel}",kind="{kind}"}} 0.0' in metrics
    assert http.get(f"{fresh_inbox.url}/").status_code == 200
    assert http.get(f"{fresh_inbox.url}/static/inbox.js").status_code == 200


def test_inbox_receives_all_three_channels(inbox, routing_key):
    before = time.time()
    answer = slack(inbox)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert not answer.headers["content-type"].startswith("application/json")
    event = {
        "routing_key": routing_key,
        "event_action": "trigger",
        "payload": {"summary": "[FIRING:1] DiskFull", "source": "a", "severity": "critical"},
    }
    assert http.post(f"{inbox.url}/v2/enqueue", json=event).status_code == 202
    assert send(inbox, mail()) == {}

    messages = inbox.messages()
    assert [message["channel"] for message in messages] == ["slack", "pagerduty", "email"]
    assert [message["kind"] for message in messages] == ["firing", "firing", "resolved"]
    assert [message["alerts"] for message in messages] == [["DiskFull"]] * 3
    assert [message["destination"] for message in messages] == [
        "#alerts-database",
        "on-call",
        "database@residency.example",
    ]
    assert [message["answer"] for message in messages] == [200, 202, 250]
    assert [message["problems"] for message in messages] == [[], [], []]
    assert all(before <= message["received_at"] <= time.time() for message in messages)
    assert set(messages[0]) == {
        *("id", "received_at", "channel", "destination", "kind", "alerts", "subject", "body"),
        *("problems", "answer"),
    }
    second = messages[1]["id"]
    assert [message["id"] for message in inbox.messages(after=second)] == [messages[2]["id"]]


def test_inbox_records_what_it_refuses(inbox):
    url = f"{inbox.url}{WEBHOOK}"
    answers = [
        http.post(url, content=b"{", headers={"content-type": "application/json"}),
        http.post(url, content=b"\xff" * 100, headers={"content-type": b"\xff"}),
        http.post(f"{inbox.url}/services/nobody", json={"text": "a"}),
        http.post(url, content=b"a" * 3_000_000, headers={"content-type": "application/json"}),
        http.post(f"{inbox.url}/v2/enqueue", content=b"b" * 600_000),
        http.post(f"{inbox.url}/v2/enqueue", content=b'{"payload": {"summary": "\\ud800"}}'),
    ]
    statuses = [400, 400, 404, 413, 413, 400]
    assert [answer.status_code for answer in answers] == statuses
    messages = inbox.messages()
    assert [message["answer"] for message in messages] == statuses
    assert all(message["problems"] for message in messages)
    for message in messages:
        assert http.get(f"{inbox.url}/messages/{message['id']}").status_code == 200


def test_inbox_records_one_mail_for_each_recipient(inbox):
    send(inbox, mail(to="a@residency.example, b@residency.example"))
    found = [message["destination"] for message in inbox.messages()]
    assert found == ["a@residency.example", "b@residency.example"]


def test_inbox_takes_a_mail_to_a_hundred_and_no_more(inbox):
    people = [f"p{number}@x.example" for number in range(101)]
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=30) as server:
        refused = server.sendmail("a@x.example", people, "Subject: x\r\n\r\nhello\r\n")
    assert list(refused) == people[100:]
    assert refused[people[100]][0] == 452
    arrived = inbox.messages()
    assert [one["destination"] for one in arrived if one["answer"] == 250] == people[:100]
    assert [one["destination"] for one in arrived if one["answer"] == 452] == [
        f"TO:<{people[100]}>"
    ]


def test_inbox_records_mail_that_it_refuses(inbox):
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as connection:
        connection.ehlo()
        assert int(connection.esmtp_features["size"]) > 1_000_000
        assert "auth" not in connection.esmtp_features
        connection.mail("a@b.example")
        assert connection.docmd("RCPT TO:")[0] == 501
        connection.rcpt("c@d.example")
        huge = (b"a" * 70 + b"\r\n") * 150_000
        assert connection.data(huge)[0] == 552
        connection.mail("a@b.example", ["size=99999999"])
    messages = inbox.messages()
    assert [message["answer"] // 100 for message in messages] == [5, 5, 5]
    assert "c@d.example" in [message["destination"] for message in messages]


def test_inbox_takes_long_lines_and_binary(inbox):
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as connection:
        connection.ehlo()
        connection.mail("a@b.example")
        connection.rcpt("c@d.example")
        assert connection.data(b"Subject: a\r\n\r\n" + b"\x00\xff" * 5000)[0] == 250
    assert any("a line of 10000 characters" in text for text in inbox.messages()[0]["problems"])


def test_inbox_survives_broken_connections(inbox):
    for port in (inbox.http_port, inbox.smtp_port):
        for greeting in (b"", b"\x00\xff\r\n", b"DATA\r\n", b"POST /v2/enqueue HTTP/1.1\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(greeting)
    part = b"POST /v2/enqueue HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", inbox.http_port)) as connection:
        connection.sendall(part)
    with contextlib.suppress(httpx.TransportError):
        http.request("BREW", f"{inbox.url}/services/a")
    assert slack(inbox).text == "ok"


def test_inbox_refuses_odd_parameters(inbox):
    for name, text in (("after", "x"), ("after", "9" * 30), ("limit", "1.5")):
        answer = http.get(f"{inbox.url}/api/messages", params={name: text})
        assert answer.status_code == 400
        assert f"`{name}` is `{text}`" in answer.text


def test_inbox_shows_payloads_of_any_depth(inbox):
    hook = f"{inbox.url}{WEBHOOK}"
    for depth in (100, 300, 500, 700, 900, 950, 990, 5000):
        body = b'{"text": ' + b"[" * depth + b"]" * depth + b"}"
        assert http.post(f"{inbox.url}/v2/enqueue", content=body).status_code == 400
        answer = http.post(hook, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
    for message in inbox.messages():
        assert http.get(f"{inbox.url}/messages/{message['id']}").status_code == 200


def test_inbox_has_no_message_of_that_number(inbox):
    assert http.get(f"{inbox.url}/messages/999999999").status_code == 404
    assert http.get(f"{inbox.url}/messages/{2**70}").status_code == 404
    assert http.get(f"{inbox.url}/messages/999999999/html").status_code == 404
    assert http.get(f"{inbox.url}/messages/x").status_code == 404


def test_inbox_shows_hostile_messages_as_text(inbox):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    hook = f"{inbox.url}{WEBHOOK}"
    http.post(
        hook,
        json={
            "channel": f"#{evil}",
            "username": evil,
            "text": evil,
            "attachments": [
                {"title": evil, "title_link": "javascript:alert(3)", "color": '"><script>'}
                | {"text": evil, "fields": [{"title": evil, "value": evil}], "footer": evil}
            ],
        },
    )
    payload = {"summary": evil, "source": evil, "severity": evil, "custom_details": {evil: evil}}
    links = [{"href": "javascript:alert(4)", "text": evil}]
    http.post(f"{inbox.url}/v2/enqueue", json={"payload": payload, "links": links, "client": evil})
    send(inbox, mail(subject=evil, text=evil))
    for message in inbox.messages():
        page = http.get(f"{inbox.url}/messages/{message['id']}")
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert 'href="javascript:' not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        framed = http.get(f"{inbox.url}/messages/{message['id']}/html")
        assert "onerror" not in framed.text
        assert "<script" not in framed.text
        assert "script-src" not in framed.headers["content-security-policy"]
        assert "default-src 'none'" in framed.headers["content-security-policy"]


def test_inbox_keeps_all_over_stop_and_kill(tmp_path, run_inbox):
    with run_inbox(tmp_path) as first:
        slack(first, "[FIRING:1] A")
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(10) == 0
    with run_inbox(tmp_path) as second:
        slack(second, "[FIRING:1] B")
        send(second, mail(subject="[FIRING:1] C"))
        second.process.kill()
        second.process.wait(10)
    with run_inbox(tmp_path) as third:
        slack(third, "[FIRING:1] D")
        found = third.messages()
    assert [message["alerts"] for message in found] == [["A"], ["B"], ["C"], ["D"]]
    assert [message["id"] for message in found] == [1, 2, 3, 4]


def test_inbox_stops_while_connections_are_open(fresh_inbox):
    with (
        smtplib.SMTP("127.0.0.1", fresh_inbox.smtp_port),
        httpx.Client(verify=False) as client,
    ):
        client.get(f"{fresh_inbox.url}/health")
        fresh_inbox.process.send_signal(signal.SIGINT)
        assert fresh_inbox.process.wait(10) == 0


def test_inbox_fails_on_purpose(fresh_inbox, tmp_path):
    control = tmp_path / "control.json"

    def wish(**wishes):
        aside = tmp_path / "control.new"
        aside.write_text(json.dumps(wishes))
        aside.replace(control)

    wish(slack={"status": 500}, email={"status": 451})
    assert slack(fresh_inbox).status_code == 500
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send(fresh_inbox, mail())
    wish()
    assert slack(fresh_inbox).status_code == 200
    assert send(fresh_inbox, mail()) == {}
    found = fresh_inbox.messages()
    assert [message["answer"] for message in found] == [500, 451, 200, 250]
    metrics = http.get(f"{fresh_inbox.url}/metrics").text
    assert 'inbox_messages_total{channel="slack",kind="firing"} 2.0' in metrics
    assert 'inbox_messages_total{channel="email",kind="resolved"} 2.0' in metrics
    assert 'inbox_problems_total{channel="slack"} 0.0' in metrics
    assert [message["problems"] for message in found] == [[], [], [], []]
    page = http.get(f"{fresh_inbox.url}/messages/{found[0]['id']}").text
    assert "made to fail on purpose: its sender was answered 500" in page


def test_inbox_delays_on_purpose_and_serves_all_others_meanwhile(fresh_inbox, tmp_path):
    (tmp_path / "control.json").write_text('{"slack": {"delay": 60}}')
    with httpx.Client(verify=False, timeout=0.5) as hurried, pytest.raises(httpx.ReadTimeout):
        slack(fresh_inbox, "[FIRING:1] Slow", client=hurried)
    assert send(fresh_inbox, mail()) == {}
    (tmp_path / "control.json").unlink()
    assert slack(fresh_inbox, "[FIRING:1] Prompt").status_code == 200
    found = fresh_inbox.messages()
    assert [(one["alerts"], one["answer"]) for one in found if one["channel"] == "slack"] == [
        (["Slow"], 200),
        (["Prompt"], 200),
    ]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "stack.programs.inbox", *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_inbox_names_the_port_that_is_taken(inbox, tmp_path, a_free_port):
    database = ["--database", str(tmp_path / "other.db")]
    taken, free = str(inbox.http_port), str(a_free_port)
    for http_port, smtp_port in ((taken, free), (free, str(inbox.smtp_port))):
        ended = run("--http-port", http_port, "--smtp-port", smtp_port, *database)
        assert ended.returncode == 3
        assert "cannot be listened on" in ended.stderr
        assert "Traceback" not in ended.stderr


BAD_SERVICES = ["on-call", "on-call=", "=key", "on-call=absent", "on-call=short", "on-call=odd"]


@pytest.mark.parametrize("service", BAD_SERVICES)
def test_inbox_names_the_service_that_is_wrong(tmp_path, service, capsys):
    (tmp_path / "short").write_text("abc")
    (tmp_path / "odd").write_text("-" * 32)
    name, separator, file = service.partition("=")
    given = f"{name}{separator}{tmp_path / file}" if file else service
    arguments = ["--http-port", "0", "--smtp-port", "0", "--database", str(tmp_path / "i.db")]
    assert main([*arguments, "--pagerduty-service", given]) == 2
    assert capsys.readouterr().err.startswith("inbox: ")


def test_runbooks_are_pages_that_link_each_other(run_inbox, tmp_path):
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "DiskFull.md").write_text(
        "# DiskFull\n\nSee [the other](DiskSlow.md), or <script>alert(1)</script>.\n\n"
        "```bash\ndf -h\n```\n"
    )
    (folder / "DiskSlow.md").write_text("# DiskSlow\n")
    with run_inbox(tmp_path, more=["--runbooks", str(folder)]) as inbox:
        page = http.get(f"{inbox.url}/runbooks/DiskFull")
        assert page.status_code == 200
        assert '<a href="DiskSlow">the other</a>' in page.text
        assert "&lt;script&gt;" in page.text
        assert "df -h" in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        listed = http.get(f"{inbox.url}/runbooks").text
        assert 'href="runbooks/DiskFull"' in listed
        assert 'href="runbooks/DiskSlow"' in listed
        for nowhere in ("Nothing", "..%2fkey", "DiskFull.md", "%00", "a" * 5000):
            assert http.get(f"{inbox.url}/runbooks/{nowhere}").status_code == 404, nowhere
        assert slack(inbox, text="[FIRING:1] DiskFull is bad").status_code == 200
        assert "../runbooks/DiskFull" in http.get(f"{inbox.url}/messages/1").text


def test_inbox_without_runbooks_links_none(inbox):
    assert http.get(f"{inbox.url}/runbooks/DiskFull").status_code == 404
    assert http.get(f"{inbox.url}/runbooks").status_code == 200
