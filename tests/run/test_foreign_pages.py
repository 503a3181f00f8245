"""A real browser that shows a page of somebody else's beside a running stack: the page reads
nothing, changes nothing, listens to nothing, and frames nothing, at any port."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from scenarios.dashboards.browser import Browser, Page, browser, program
from stack.loopback import HOST
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

EVIL = "evil.example"

PORTS = [
    (name, port)
    for name, service in SERVICES.items()
    for port in service.ports
    if name not in ("postgresql", "database-link")  # a browser speaks no word that they know
]


@pytest.fixture(scope="module")
def stack(state_dir: Path) -> Iterator[Instance]:
    with running("foreign", speed=60.0) as instance:
        yield instance


@pytest.fixture(scope="module")
def evil() -> Iterator[str]:
    """A page of somebody else's: at another port, which is another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<title>kittens</title><body>Look at these kittens."
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """It says nothing."""

    with ThreadingHTTPServer((HOST, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f":{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def looking() -> Iterator[Browser]:
    with browser(program(), leads_here=EVIL) as started:
        yield started


@pytest.fixture(scope="module", params=[HOST, "localhost", EVIL])
def page(request: pytest.FixtureRequest, looking: Browser, evil: str) -> Iterator[Page]:
    with looking.page() as page:
        page.open(f"http://{request.param}{evil}")
        page.until("document.title === 'kittens'")
        yield page


def _url(stack: Instance, name: str, port: str) -> str:
    return f"http://{HOST}:{stack.port(name, port)}"


def test_the_attack_works_where_nothing_is_in_its_way(page: Page, evil: str) -> None:
    """Else what follows would show nothing."""
    assert page.ask("fetch(location.origin).then(a => a.text())").endswith("kittens.")


@pytest.mark.parametrize(("name", "port"), PORTS)
def test_it_reads_nothing(stack: Instance, page: Page, name: str, port: str) -> None:
    for path in ("/", "/metrics", *SERVICES[name].health):
        script = f"fetch('{_url(stack, name, port)}{path}').then(a => a.text(), () => 'nothing')"
        assert page.ask(script) == "nothing"


SENT = [
    ("alertmanager", "/api/v2/silences", {
        "matchers": [{"name": "alertname", "value": ".+", "isRegex": True}], "createdBy": "evil",
        "comment": "", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2036-01-01T00:00:00Z"}),
    ("alertmanager", "/api/v2/alerts", [{"labels": {"alertname": "Evil", "severity": "critical"}}]),
    ("alertmanager", "/-/reload", {}),
    ("prometheus", "/-/quit", {}),
    ("prometheus", "/-/reload", {}),
    ("inbox", "/services/T0/B0/evil", {"text": "evil"}),
    ("inbox", "/v2/enqueue", {"routing_key": "evil", "event_action": "trigger"}),
    ("loki", "/loki/api/v1/push", {
        "streams": [{"stream": {"job": "evil"}, "values": [["1", "evil"]]}]}),
    ("grafana", "/incidents", {}),
    ("backend", "/api/v1/auth/login", {"username": "evil", "password": "evil"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "body"), SENT)
def test_it_changes_nothing(
    stack: Instance, page: Page, name: str, path: str, body: object
) -> None:
    before = {service: stack.pid(service) for service in SERVICES}
    url = _url(stack, name, "http") + path
    for options in (
        {"mode": "no-cors", "headers": {"Content-Type": "text/plain"}},
        {"headers": {"Content-Type": "application/json"}},
    ):
        asked = {"method": "POST", "body": json.dumps(body), **options}
        page.ask(f"fetch('{url}', {json.dumps(asked)}).then(() => 1, () => 0)")
    assert {service: stack.pid(service) for service in SERVICES} == before
    assert "evil" not in _told(stack).lower()


def _told(stack: Instance) -> str:
    """All that the attack is after: silences, alerts, messages, lines."""
    alertmanager = stack.url("alertmanager")
    since = urlencode({"query": '{job="evil"}', "since": "1h"})
    asked = (
        f"{alertmanager}/api/v2/silences",
        f"{alertmanager}/api/v2/alerts",
        f"{stack.url('inbox')}/api/messages",
        f"{stack.url('loki')}/loki/api/v1/query_range?{since}",
    )
    answers = [httpx.get(url, timeout=30) for url in asked]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return " ".join(
        json.dumps(answer.json().get("data", {}).get("result"))
        if "query_range" in str(answer.url)
        else answer.text
        for answer in answers
    )


def test_mail_of_a_page_is_none(stack: Instance, page: Page) -> None:
    """What it sends begins with lines that are no mail server's commands."""
    lines = ("HELO x", "MAIL FROM:<evil@x>", "RCPT TO:<team@x>", "DATA", "evil", ".", "")
    body = "\r\n".join(lines)
    url = _url(stack, "inbox", "smtp")
    page.ask(
        f"fetch('{url}', {json.dumps({'method': 'POST', 'mode': 'no-cors', 'body': body})})"
        ".then(() => 1, () => 0)"
    )
    assert "evil" not in _told(stack)


def test_it_hears_no_log_lines(stack: Instance, page: Page) -> None:
    url = _url(stack, "loki", "http").replace("http", "ws")
    query = urlencode({"query": '{job=~".+"}'})
    script = f"""new Promise(done => {{
        const tail = new WebSocket('{url}/loki/api/v1/tail?{query}');
        tail.onmessage = tail.onopen = () => done('heard');
        tail.onclose = tail.onerror = () => done('nothing');
    }})"""
    assert page.ask(script) == "nothing"


@pytest.mark.parametrize(("name", "port"), [one for one in PORTS if one[1] == "http"])
def test_it_frames_nothing(stack: Instance, page: Page, name: str, port: str) -> None:
    """A frame that is refused is one of nobody's origin: its window cannot be reached."""
    url = _url(stack, name, port)
    script = f"""new Promise(done => {{
        const frame = document.createElement('iframe');
        frame.onload = () => done(frame.contentWindow.length + ' frames');
        frame.src = '{url}{SERVICES[name].page or "/"}';
        document.body.append(frame);
    }})"""
    before = len(page.problems)
    page.ask(script)
    page.until("true")
    assert any("frame" in problem.lower() for problem in page.problems[before:])


@pytest.mark.parametrize(("name", "port"), [one for one in PORTS if one[1] == "http"])
def test_name_that_was_made_to_lead_here_shows_nothing(
    stack: Instance, looking: Browser, name: str, port: str
) -> None:
    """DNS rebinding, at its end: the browser takes this machine for the page's own."""
    with looking.page() as page:
        for path in ("/", "/metrics", SERVICES[name].page or "/"):
            page.open(f"http://{EVIL}:{stack.port(name, port)}{path}")
            page.until("document.readyState === 'complete' && location.host.startsWith('evil')")
            said = page.ask("document.body.innerText")
            assert "this host name" in said
            assert len(said) < 200
