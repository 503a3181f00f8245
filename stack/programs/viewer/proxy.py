"""Asks a data source on behalf of the page: for so long, for so much, and not for nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 30.0
"""As Grafana waits, from the request to the last byte of the answer."""

LARGEST_BYTES = 24 << 20
"""The most that an answer may take on the wire: 10,000 series over a screen's width, compressed."""

AT_ONCE = 16
"""Questions under way; more wait."""

_PASSED_ON = ("accept", "accept-encoding", "content-type")
_PASSED_BACK = ("content-type", "content-encoding", "vary", "warning")


class Failed(Exception):
    """There is no answer: `status` is 502 or 504."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Left(Exception):
    """Who asked has gone."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question: `url` is whole, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    """As it came: still compressed if it was."""


class Proxy:
    """Questions to the data sources; one for the whole program."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, largest_bytes: int = LARGEST_BYTES) -> None:
        self._timeout_s, self._largest_bytes = timeout_s, largest_bytes
        self._made: httpx.AsyncClient | None = None
        self._room = asyncio.Semaphore(AT_ONCE)

    @property
    def _client(self) -> "httpx.AsyncClient":
        if self._made is None:
            # Takes longer to import than the viewer to start: not before it is needed.
            import httpx

            self._made = httpx.AsyncClient(
                timeout=self._timeout_s, trust_env=False, verify=False, follow_redirects=False
            )
        return self._made

    async def close(self) -> None:
        if self._made:
            await self._made.aclose()

    async def ask(self, asked: Asked, receive: Callable[[], Awaitable[Any]]) -> Answer:
        """The answer, whatever its status. Raises Failed if there is none, and Left, with the
        question withdrawn, as soon as the client of `receive` is gone."""
        asking = asyncio.ensure_future(self._ask(asked))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Left
            return asking.result()
        finally:
            for task in (asking, leaving):
                task.cancel()
            await asyncio.gather(asking, leaving, return_exceptions=True)

    async def _ask(self, asked: Asked) -> Answer:
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                headers = {key: asked.headers[key] for key in _PASSED_ON if key in asked.headers}
                # Not httpx's own wish: nobody may ask for compression who did not.
                headers.setdefault("accept-encoding", "identity")
                async with self._client.stream(
                    asked.method, asked.url, headers=headers, content=asked.body or None
                ) as answer:
                    return await self._read(answer)
        except TimeoutError:
            raise Failed(504, f"no answer within {self._timeout_s:g} s") from None
        except httpx.TimeoutException:
            raise Failed(504, f"no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failed(502, f"no answer: {error or type(error).__name__}") from None

    async def _read(self, answer: "httpx.Response") -> Answer:
        if answer.is_redirect:
            raise Failed(502, "it answers with a redirection, which is not followed")
        chunks, size = [], 0
        async for chunk in answer.aiter_raw():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._largest_bytes:
                raise Failed(
                    502,
                    f"its answer is larger than {self._largest_bytes} bytes; ask for a shorter "
                    "time range or fewer series",
                )
        kept = {key: answer.headers[key] for key in _PASSED_BACK if key in answer.headers}
        return Answer(status=answer.status_code, headers=kept, body=b"".join(chunks))


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
