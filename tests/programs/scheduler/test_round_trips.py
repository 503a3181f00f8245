"""A slow link multiplies round trips: each endpoint makes as few as it can."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

WEEK = {"start": "2025-09-01", "end": "2025-09-07"}


@dataclass(kw_only=True)
class CountingRelay:
    """Counts how often the client speaks after the server has."""

    target: int
    port: int = 0
    turns: int = 0

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        async with await asyncio.start_server(self._accept, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        speaker = ["server"]

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, who: str) -> None:
            try:
                while data := await source.read(1 << 20):
                    if who == "client" and speaker[0] == "server":
                        self.turns += 1
                    speaker[0] = who
                    sink.write(data)
            finally:
                sink.close()

        await asyncio.gather(pump(reader, back, "client"), pump(there, writer, "server"))


@pytest.fixture(scope="module")
def relay(postgres) -> Iterator[CountingRelay]:
    made, started = CountingRelay(target=postgres.port), threading.Event()
    stop = asyncio.Event()
    with asyncio.Runner() as runner:  # ends what still relays as well
        loop = runner.get_loop()
        thread = threading.Thread(target=lambda: runner.run(made.serve(started, stop)), daemon=True)
        thread.start()
        started.wait(timeout=10)
        yield made
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)


@pytest.fixture(scope="module")
def counted(relay, postgres, template, settings_for, ready_app):
    url = postgres.create(template=template)
    url = url.replace(f":{postgres.port}/", f":{relay.port}/")
    with ready_app(settings_for(url, SCHEDULER_POOL_SIZE=1)) as api:
        for who in ("coordinator1", "resident01"):
            api(who, "GET", "/api/v1/auth/me")
        yield api


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "turns"),
    [
        ("resident01", "GET", "/api/v1/auth/me", None, 0),
        ("resident01", "GET", "/api/v1/people", None, 1),
        ("resident01", "GET", "/api/v1/people/1", None, 1),
        ("resident01", "GET", "/api/v1/schedule?start=2025-09-01&end=2025-09-07", None, 1),
        ("resident01", "GET", "/api/v1/absences", None, 1),
        ("resident01", "GET", "/api/v1/swaps", None, 1),
        ("resident01", "POST", "/api/v1/swaps", {"assignment_id": 1, "target_id": 2}, 1),
        ("coordinator1", "POST", "/api/v1/swaps/1/reject", None, 1),
        ("coordinator1", "POST", "/api/v1/swaps/1/approve", None, 1),
        ("coordinator1", "DELETE", "/api/v1/assignments/999999", None, 1),
        (None, "GET", "/health/ready", None, 0),
        ("coordinator1", "POST", "/api/v1/compliance/validate", WEEK, 2),
        ("coordinator1", "POST", "/api/v1/schedule/generate", WEEK, 2),
    ],
)
def test_request_makes_few_round_trips(
    counted, relay: CountingRelay, who: str, method: str, path: str, body: object, turns: int
) -> None:
    for _ in range(6):  # more often than psycopg waits before it would prepare a statement
        before = relay.turns
        assert counted(who, method, path, json=body).status_code < 500
        assert relay.turns - before == turns


def test_login_makes_one_round_trip(counted, relay: CountingRelay) -> None:
    before = relay.turns
    counted.login("resident01")
    assert relay.turns - before == 1
