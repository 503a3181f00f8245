"""Who posts the alerts of routing cases, and what it says when that fails."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from scenarios.routing.poster import Posted, Poster
from tests.waiting import eventually

NO_FIELD = KeyError("labels")


def refused(*_: object, **__: object) -> httpx.Response:
    asked = httpx.Request("POST", "http://a")
    return httpx.Response(500, text="bad\nstart time", request=asked)


def away(*_: object, **__: object) -> httpx.Response:
    raise httpx.ConnectError("refused")


def broken(*_: object, **__: object) -> httpx.Response:
    raise NO_FIELD


@pytest.mark.parametrize(
    ("post", "said"),
    [
        (refused, "Alertmanager refused the alerts with 500: bad start time"),
        (broken, "the alerts are no longer posted: KeyError: 'labels'"),
    ],
    ids=["refused", "broken"],
)
def test_poster_that_fails_says_so(post: Callable[..., httpx.Response], said: str) -> None:
    with Poster("http://a", prometheus_url="http://p", resend_s=0.01) as poster:
        poster._alerts.append((Posted(labels={"alertname": "A"}, mark="m", at=1.0), None))
        poster._client = SimpleNamespace(post=post, close=lambda: None)  # type: ignore[assignment]
        assert eventually(lambda: poster.trouble, "its trouble") == said


def behind_nginx(*_: object, **__: object) -> httpx.Response:
    """nginx answers in its place."""
    asked = httpx.Request("POST", "http://a")
    return httpx.Response(502, text="alertmanager does not answer", request=asked)


@pytest.mark.parametrize("gone", [away, behind_nginx])
def test_poster_tries_again_while_alertmanager_is_away(
    gone: Callable[..., httpx.Response],
) -> None:
    tries: list[Any] = []

    def post(*given: object, **named: object) -> httpx.Response:
        tries.append(given)
        return gone()

    with Poster("http://a", prometheus_url="http://p", resend_s=0.01) as poster:
        poster._alerts.append((Posted(labels={"alertname": "A"}, mark="m", at=1.0), None))
        poster._client = SimpleNamespace(post=post, close=lambda: None)  # type: ignore[assignment]
        eventually(lambda: len(tries) > 2, "three tries")
        assert not poster.trouble
