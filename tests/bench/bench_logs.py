"""Prints what the log store takes: pushing, four queries, memory, disk; beside a Loki if one is
named.

    python -m tests.bench.bench_logs [--lines N] [--loki URL]

The lines are a scheduler's, JSON of 263 bytes, spread over the hour that ends now, in three streams
by level. Queries run three times; the median counts. A Loki is asked over HTTP only: its memory and
disk are for whoever runs it.
"""

import argparse
import json
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import cramjam
import httpx
import psutil

from stack.programs.lokiproto import PushRequest
from tests.programs.logstore.conftest import Running, running

SENDERS = 3
BATCH = 1000
LINE_BYTES = 263
HOUR_NS = 3600 * 10**9
PATHS = ("/api/schedules", "/api/people", "/api/swaps", "/api/auth/login", "/api/compliance")

QUERIES = {
    '|= "ERROR", limit 100': '{service="bench"} |= "ERROR"',
    "| json | request_time > 1s": '{service="bench"} | json | request_time > 1s',
    "count by level": 'sum by (level) (count_over_time({service="bench"}[1m]))',
    "rate by path": 'sum by (path) (rate({service="bench"} | json [5m]))',
}


def corpus(lines: int, end_ns: int) -> Iterator[tuple[int, str, str]]:
    """(timestamp, level, line), oldest first; the same for the same number."""
    chance = random.Random(lines)
    for count in range(lines):
        at_ns = end_ns - HOUR_NS + count * HOUR_NS // lines
        dice = chance.random()
        level = "ERROR" if dice < 0.01 else "WARNING" if dice < 0.05 else "INFO"
        line = json.dumps(
            {
                "timestamp": datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(
                    timespec="milliseconds"
                ),
                "level": level,
                "logger": "scheduler.http",
                "message": "",
                "request_id": f"{chance.getrandbits(128):032x}",
                "method": "GET",
                "path": chance.choice(PATHS),
                "status": 500 if level == "ERROR" else 200,
                "request_time": f"{chance.expovariate(8):.3f}s",
                "user_role": "resident",
            }
        )
        filler = "request answered in good time " * 4
        padding = filler[: max(LINE_BYTES - len(line), 0)]
        yield at_ns, level.lower(), line.replace('"message": ""', f'"message": "{padding}"')


def bodies(lines: int, end_ns: int) -> Iterator[bytes]:
    """Pushes of a thousand lines."""
    request, streams, held = PushRequest(), {}, 0
    for at_ns, level, line in corpus(lines, end_ns):
        if level not in streams:
            streams[level] = request.streams.add(labels=f'{{service="bench",level="{level}"}}')
        entry = streams[level].entries.add(line=line)
        entry.timestamp.FromNanoseconds(at_ns)
        held += 1
        if held == BATCH:
            yield bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
            request, streams, held = PushRequest(), {}, 0
    if held:
        yield bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def push(url: str, lines: int, end_ns: int) -> float:
    """Seconds that it takes; what it takes to make the pushes is not counted."""
    made = list(bodies(lines, end_ns))
    waiting: Queue[bytes] = Queue()
    for body in made:
        waiting.put(body)
    senders = [threading.Thread(target=_send, args=(url, waiting)) for _ in range(SENDERS)]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return time.perf_counter() - began


def _send(url: str, waiting: "Queue[bytes]") -> None:
    with httpx.Client(timeout=60) as client:
        while not waiting.empty():
            answer = client.post(
                f"{url}/loki/api/v1/push", content=waiting.get(),
                headers={"Content-Type": "application/x-protobuf"},
            )  # fmt: skip
            assert answer.status_code == 204, answer.text


def ask(url: str, query: str, end_ns: int) -> float:
    """Seconds, the median of three."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = httpx.get(
            f"{url}/loki/api/v1/query_range", timeout=300,
            params={"query": query, "start": end_ns - HOUR_NS, "end": end_ns, "step": "60",
                    "limit": 100},
        )  # fmt: skip
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["result"]
    return statistics.median(took)


class Peak(threading.Thread):
    """The most memory that a process had resident, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.most, self.over = psutil.Process(pid), 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.most = max(self.most, self.process.memory_info().rss)


def measure(url: str, lines: int) -> list[float]:
    """Lines a second, then seconds of each query."""
    end_ns = time.time_ns()
    took = push(url, lines, end_ns)
    return [lines / took, *(ask(url, query, end_ns) for query in QUERIES.values())]


def embedded(lines: int) -> tuple[list[float], dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-logs-"))
    try:
        with running(folder) as store:
            idle = psutil.Process(store.process.pid)
            cpu = idle.cpu_times()
            more = {
                "start, CPU": f"{cpu.user + cpu.system:.2f} s",
                "idle, resident": f"{idle.memory_info().rss / 1e6:.0f} MB",
            }
            peak = Peak(store.process.pid)
            peak.start()
            figures = measure(store.url, lines)
            peak.over.set()
            more["most resident"] = f"{peak.most / 1e6:.0f} MB"
            more["disk"] = _disk(store, folder, lines)
        return figures, more
    finally:
        shutil.rmtree(folder)


def _disk(store: Running, folder: Path, lines: int) -> str:
    """Of the segments; the rest is the log of what has not settled."""
    held = [path.stat().st_size for path in folder.rglob("*.parquet")]
    waiting = [path.stat().st_size for path in folder.rglob("*.wal")]
    share = sum(held) / (lines * LINE_BYTES)
    return (
        f"{sum(held) / 1e6:.1f} MB settled ({share:.3f} of the text), "
        f"{sum(waiting) / 1e6:.1f} MB in the log"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--loki", metavar="URL", help="of a Loki to measure beside it")
    options = parser.parse_args()
    ours, more = embedded(options.lines)
    theirs = measure(options.loki.rstrip("/"), options.lines) if options.loki else None
    print(f"{options.lines} lines{'':24} embedded" + ("     Loki" if theirs else ""))
    for count, name in enumerate(("pushed", *QUERIES)):
        unit = "lines/s" if not count else "s"
        row = [ours[count], *([theirs[count]] if theirs else [])]
        cells = "".join(f"{value:9.0f}" if not count else f"{value:9.3f}" for value in row)
        print(f"{name:32}{cells} {unit}")
    for name, text in more.items():
        print(f"{name:32} {text}")


if __name__ == "__main__":
    main()
