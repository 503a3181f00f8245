"""Whatever a client sends, it is not the inbox that fails."""

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from tests.programs.inbox.conftest import Running
from tests.programs.nonsense import Nonsense, requests, status

PATHS = [
    "/", "/services/*", "/services/T0/B0/*", "/v2/enqueue", "/heartbeat/*", "/api/messages",
    "/messages/*", "/messages/1", "/messages/1/html", "/messages/*/html", "/runbooks",
    "/runbooks/*", "/health", "/metrics", "/static/*", "/static/inbox.css",
]  # fmt: skip
PATIENT = settings(max_examples=250, suppress_health_check=list(HealthCheck))


@PATIENT
@given(requests(PATHS, ["after", "limit", "raw", "id", "payload"]))
def test_every_request_is_answered_or_refused(inbox: Running, sent: Nonsense) -> None:
    assert status(inbox.http_port, sent) < 500


@pytest.mark.parametrize("digits", [18, 19, 400, 5000])
def test_message_of_any_number_is_there_or_not(inbox: Running, digits: int) -> None:
    assert httpx.get(f"{inbox.url}/messages/{'9' * digits}").status_code == 404


def test_half_a_character_is_refused_in_words(inbox: Running) -> None:
    body = rb'{"version": "4", "status": "\ud800", "groupKey": "a", "receiver": "r", "alerts": []}'
    answer = httpx.post(f"{inbox.url}/heartbeat/x", content=body)
    assert (answer.status_code, answer.text[:22]) == (400, "`status` is `?`, not f")


def test_what_nonsense_left_behind_can_be_shown(inbox: Running) -> None:
    """Last, of what the other test made the inbox record."""
    for found in httpx.get(f"{inbox.url}/api/messages", params={"limit": 100}).json():
        for end in ("", "/html"):
            assert httpx.get(f"{inbox.url}/messages/{found['id']}{end}").status_code == 200
