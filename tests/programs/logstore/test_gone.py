"""A query whose client has left: it is not begun, or it ends."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from starlette.requests import ClientDisconnect

from stack.logql import Engine, LogQLError, MemorySource
from stack.logql.errors import Kind
from stack.programs.logstore.params import RangeQuery
from stack.programs.logstore.querier import Failed, Querier
from stack.programs.logstore.settings import Limits
from stack.programs.logstore.web import AT_ONCE, Web
from tests.programs.logstore.conftest import SECOND, T0, part

PATIENCE_S = 30


def test_work_ends_with_its_client_and_waiting_work_is_not_begun():
    web = Web(None)  # type: ignore[arg-type]
    begun, ended, left = threading.Semaphore(0), threading.Semaphore(0), asyncio.Event()
    late: list[str] = []

    def endless(gone: Callable[[], bool]) -> None:
        begun.release()
        waiting = threading.Event()
        while not gone():
            waiting.wait(0.001)
        ended.release()

    async def receive() -> dict[str, str]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def ask() -> None:
        running = [asyncio.create_task(web._in_thread(endless, receive)) for _ in range(AT_ONCE)]
        for _ in running:
            assert await asyncio.to_thread(begun.acquire, timeout=PATIENCE_S)
        queued = asyncio.create_task(web._in_thread(lambda gone: late.append("begun"), receive))
        await asyncio.sleep(0)
        left.set()
        found = await asyncio.gather(*running, queued, return_exceptions=True)
        assert [type(one) for one in found] == [ClientDisconnect] * (AT_ONCE + 1)
        for _ in running:
            assert await asyncio.to_thread(ended.acquire, timeout=PATIENCE_S)
        assert await web._in_thread(lambda gone: "next") == "next"

    asyncio.run(ask())
    assert late == []


def test_query_of_a_client_that_left_reads_no_further():
    source = MemorySource(batch_size=1)
    for at in range(10):
        source.add({"app": "a"}, at * SECOND, "x")
    asked: list[bool] = []

    def gone() -> bool:
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(LogQLError) as refusal:
        Engine(source, gone=gone).query_range('{app="a"}', 0, 10 * SECOND, 1)
    assert refusal.value.kind is Kind.CANCELLED
    assert len(asked) == 4


def test_query_of_a_client_that_left_has_a_status_of_its_own(store):
    limits = dict.fromkeys(Limits.__dataclass_fields__, 0) | {"series": 9, "query_timeout_s": 60}
    store.commit([part({"app": "a"}, (T0, "x"))])
    asked = RangeQuery(
        query='{app="a"}', start_ns=T0, end_ns=T0 + SECOND, step_ns=SECOND, interval_ns=0, limit=9,
        direction="forward",
    )  # fmt: skip
    with pytest.raises(Failed) as refusal:
        Querier(store, Limits(**limits)).range(asked, lambda: True)
    assert refusal.value.status == 499
