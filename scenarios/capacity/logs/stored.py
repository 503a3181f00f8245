"""How long questions take at several volumes, and what a line takes on the disk."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cramjam
import httpx

from loadgen.loglines import Sample, Times
from scenarios.capacity.logs.pair import Pair
from scenarios.capacity.logs.questions import LINES, RANGE_S, STEP_S, Question
from scenarios.capacity.metrics.model import Line, line
from scenarios.capacity.search import Died
from stack import loopback
from stack.programs.lokiproto import PushRequest

SPREAD_S = 3000.0
"""Before now, over which lines are spread: Loki takes none that is an hour older than the newest of
its stream (half of `max_chunk_age`)."""

BATCH = 1000
TIMES = 3
"""That each question is asked at each volume."""

SETTLED_WITHIN_S = 20.0
TIMEOUT_S = 120.0

LABELS = '{{job="scheduler",level="{level}",service="residency-scheduler-backend"}}'
"""That the shipper gives them."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """So many lines of the last hour, and how long each question took then."""

    lines: int
    took: Mapping[str, Sequence[float]]
    """Whose question it is → seconds, each time that it was asked."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What lines take."""

    lines: int
    """That were weighed: those that are where they stay."""
    stored_bytes: int
    text_bytes: float
    """Of one line, as it was written."""

    @property
    def per_line(self) -> float:
        return self.stored_bytes / max(1, self.lines)


@dataclass
class Stored:
    """What is known so far; at any time, all that has been measured."""

    volumes: list[Volume] = field(default_factory=list)
    disk: Disk | None = None
    push_lines_s: float = 0.0
    """Lines a second that one client pushed, without a shipper."""

    def line(self, whose: str) -> Line | None:
        """Seconds of a question by lines."""
        return line([(float(one.lines), took) for one in self.volumes
                     for took in one.took.get(whose, ())])  # fmt: skip

    def slowest(self) -> tuple[str, float]:
        """Whose question took longest at the largest volume, and the median of its seconds."""
        last = self.volumes[-1].took
        whose = max(last, key=lambda one: median(last[one]))
        return whose, median(last[whose])


def measure(
    pair: Pair,
    sample: Path,
    asked: Sequence[Question],
    volumes: Sequence[int],
    found: Stored,
    over: Callable[[], bool],
    say: Callable[[Volume], None],
) -> None:
    """Fill and ask, volume by volume, until all are done or time is `over`; what is known is in
    `found`. Raises Died when the store does not take lines or answers no question."""
    lines = Sample(sample.read_text().splitlines())
    with loopback.client(pair.store_url, timeout_s=TIMEOUT_S) as client:
        for wanted in volumes:
            have = found.volumes[-1].lines if found.volumes else 0
            began = time.perf_counter()
            _fill(client, lines, wanted - have)
            found.push_lines_s = (wanted - have) / (time.perf_counter() - began)
            _settle(pair, client)
            volume = Volume(lines=wanted, took={one.whose: _asked(client, one) for one in asked})
            found.volumes.append(volume)
            found.disk = _weighed(pair)
            say(volume)
            if over():
                return


def _fill(client: httpx.Client, lines: Sample, count: int) -> None:
    """Store lines of the last hour, at even distances."""
    for body in _bodies(lines, count, time.time()):
        try:
            answer = client.post("/loki/api/v1/push", content=body,
                                 headers={"Content-Type": "application/x-protobuf"})  # fmt: skip
        except httpx.HTTPError as error:
            raise Died(f"the store takes no lines: {error}") from None
        if not answer.is_success:
            raise Died(f"the store takes no lines: {answer.status_code} {answer.text.strip()}")


def _bodies(lines: Sample, count: int, now: float) -> Iterator[bytes]:
    """Pushes of `BATCH` lines, oldest first, labelled as the shipper does."""
    times = Times()
    for begin in range(0, count, BATCH):
        request, streams = PushRequest(), {}
        for nth in range(begin, min(begin + BATCH, count)):
            at = now - SPREAD_S * (1 - nth / count)
            line, level = lines.next(times.text(at))
            if level not in streams:
                labels = LABELS.format(level=level)
                streams[level] = request.streams.add(labels=labels)
            entry = streams[level].entries.add(line=line.rstrip("\n"))
            entry.timestamp.FromNanoseconds(int(at * 1000) * 1_000_000)
        yield bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def _settle(pair: Pair, client: httpx.Client) -> None:
    """Until what is to be written to the disk has been."""
    if pair.is_real:
        client.post("/flush")
    give_up, before = time.monotonic() + SETTLED_WITHIN_S, -1.0
    while time.monotonic() < give_up:
        now = pair.figures().get("loki_ingester_memory_entries", 0.0) or float(_size(pair.data))
        if now == before:
            return
        before = now
        time.sleep(0.5)


def _asked(client: httpx.Client, question: Question) -> list[float]:
    """Seconds that it took, each time."""
    took = []
    for _ in range(TIMES):
        now = time.time()
        if question.is_instant:
            path, more = "query", {"time": f"{now}"}
        else:
            path = "query_range"
            more = {"start": f"{now - RANGE_S}", "end": f"{now}", "step": f"{STEP_S}"}
        asked = {"query": question.query, "limit": f"{LINES}", **more}
        began = time.perf_counter()
        try:
            answer = client.get(f"/loki/api/v1/{path}", params=asked)
        except httpx.HTTPError as error:
            raise Died(f"the store does not answer {question.whose}: {error}") from None
        took.append(time.perf_counter() - began)
        if not answer.is_success:
            raise Died(f"the store answers {answer.status_code} to {question.whose}:"
                       f" {answer.text.strip()[:200]}")  # fmt: skip
        json.loads(answer.content)
    return took


def _weighed(pair: Pair) -> Disk:
    said = pair.figures()
    received = said.get("loki_distributor_lines_received_total", 0.0)
    text = said.get("loki_distributor_bytes_received_total", 0.0) / max(1.0, received)
    if "loki_store_segment_bytes" in said:
        settled = received - said.get("loki_ingester_memory_entries", 0.0)
        stored = said["loki_store_segment_bytes"]
    else:
        settled, stored = received, float(_size(pair.data))
    return Disk(lines=int(settled), stored_bytes=int(stored), text_bytes=text)


def _size(folder: Path) -> int:
    """Bytes of what lies there, without the log of what is not settled."""
    return sum(one.stat().st_size for one in folder.rglob("*")
               if one.is_file() and "wal" not in one.relative_to(folder).parts)  # fmt: skip
