"""The scheduler in several processes behind one port: who accepts a connection answers it.

Prometheus still reads one page. Whichever process it happens to ask has the others say what they
count, and adds up. When one of them dies all end, and are started again together: a sum that went
down by what one had counted would look to Prometheus as if all had begun anew, and what is left of
it as if it had just happened.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from stack.programs.scheduler.metrics import ACTIVE_USERS, Metrics

NOT_ADDED = ("scheduler_build_info", "process_start_time_seconds", "process_max_fds")
"""What is true of each of them; the highest is told."""

HEARD_WITHIN_S = 10.0
"""As long as Prometheus waits for all of it."""

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, man 2 prctl
_CREDENTIALS = struct.Struct("3i")


class Siblings:
    """The processes of one scheduler, as one of them knows them."""

    def __init__(self, count: int) -> None:
        """Made before they are: each has a socket, of which only this machine's kernel has the
        name, and which is no file that could be left behind."""
        self._sockets = [socket.socket(socket.AF_UNIX) for _ in range(count)]
        for one in self._sockets:
            one.bind(b"")
            one.listen()
        self.own = 0
        """Which of them this process is."""

    def __len__(self) -> int:
        return len(self._sockets)

    @contextlib.asynccontextmanager
    async def telling(self, metrics: Metrics) -> AsyncIterator[None]:
        """Answer the others within the block."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked: socket.socket = writer.get_extra_info("socket")
            there = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            if _CREDENTIALS.unpack(there)[1] == os.geteuid():
                told = {"text": metrics.text().decode(), "seen": metrics.active.seen}
                writer.write(json.dumps(told).encode())
                with contextlib.suppress(OSError):
                    await writer.drain()
            writer.close()

        server = await asyncio.start_unix_server(answer, sock=self._sockets[self.own])
        async with server:
            yield

    async def text(self, metrics: Metrics) -> bytes:
        """What all of them count, in Prometheus' text format. Raises OSError or TimeoutError when
        one does not answer."""
        others = [one for n, one in enumerate(self._sockets) if n != self.own]
        async with asyncio.timeout(HEARD_WITHIN_S):
            told = [json.loads(one) for one in await asyncio.gather(*map(_ask, others))]
        texts = [metrics.text().decode(), *(one["text"] for one in told)]
        seen = [metrics.active.seen, *(one["seen"] for one in told)]
        users = {serial for one in seen for serial, at in one.items()
                 if at >= time.monotonic() - metrics.active.window_s}  # fmt: skip
        return added(texts, {ACTIVE_USERS: float(len(users))})


async def _ask(other: socket.socket) -> bytes:
    connected = socket.socket(socket.AF_UNIX)
    connected.setblocking(False)
    connected.connect(other.getsockname())  # at once, or not at all
    reader, writer = await asyncio.open_unix_connection(sock=connected)
    try:
        return await reader.read()
    finally:
        writer.close()


class _Sums(Collector):
    def __init__(self, texts: Iterable[str], instead: Mapping[str, float]) -> None:
        self._texts, self._instead = texts, instead

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for text in self._texts:
            for family in text_string_to_metric_families(text):
                families.setdefault(family.name, family)
                sums = values.setdefault(family.name, {})
                for sample in family.samples:
                    key = (sample.name, tuple(sample.labels.items()))
                    before = sums.get(key)
                    sums[key] = (
                        sample.value if before is None
                        else max(before, sample.value) if sample.name in NOT_ADDED
                        else before + sample.value
                    )  # fmt: skip
        for name, family in families.items():
            metric = Metric(family.name, family.documentation, family.type)
            for (sample_name, labels), value in values[name].items():
                metric.add_sample(sample_name, dict(labels), self._instead.get(name, value))
            yield metric


def added(texts: Sequence[str], instead: Mapping[str, float]) -> bytes:
    """Pages of metrics as one: the sum of each series, but for NOT_ADDED and for those families
    of which the value is known in another way (`instead`: name → value)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Sums(texts, instead))
    return generate_latest(registry)


def several(count: int, one: Callable[[Siblings], int]) -> int:
    """Run `one` in `count` processes and wait for them; the exit code of the first to end. Has to
    be asked before there are threads.

    SIGTERM and SIGINT reach all. None outlives the process that started them, whatever ends it.
    """
    siblings, parent = Siblings(count), os.getpid()
    children = set[int]()

    def end(number: int, frame: FrameType | None = None) -> None:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    # Who is asked to end while the others are being made ends them, too.
    asked = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, asked)
    for number in range(count):
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            siblings.own = number
            return one(siblings)
        children.add(child)
    for wanted in asked:
        signal.signal(wanted, end)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = None
    while children:
        ended, status = os.wait()
        children.discard(ended)
        if code is None:
            code = os.waitstatus_to_exitcode(status)
            if code:
                print(f"process {ended} ended with {code}; the others end, too", file=sys.stderr)
            end(signal.SIGTERM)
    return 1 if code is None or code < 0 else code
