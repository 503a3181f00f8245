"""Links in messages are opened on the instance: what does not answer, or shows another panel, is
said; what a fault has stopped and what lies outside is not asked."""

import json
import threading
from collections.abc import Iterator

import pytest

from scenarios.proof.links import Links
from stack.programs.serving import PLAIN, listen, pages

RUNBOOK = "https://example.org/X.md"


@pytest.fixture
def port() -> Iterator[int]:
    """Of a service with one dashboard, whose panel 7 is in a closed row."""
    dashboard = {"dashboard": {"panels": [{"id": 1, "type": "row", "panels": [{"id": 7}]}]}}
    listening = listen("127.0.0.1", 0, option="")
    server = pages(
        listening,
        {
            "/d/here": lambda: (200, PLAIN, b"page"),
            "/d/gone": lambda: (200, PLAIN, b"page"),
            "/graph": lambda: (200, PLAIN, b"page"),
            "/api/dashboards/uid/here": lambda: (200, PLAIN, json.dumps(dashboard).encode()),
        },
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield int(listening.getsockname()[1])
    server.shutdown()
    thread.join()
    server.server_close()


def slack(*links: str) -> str:
    text = " ".join(f"<{link}|x>" for link in (RUNBOOK, *links))
    return json.dumps({"attachments": [{"text": text}]})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/d/here?viewPanel=7&from=1&to=now", ""),
        ("/graph?g0.expr=up", ""),
        ("/d/here?viewPanel=8&from=1&to=now", "dashboard `here` has no panel 8"),
        ("/d/gone?viewPanel=7", "there is no dashboard `gone`"),
        ("/nothing", "answers 404"),
    ],
)
def test_links_to_the_instance_are_opened(port: int, path: str, said: str) -> None:
    links = Links({"grafana": {"http": port}})
    dead = links.dead("slack", slack(f"http://127.0.0.1:{port}{path}"))
    assert len(dead) == bool(said)
    assert said in "".join(dead)


def test_what_a_fault_has_stopped_need_not_answer_everything_else_must() -> None:
    listening = listen("127.0.0.1", 0, option="")
    port = int(listening.getsockname()[1])
    listening.close()
    message = slack(f"http://127.0.0.1:{port}/graph", "http://example.org/", "https://[")
    assert Links({"prometheus": {"http": port}}, {"prometheus"}).dead("slack", message) == ()
    [dead] = Links({"prometheus": {"http": port}}).dead("slack", message)
    assert "does not answer" in dead
    assert Links({}).dead("slack", "no JSON") == ()
    assert Links({}).dead("heartbeat", "{}") == ()
