"""The shipper's metrics, under Promtail's names where they apply."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

REFUSED, TOO_MANY_STREAMS = "ingester_error", "stream_limited"
"""Promtail's words for why lines were dropped."""


class Metrics:
    """`host` is the store's `host:port`, a label of everything sent, as in Promtail."""

    def __init__(self, host: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # Promtail has none
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        on, path = ["host"], ["path"]
        self._read_lines = self._counter("read_lines", "Lines read from a file", path)
        self._read_bytes = self._gauge("read_bytes_total", "How far a file was sent", path)
        self._size = self._gauge("file_bytes_total", "How long a file is", path)
        self._files = self._gauge("files_active_total", "Files being read", [])
        self._sent = self._counter("sent_entries", "Lines that the store has acknowledged", on)
        self._sent_bytes = self._counter("sent_bytes", "Bytes sent, compressed", on)
        self._dropped = self._counter(
            "dropped_entries", "Lines that the store refused for good", [*on, "reason"]
        )
        self._retries = self._counter("batch_retries", "Batches that were sent again", on)
        self._requests = Histogram(
            "promtail_request_duration_seconds",
            "Duration of pushes by the store's answer",
            ["status_code", *on],
            buckets=(0.005, 0.025, 0.1, 0.5, 2.5, 10.0),
            registry=self.registry,
        )
        self._host = host
        for counter in (self._sent, self._sent_bytes, self._retries):
            counter.labels(host)
        for reason in (REFUSED, TOO_MANY_STREAMS):
            self._dropped.labels(host, reason)

    def _counter(self, name: str, text: str, labels: Iterable[str]) -> Counter:
        return Counter(f"promtail_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Iterable[str]) -> Gauge:
        return Gauge(f"promtail_{name}", text, labels, registry=self.registry)

    def files(self, count: int) -> None:
        self._files.set(count)

    def read(self, path: str, lines: int) -> None:
        self._read_lines.labels(path).inc(lines)

    def reached(self, path: str, sent_bytes: int, size_bytes: int) -> None:
        """How much of what was ever written under a name is sent. What waits for the store is not
        yet read to Promtail, which reads a line once the one before it is on its way.
        """
        self._read_bytes.labels(path).set(sent_bytes)
        self._size.labels(path).set(size_bytes)

    def pushed(self, status: int, seconds: float) -> None:
        """`status` is 0 if there was no answer; like Promtail, the label is then -1."""
        self._requests.labels(str(status or -1), self._host).observe(seconds)

    def sent(self, lines: int, size_bytes: int) -> None:
        self._sent.labels(self._host).inc(lines)
        self._sent_bytes.labels(self._host).inc(size_bytes)

    def dropped(self, lines: int, reason: str) -> None:
        self._dropped.labels(self._host, reason).inc(lines)

    def retried(self) -> None:
        self._retries.labels(self._host).inc()
