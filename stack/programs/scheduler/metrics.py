"""What Prometheus reads. Every counter is 0, with all its labels, before the first event.

One registry per application, so that several can live in one process. Names are those that the
alert rules use.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stack.programs.scheduler.acgme import RULES
from stack.programs.scheduler.requests import Requests
from stack.programs.scheduler.settings import VERSION

ACTIVE_USERS = "active_users"

UNMATCHED = "unmatched"
"""Path label of requests for unknown paths: a path from outside never becomes a label."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FAILURE_REASONS = ("no_staff", "invalid_range", "database")
SWAP_STATUSES = ("pending", "approved", "rejected")

SOLVER_BUCKETS_S = (1, 2.5, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1800)
VALIDATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

disable_created_metrics()  # type: ignore[no-untyped-call]


class ActiveUsers:
    """Tokens seen within the last `window_s` seconds."""

    def __init__(self, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.window_s = window_s
        self._clock = clock
        self.seen: dict[str, float] = {}
        """Serial number → when it was last used, on the clock of the machine."""

    def saw(self, serial: str) -> None:
        """The token with that serial number was used just now."""
        self.seen[serial] = self._clock()

    def count(self) -> int:
        """How many; forgets older ones."""
        since = self._clock() - self.window_s
        self.seen = {serial: at for serial, at in self.seen.items() if at >= since}
        return len(self.seen)


class _PoolCollector(Collector):
    def __init__(self, read: Callable[[], dict[str, int]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        now = self._read()
        pool = GaugeMetricFamily(
            "db_pool_connections", "Database connections by state", labels=["state"]
        )
        for state in ("idle", "in_use"):
            pool.add_metric([state], now[state])
        yield pool
        yield GaugeMetricFamily(
            "db_pool_requests_waiting",
            "Requests that wait for a database connection",
            value=now["waiting"],
        )


class Metrics:
    """The metrics of one application."""

    def __init__(self, active_window_s: float, pool: Callable[[], dict[str, int]]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_PoolCollector(pool))
        self.requests = Requests()
        self.in_progress = 0
        Gauge("http_requests_in_progress", "Requests being answered", registry=registry
              ).set_function(lambda: self.in_progress)  # fmt: skip
        self.generations = _counter(
            registry, "schedule_generation_total", "Runs", "outcome", ("success", "failure")
        )
        self.generation_failures = _counter(
            registry, "schedule_generation_failures_total", "Failed", "reason", FAILURE_REASONS
        )
        self.generation_seconds = Histogram(
            "schedule_generation_duration_seconds",
            "Modelled solver time of a run",
            buckets=SOLVER_BUCKETS_S,
            registry=registry,
        )
        self.violations = _counter(
            registry, "acgme_compliance_violations_total", "Found by validations", "rule", RULES
        )
        self.validation_seconds = Histogram(
            "acgme_validation_duration_seconds",
            "Time to validate",
            buckets=VALIDATION_BUCKETS_S,
            registry=registry,
        )
        self.swaps = _counter(
            registry, "swap_requests_total", "Requests by new status", "status", SWAP_STATUSES
        )
        self.log_records = _counter(registry, "log_records_total", "Written", "level", LEVELS)
        self.active = ActiveUsers(active_window_s)
        Gauge(ACTIVE_USERS, "Tokens used within the window", registry=registry).set_function(
            self.active.count
        )
        Gauge("scheduler_build_info", "1", ["version", "python_version"], registry=registry).labels(
            VERSION, platform.python_version()
        ).set(1)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return self.requests.text().encode() + generate_latest(self.registry)


def _counter(
    registry: CollectorRegistry, name: str, what: str, label: str, values: Iterable[str]
) -> Counter:
    counter = Counter(name, what, [label], registry=registry)
    for value in values:
        counter.labels(value)
    return counter
