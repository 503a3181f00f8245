"""Pushes one shipment at a time, in a separate thread, until the store has it or refuses it."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from stack.programs.logfmt import say
from stack.programs.logship.metrics import REFUSED, TOO_MANY_STREAMS, Metrics
from stack.programs.logship.settings import Client
from stack.programs.logship.shipment import Shipment

_HEADERS = {"Content-Type": "application/x-protobuf", "User-Agent": "residency-lab-logship"}
_QUOTED_CHARS = 300

_PATIENCE = 5
"""Tries after which a store that has no room for one stream no longer holds back the others."""

_NO_ROOM = "maximum active stream limit exceeded"
"""Loki's words (pkg/validation/validate.go, StreamLimitErrorMsg), in lower case."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a push. `status` is 0 if there was no answer at all."""

    status: int
    text: str
    size_bytes: int
    seconds: float

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def again(self) -> bool:
        """Promtail's rule: no answer, too many requests, or an error of the store."""
        return self.status == 0 or self.status == 429 or self.status >= 500

    @property
    def no_room(self) -> bool:
        """There are too many streams: trying again helps only if some of them end."""
        return self.status == 429 and _NO_ROOM in self.text.lower()


class Sender:
    """`done` is called from the thread when there is an answer. `says`: the `Authorization` that
    is sent, if any.

    A shipment that is refused is sent again stream by stream, so that what is good in it arrives
    and what is dropped is counted: the store has each line once, however often it is sent.
    """

    def __init__(
        self, client: Client, metrics: Metrics, done: Callable[[], None], says: str = ""
    ) -> None:
        self._headers = {**_HEADERS, **({"Authorization": says} if says else {})}
        self._client, self._metrics, self._done = client, metrics, done
        self._connection: HTTPConnection | None = None
        self._shipment: Shipment | None = None
        self._parts: list[Shipment] = []
        """What is left to send of it; the first is under way."""
        self._tries = 0
        self._body = b""
        self._thread: threading.Thread | None = None
        self._answer: Answer | None = None
        self._again_at = 0.0
        self._backoff_s = client.min_backoff_s
        self._trouble = ""

    @property
    def busy(self) -> bool:
        return self._shipment is not None

    def send(self, shipment: Shipment) -> None:
        """Take a shipment; only if not `busy`."""
        self._shipment = shipment
        self._begin([shipment])

    def _begin(self, parts: list[Shipment]) -> None:
        self._parts, self._body, self._tries = parts, b"", 0
        self._start()

    def settled(self, now: float) -> Shipment | None:
        """The shipment that was stored or refused, once. `now`: seconds of a monotonic clock."""
        shipment = self._shipment
        if shipment is None:
            return None
        if self._thread is None:
            if now >= self._again_at:
                self._start()
            return None
        if self._thread.is_alive() or self._answer is None:
            return None
        answer, self._thread = self._answer, None
        self._metrics.pushed(answer.status, answer.seconds)
        self._tries += 1
        if answer.again and not (answer.no_room and self._tries >= _PATIENCE):
            self._wait(answer, now)
            return None
        part = self._parts[0]
        if not answer.good and len(single := part.parts()) > 1:
            self._begin(single)
            return None
        self._settle(answer, part)
        if rest := self._parts[1:]:
            self._begin(rest)
            return None
        self._shipment = None
        return shipment

    def waits_until(self) -> float:
        """When to call `settled` again, in seconds of a monotonic clock; 0 during a push."""
        return self._again_at if self._shipment and self._thread is None else 0.0

    def end(self, seconds: float) -> None:
        """Wait for a push that is under way, and end the connection; nothing is sent after it."""
        if self._thread:
            self._thread.join(seconds)
        if not self._thread or not self._thread.is_alive():
            self._close()

    def _start(self) -> None:
        self._answer = None
        self._thread = threading.Thread(target=self._push, daemon=True)
        self._thread.start()

    def _push(self) -> None:
        began = time.monotonic()
        status, text = 0, ""
        try:
            if not self._body:
                self._body = self._parts[0].encoded()
            status, text = self._post(self._body)
        except (OSError, HTTPException) as error:
            text = str(error) or type(error).__name__
            self._close()
        seconds = time.monotonic() - began
        self._answer = Answer(
            status=status, text=text.strip(), size_bytes=len(self._body), seconds=seconds
        )
        self._done()

    def _post(self, body: bytes) -> tuple[int, str]:
        client = self._client
        if self._connection is None:
            self._connection = HTTPConnection(client.host, client.port, timeout=client.timeout_s)
        self._connection.request("POST", client.path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read().decode(errors="replace")

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _wait(self, answer: Answer, now: float) -> None:
        """Double the pause each time, with a little jitter, up to the maximum."""
        self._metrics.retried()
        self._again_at = now + self._backoff_s * random.uniform(0.8, 1.2)
        self._backoff_s = min(2 * self._backoff_s, self._client.max_backoff_s)
        problem = f"{answer.status} {answer.text}" if answer.status else answer.text
        if problem != self._trouble:
            say("warn", "promtail", "the store accepts nothing; lines are held back",
                problem=problem[:_QUOTED_CHARS])  # fmt: skip
        self._trouble = problem

    def _settle(self, answer: Answer, shipment: Shipment) -> None:
        self._backoff_s = self._client.min_backoff_s
        if self._trouble:
            say("info", "promtail", "the store accepts lines again")
        self._trouble = ""
        if answer.good:
            self._metrics.sent(shipment.lines, answer.size_bytes)
            return
        reason = TOO_MANY_STREAMS if answer.no_room else REFUSED
        self._metrics.dropped(shipment.lines, reason)
        say(
            "error", "promtail", "the store refused lines for good; they are dropped",
            status=answer.status, lines=shipment.lines, problem=answer.text[:_QUOTED_CHARS],
        )  # fmt: skip
