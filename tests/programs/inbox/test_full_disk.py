"""What cannot be stored is not acknowledged: its sender will try again."""

import asyncio

import httpx
import pytest

from stack.programs.inbox import smtp
from stack.programs.inbox.control import Control
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.heartbeat import Heartbeats
from stack.programs.inbox.store import MessageStore
from stack.programs.inbox.web import application
from stack.programs.serving import listen


@pytest.fixture
def desk(tmp_path):
    store = MessageStore(tmp_path / "inbox.db")
    # As on a full disk, every write fails; reading still works.
    store._connection.execute("PRAGMA query_only = ON")
    yield Desk(store=store, control=Control(None), heartbeats=Heartbeats(store, 60))
    store.close()


def test_inbox_answers_500_to_what_it_cannot_store(desk):
    async def talk() -> None:
        transport = httpx.ASGITransport(application(desk, {}))
        async with httpx.AsyncClient(transport=transport, base_url="http://inbox") as client:
            sent = await client.post("/services/T0/B0/x", json={"text": "hello"})
            assert sent.status_code == 500
            assert "cannot store" in sent.text
            assert (await client.get("/api/messages")).json() == []
            assert 'kind="other"} 0.0' in (await client.get("/metrics")).text

    asyncio.run(talk())


def test_inbox_answers_452_to_mail_that_it_cannot_store(desk):
    async def talk() -> str:
        server = await smtp.serve(desk, listen("127.0.0.1", 0, option="--smtp-port"))
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        said = [b"EHLO a", b"MAIL FROM:<a@b.c>", b"RCPT TO:<d@e.f>", b"DATA"]
        writer.write(b"\r\n".join([*said, b"Subject: a\r\n\r\nhello\r\n.", b"QUIT", b""]))
        heard = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        server.close()
        return heard.decode()

    assert "\r\n452 4.3.1" in asyncio.run(talk())
