"""Lines a second of the LogQL engine alone, without a store: `python -m tests.bench.bench_logql
[--lines N]`.

JSON lines of a scheduler (about 260 bytes) from memory, one minute of each hour's share a query;
prints the CPU seconds of each query, and what the first query of a process pays for the grammar.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence

from stack.logql import Batch, Engine, Stream, parse
from stack.logql.ast import LineFilter, Matcher

SECOND = 1_000_000_000
HOUR_NS = 3600 * SECOND
BATCH = 8192

LOG_QUERIES = {
    '|= "ERROR"': '{service="backend"} |= "ERROR"',
    '|= "schedule" != "draft"': '{service="backend"} |= "schedule" != "draft"',
    "|~ (regular expression)": '{service="backend"} |~ "ERR.*swap-[0-9]+"',
    "| json | request_time > 1s": '{service="backend"} | json | request_time > 1s',
    "| json | status >= 500": '{service="backend"} | json | status >= 500',
    "| line_format | logfmt | status > 1": (
        '{service="backend"} | line_format "level=info status=200 took=1.5s path=/api/swaps id=1"'
        " | logfmt | status > 1"
    ),
}
METRIC_QUERIES = {
    "sum by (level) (count_over_time([1m]))": (
        'sum by (level) (count_over_time({service="backend"}[1m]))'
    ),
    "sum by (path) (rate(| json [5m]))": ('sum by (path) (rate({service="backend"} | json [5m]))'),
    "quantile_over_time(0.95, | unwrap)": (
        'quantile_over_time(0.95, {service="backend"} | json | unwrap duration(request_time)'
        ' | __error__="" [5m]) by (path)'
    ),
}


class Prepared:
    """A source whose batches are ready, so that only the engine is measured."""

    def __init__(self, lines: int) -> None:
        levels = ["INFO"] * 90 + ["WARNING"] * 7 + ["ERROR"] * 3
        streams = {
            level: Stream(labels={"service": "backend", "level": level}) for level in set(levels)
        }
        self.batches = []
        for start in range(0, lines, BATCH):
            numbers = range(start, min(start + BATCH, lines))
            self.batches.append(
                Batch(
                    timestamps_ns=[number * HOUR_NS // lines for number in numbers],
                    lines=[_line(number, levels[number * 7 % 100]) for number in numbers],
                    streams=[streams[levels[number * 7 % 100]] for number in numbers],
                )
            )

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        backward: bool = False,
        line_filters: Sequence[LineFilter] = (),
    ) -> Iterator[Batch]:
        return iter(self.batches)


def _line(number: int, level: str) -> str:
    return json.dumps(
        {
            "timestamp": "2026-08-22T20:45:11.123456Z",
            "level": level,
            "logger": "residency.api",
            "message": f"served swap-{number}",
            "method": "GET",
            "path": f"/api/schedules/{number % 20}",
            "status": 500 if level == "ERROR" else 200,
            "request_time": f"{number % 1013}ms" if number % 100 else "1.5s",
            "user": f"u-{number % 499}",
            "request_id": f"3f1cbeaa-{number:012d}",
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000)
    lines: int = parser.parse_args().lines
    started = time.process_time()
    parse('{a="b"}')
    print(f"first query of a process: {(time.process_time() - started) * 1000:.0f} ms of grammar")
    started = time.process_time()
    for number in range(200):
        parse(f'sum by (level) (rate({{a="b{number}"}} |= "x" | json | took > 1s [1m])) > 1')
    print(f"each further one: {(time.process_time() - started) * 5:.2f} ms")
    source = Prepared(lines)
    engine = Engine(source)
    for name, query in {**LOG_QUERIES, **METRIC_QUERIES}.items():
        started = time.process_time()
        engine.query_range(query, 0, HOUR_NS, 60 * SECOND, limit=10**9)
        took_s = time.process_time() - started
        print(f"{name:42} {took_s:6.2f} s {lines / took_s:12,.0f} lines a CPU second")


if __name__ == "__main__":
    main()
