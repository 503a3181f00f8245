"""What Locust does, for Prometheus: offered, answered and dropped requests, users, latencies.

Loaded into locust alone. It listens on a free port of this machine and says in a file, which an
instance's Prometheus watches (`file_sd_configs`), where; the file goes when locust does.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from locust.runners import WorkerRunner
from prometheus_client import CollectorRegistry, start_wsgi_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from loadgen.arrivals import Books
from loadgen.open import books
from stack.loopback import HOST

QUANTILES = (0.5, 0.95, 0.99)

_KEY = "books"
"""Of what workers report to their master."""

_of_workers: dict[str, Books] = {}


def total() -> Books:
    """Of this process and of all its workers, those that are gone among them."""
    found = books
    for one in _of_workers.values():
        found = found.plus(one)
    return found


def lost(worker: str) -> None:
    """That one is gone: nobody waits for its answers any more."""
    if worker in _of_workers:
        _of_workers[worker] = replace(_of_workers[worker], in_flight=0)


class Figures(Collector):
    """Locust's own statistics and the books of arrivals, as they are when asked."""

    def __init__(self, environment: Any, *, is_open: bool) -> None:
        self._environment, self._is_open = environment, is_open

    def collect(self) -> Iterator[Metric]:
        stats, found = self._environment.stats.total, total()
        failed = sum(one.num_failures for one in self._environment.stats.entries.values())
        offered = found.offered if self._is_open else stats.num_requests
        for name, what, value in (
            ("load_requests_offered", "Requests that were due; people who wait ask when they can",
             offered),
            ("load_requests_dropped", "Requests that were due and not sent: too many in flight",
             found.dropped),
            ("load_requests_late", "Requests that the load generator itself was late for",
             found.late),
            ("load_requests_answered", "Requests that ended, well or not", stats.num_requests),
            ("load_failures", "Requests that failed or were dropped", failed),
        ):  # fmt: skip
            yield CounterMetricFamily(name, what, value=value)
        yield GaugeMetricFamily("load_users", "Users, or sources of arrivals, at work",
                                value=self._environment.runner.user_count)  # fmt: skip
        yield GaugeMetricFamily("load_requests_in_flight", "Arrivals that wait for their answer",
                                value=found.in_flight)  # fmt: skip
        latency = GaugeMetricFamily(
            "load_response_time_seconds", "Over the last ten seconds, from when requests were due",
            labels=["quantile"],
        )  # fmt: skip
        for quantile in QUANTILES:
            found_ms = stats.get_current_response_time_percentile(quantile)
            if found_ms is not None:
                latency.add_metric([f"{quantile:g}"], found_ms / 1000)
        yield latency


def begin(environment: Any, told: str, *, is_open: bool) -> None:
    """Serve the figures, and say where in the file `told`, unless that is empty or this is one of
    several workers. Whoever ends locust otherwise than by its own means removes the file."""
    if isinstance(environment.runner, WorkerRunner):
        environment.events.report_to_master.add_listener(_report)
        return
    environment.events.worker_report.add_listener(_reported)
    environment.events.quit.add_listener(lambda **_: _say(is_open))
    if not told:
        return
    registry = CollectorRegistry()
    registry.register(Figures(environment, is_open=is_open))
    server, _ = start_wsgi_server(0, addr=HOST, registry=registry)
    file = Path(told)
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps([{"targets": [f"{HOST}:{server.server_port}"]}]))
    partial.replace(file)
    environment.events.quitting.add_listener(lambda **_: file.unlink(missing_ok=True))


def _report(client_id: str, data: dict[str, Any], **_: Any) -> None:
    data[_KEY] = asdict(books)


def _reported(client_id: str, data: dict[str, Any], **_: Any) -> None:
    if _KEY in data:
        _of_workers[client_id] = Books(**data[_KEY])


def _say(is_open: bool) -> None:
    """What Locust's own report has no words for."""
    found = total()
    if is_open:
        print(f"offered: {found.offered} requests, from when they were due; {found.dropped} of them"
              f" dropped, {found.late} late by the load generator itself, {found.in_flight} still"
              " without an answer", file=sys.stderr, flush=True)  # fmt: skip
