"""The one thread that writes. Pushes that wait in the meantime are committed together, next."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from stack.programs.logstore.check import Outcome
from stack.programs.logstore.ingest import Ingest, Push
from stack.programs.logstore.push import Body, Refused, decode
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.wal import Part

TOGETHER = 32
"""Most pushes in one commit."""
WAITING = 128
"""Pushes that may wait; their senders' connections wait as well."""
KEPT = 8
"""Of these, for the shipper's."""


@dataclass(frozen=True, kw_only=True)
class _Work:
    body: Body
    own: bool
    done: "Future[Outcome]" = field(default_factory=Future)


class Committer:
    """Start it with `start`; `stop` returns when the last commit is done."""

    def __init__(
        self, store: LogStore, ingest: Ingest, *, tend_every_s: float, retention_s: float
    ) -> None:
        self._store, self._ingest = store, ingest
        self._every_s, self._retention_s = tend_every_s, retention_s
        self._waiting: queue.Queue[_Work | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self.listeners: set[Callable[[Sequence[Part]], None]] = set()
        """Called with what was kept, by the committing thread."""

    def start(self) -> None:
        self._thread.start()

    def submit(self, body: Body, *, own: bool = False) -> "Future[Outcome]":
        """What the client gets, once the push is on disk; `own`, as for `Push`. Raises
        queue.Full."""
        if not own and self._waiting.qsize() >= WAITING - KEPT:
            raise queue.Full
        work = _Work(body=body, own=own)
        self._waiting.put_nowait(work)
        return work.done

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        tended = time.monotonic()
        while True:
            due = max(tended + self._every_s - time.monotonic(), 0)
            try:
                work = self._waiting.get(timeout=due)
            except queue.Empty:
                tended = time.monotonic()
                self._tend()
                continue
            together = [work]
            while len(together) < TOGETHER and not self._waiting.empty():
                together.append(self._waiting.get_nowait())
            self._commit([one for one in together if one])
            if None in together:
                return

    def _tend(self) -> None:
        oldest_ns = int((time.time() - self._retention_s) * 1e9) if self._retention_s else None
        self._store.tend(oldest_ns)

    def _commit(self, together: Sequence[_Work]) -> None:
        pushes: list[tuple[_Work, Push]] = []
        for work in together:
            try:
                pushes.append((work, Push(streams=decode(work.body), own=work.own)))
            except Refused as error:
                work.done.set_result(Outcome(error.status, error.message))
            except Exception as error:  # one bad push must not end the thread
                work.done.set_exception(error)
        try:
            outcomes, kept = self._ingest.take([push for _, push in pushes])
        except Exception as error:
            for work, _ in pushes:
                work.done.set_exception(error)
            return
        if kept:
            for listener in tuple(self.listeners):
                listener(kept)
        for (work, _), outcome in zip(pushes, outcomes, strict=True):
            work.done.set_result(outcome)
