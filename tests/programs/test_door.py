"""Pages of other sites, in the browser of somebody who runs the lab, get nothing and change
nothing: the door before the lab's own programs."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import repeat

import pytest
from starlette.types import Message, Receive, Scope, Send

from stack.programs.door import HEADERS, Door

HERE = "127.0.0.1:8025"
OWN_POLICY = "default-src 'self'"


async def program(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads and answers every request, and tells every websocket a line."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "a log line"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-security-policy", OWN_POLICY.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def asked(
    kind: str, method: str, headers: Mapping[str, str], door: Door, body: Iterable[bytes] = ()
) -> list[Message]:
    """What is sent to whoever asks; the body comes in pieces, as it is asked for."""
    told: list[Message] = []
    pieces = iter(body)

    async def receive() -> Message:
        if kind == "websocket":
            return {"type": "websocket.connect"}
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Message) -> None:
        told.append(message)

    sent = {"host": HERE, **{name.lower(): value for name, value in headers.items()}}
    scope = {
        "type": kind, "method": method, "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    asyncio.run(door(scope, receive, send))
    return told


DOOR = Door(program, ("127.0.0.1", "localhost"))


def status(method: str, headers: Mapping[str, str], door: Door = DOOR) -> int:
    return int(asked("http", method, headers, door)[0]["status"])


def followed(headers: Mapping[str, str], door: Door = DOOR) -> list[str]:
    """The kinds of messages that a websocket gets."""
    return [one["type"].removeprefix("websocket.")
            for one in asked("websocket", "GET", headers, door)]  # fmt: skip


FOREIGN = [
    pytest.param({"Origin": "http://evil.example"}, id="another site"),
    pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port"),
    pytest.param({"Origin": "null"}, id="a sandboxed page"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="said by the browser"),
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_foreign_page_sends_nothing_and_follows_nothing(headers: dict[str, str]) -> None:
    assert status("POST", headers) == 403
    assert status("DELETE", headers) == 403
    assert followed(headers) == ["close"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": f"http://{HERE}"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_own_page_and_programs_do(headers: dict[str, str]) -> None:
    assert status("POST", headers) == 200
    assert followed(headers) == ["accept", "send"]


def test_link_from_another_site_leads_here() -> None:
    assert status("GET", {"Sec-Fetch-Site": "cross-site"}) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8025", "["])
def test_name_that_is_made_to_lead_here_gets_nothing(host: str) -> None:
    """DNS rebinding."""
    assert status("GET", {"Host": host}) == 421
    assert followed({"Host": host}) == ["close"]


def test_browsers_are_told_to_be_careful_and_a_programs_own_policy_stays() -> None:
    for headers, policy in (({}, OWN_POLICY), ({"Host": "evil.example"}, None)):
        found = asked("http", "GET", headers, DOOR)[0]["headers"]
        told = {name.decode(): value.decode() for name, value in found}
        for name, value in HEADERS.items():
            expected = policy if policy and name == "Content-Security-Policy" else value
            assert told[name.lower()] == expected


def test_where_others_may_come_in_any_name_is_right_and_no_foreign_page() -> None:
    door = Door(program, None)
    assert status("GET", {"Host": "backend:8000"}, door) == 200
    assert status("POST", {"Host": "backend:8000", "Origin": "http://evil.example"}, door) == 403


BOUNDED = Door(program, None, most_bytes=1000)


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Content-Length": "1000"}, [b"x" * 1000], 200),
        ({"Content-Length": "1001"}, [b"x" * 1001], 413),
        ({"Content-Length": "99999999999999999999"}, [], 413),
        ({"Transfer-Encoding": "chunked"}, [b"x" * 400, b"x" * 600], 200),
        ({"Transfer-Encoding": "chunked"}, [b"x" * 400, b"x" * 601], 413),
        ({"Transfer-Encoding": "chunked"}, repeat(b"x" * 100), 413),
        ({"Content-Length": "10"}, repeat(b"x" * 100), 413),
    ],
)
def test_no_more_is_read_of_a_body_than_the_program_takes(
    headers: dict[str, str], body: Iterable[bytes], expected: int
) -> None:
    told = asked("http", "POST", headers, BOUNDED, body)
    assert told[0]["status"] == expected
    assert [one["type"] for one in told].count("http.response.start") == 1
    if expected == 413:
        assert told[1]["body"] == b"the body is larger than 1000 bytes\n"
