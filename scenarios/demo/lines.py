"""The last hours of logs behind an instance that has only just begun.

As with metrics, only the course is invented: the lines are those that the services write now, as
often as they write them, more or less as the clinic was busier or quieter (`week`). They go to the
log store with times of their own, in streams of their own: in one that has newer lines, what is
older than an hour would come too late (`max_chunk_age`).
"""

import math
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from scenarios.demo.week import Week
from stack import loopback
from stack.errors import HostCannot
from stack.run.instance import Instance

LAST_S = 2 * 3600.0
"""How far back they reach, in the instance's own time."""

MARK = {"written": "afterwards"}
"""The label of these streams."""

STORE, OF_SUPERVISOR = "loki", "supervisord"
MOST = 5000
"""Lines in one question, and in one push."""

_STAMP = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d\.(\d+)")
_IDENT = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What one writes now."""

    labels: Mapping[str, str]
    lines: Sequence[str]
    """In the time that was looked at."""
    rate: float
    """Lines in a real second."""


def write(instance: Instance, week: Week, since: float) -> int:
    """Give the instance its last hours of logs; how many lines. `since` which moment its people
    have been at work, Unix seconds. Raises HostCannot when the store does not take them."""
    count = 0
    with loopback.client(instance.url(STORE), timeout_s=30) as store:
        try:
            for stream in _seen(store, since):
                entries = list(course(stream, week, instance.record.created))
                for begin in range(0, len(entries), MOST):
                    _push(store, stream, entries[begin : begin + MOST])
                count += len(entries)
        except httpx.HTTPError as error:
            raise HostCannot(
                f"the log store does not take the past of `{instance.name}`: {error}.",
                cure="`doit logs loki` may say why; `doit demo --no-history` does without.",
            ) from None
    return count


def course(stream: Stream, week: Week, until: float) -> Iterator[tuple[float, str]]:
    """The lines of a stream, each with its Unix seconds, the oldest first and all before `until`;
    the same for the same seed."""
    drawn = random.Random(f"{week.seed} {sorted(stream.labels.items())}")
    now = max(week.activity(week.now), 0.05)
    at = until - LAST_S / week.speed
    while True:
        # Between two lines the clinic does not change.
        pace = stream.rate * max(week.activity(at), 0.05) / now
        at += drawn.expovariate(pace)
        if at >= until:
            return
        yield at, written_at(drawn.choice(stream.lines), at, f"{drawn.getrandbits(128):032x}")


def written_at(line: str, at: float, ident: str) -> str:
    """The line as if it had been written then, about a request of its own."""
    moment = datetime.fromtimestamp(at, UTC)

    def stamp(found: re.Match[str]) -> str:
        digits = len(found[2])
        return f"{moment:%Y-%m-%d}{found[1]}{moment:%H:%M:%S}.{f'{moment:%f}000'[:digits]}"

    return _IDENT.sub(ident, _STAMP.sub(stamp, line, count=1), count=1)


def _seen(store: httpx.Client, since: float) -> Iterator[Stream]:
    """What services wrote since then, without the words of who started them."""
    query = f'{{service!="{OF_SUPERVISOR}", service!=""}}'
    asked = {"query": query, "limit": f"{MOST}", "start": f"{since:.9f}"}
    answer = store.get("/loki/api/v1/query_range", params=asked).raise_for_status()
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    count = sum(len(one["values"]) for one in result)
    first = min((int(at) / 1e9 for one in result for at, _ in one["values"]), default=since)
    # Of a full answer, the time that it covers is what counts.
    took_s = time.time() - (first if count >= MOST else since)
    for one in result:
        lines = [line for _, line in one["values"]]
        rate = len(lines) / max(took_s, 1.0)
        yield Stream(labels={**one["stream"], **MARK}, lines=sorted(lines), rate=rate)


def _push(store: httpx.Client, stream: Stream, entries: Sequence[tuple[float, str]]) -> None:
    values = [[str(math.floor(at * 1e9)), line] for at, line in entries]
    body = {"streams": [{"stream": dict(stream.labels), "values": values}]}
    store.post("/loki/api/v1/push", json=body).raise_for_status()
