"""What Prometheus scrapes: Loki's names where they fit, with its label for the only tenant."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from stack.programs.logstore import TENANT
from stack.programs.logstore.store import LogStore

VERSION = "3.7.1"
"""The version of Loki whose HTTP API the store serves."""

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100)


class Metrics:
    """One registry. All counters exist from the start, so that their first increase is visible."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # Loki has none
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        info = Gauge("loki_build_info", "The Loki whose API this is.",
                     ["version", "branch", "goversion"], registry=registry)  # fmt: skip
        info.labels(VERSION, "embedded", "none").set(1)
        self._lines = Counter("loki_distributor_lines_received", "Lines received.",
                              ["tenant"], registry=registry).labels(TENANT)  # fmt: skip
        self._bytes = Counter("loki_distributor_bytes_received", "Bytes of those lines.",
                              ["tenant"], registry=registry).labels(TENANT)  # fmt: skip
        self._discarded = Counter("loki_discarded_samples", "Lines that were refused.",
                                  ["tenant", "reason"], registry=registry)  # fmt: skip
        self._discarded_bytes = Counter("loki_discarded_bytes", "Bytes of those lines.",
                                        ["tenant", "reason"], registry=registry)  # fmt: skip
        self._duration = Histogram(
            "loki_request_duration_seconds", "How long requests took.",
            ["method", "route", "status_code"], buckets=_BUCKETS_S, registry=registry,
        )  # fmt: skip
        for reason in ("rate_limited", "stream_limit", "line_too_long", "too_far_behind"):
            self._discarded.labels(TENANT, reason)
            self._discarded_bytes.labels(TENANT, reason)
        self.evaluations = Counter("loki_prometheus_rule_evaluations", "Rules evaluated.",
                                   ["rule_group"], registry=registry)  # fmt: skip
        self.evaluation_failures = Counter(
            "loki_prometheus_rule_evaluation_failures", "Rules that could not be evaluated.",
            ["rule_group"], registry=registry,
        )  # fmt: skip
        self.notifications = Counter("loki_prometheus_notifications_sent", "Alerts sent.",
                                     ["alertmanager"], registry=registry)  # fmt: skip
        self.notification_errors = Counter(
            "loki_prometheus_notifications_errors", "Alerts that could not be sent.",
            ["alertmanager"], registry=registry,
        )  # fmt: skip

    def received(self, lines: int, size_bytes: int) -> None:
        self._lines.inc(lines)
        self._bytes.inc(size_bytes)

    def discarded(self, reason: str, lines: int, size_bytes: int) -> None:
        self._discarded.labels(TENANT, reason).inc(lines)
        self._discarded_bytes.labels(TENANT, reason).inc(size_bytes)

    @contextmanager
    def timed(self, method: str, route: str) -> "Iterator[list[int]]":
        """Times a request; the block puts its status into the list."""
        status, began = [500], time.perf_counter()
        try:
            yield status
        finally:
            labels = (method, route, str(status[-1]))
            self._duration.labels(*labels).observe(time.perf_counter() - began)

    def watch(self, store: LogStore) -> None:
        """Show the store's sizes, read at each scrape."""
        streams = Gauge("loki_ingester_memory_streams", "Streams known to the store.",
                        ["tenant"], registry=self.registry)  # fmt: skip
        streams.labels(TENANT).set_function(lambda: len(store.streams))
        rows = Gauge("loki_ingester_memory_entries", "Entries not in a segment yet.",
                     registry=self.registry)  # fmt: skip
        rows.set_function(lambda: store.figures().rows_in_memory)
        disk = Gauge("loki_store_segment_bytes", "Bytes of segments on disk.",
                     registry=self.registry)  # fmt: skip
        disk.set_function(lambda: store.figures().segment_bytes)

    def text(self) -> bytes:
        return generate_latest(self.registry)
