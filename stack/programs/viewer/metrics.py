"""What Prometheus scrapes of the viewer: Grafana's names where they fit."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from stack.programs.viewer import VERSION

_BUCKETS_S = (0.01, 0.1, 1, 10)

_HANDLERS = {
    "/api/health": "health",
    "/api/search": "search",
    "/api/dashboards/": "dashboards",
    "/api/datasources/proxy/": "proxy",
    "/api/datasources": "datasources",
    "/api/annotations": "annotations",
    "/api/": "api",
    "/metrics": "metrics",
    "": "page",
}
"""Beginning of a path → what answers it; the first that fits."""


class Metrics:
    """One registry. Counters that matter exist from the start, so that their first increase is
    visible."""

    def __init__(self, *, shown: Callable[[], int], broken: Callable[[], int]) -> None:
        """`shown` and `broken`: how many dashboard files can be shown, and how many not."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # Grafana has none
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        info = Gauge("grafana_build_info", "The Grafana whose API this is.",
                     ["version", "edition"], registry=registry)  # fmt: skip
        info.labels(VERSION, "viewer").set(1)
        self._requests = Histogram(
            "grafana_http_request_duration_seconds", "How long requests took.",
            ["handler", "method", "status_code"], buckets=_BUCKETS_S, registry=registry,
        )  # fmt: skip
        for handler in ("proxy", "dashboards"):
            self._requests.labels(handler, "GET", "200")
        self.failed_logins = Counter(
            "viewer_failed_logins", "Requests with a wrong name or password.", registry=registry
        )
        self.refused = Counter(
            "viewer_refused_requests", "Requests from another site or for another host.",
            ["why"], registry=registry,
        )  # fmt: skip
        for why in ("host", "origin"):
            self.refused.labels(why)
        files = Gauge("viewer_dashboard_files", "Dashboard files, by whether they can be shown.",
                      ["state"], registry=registry)  # fmt: skip
        files.labels("shown").set_function(shown)
        files.labels("broken").set_function(broken)

    def took(self, path: str, method: str, status: int, seconds: float) -> None:
        handler = next(of for begin, of in _HANDLERS.items() if path.startswith(begin))
        known = method if method in ("GET", "HEAD", "POST", "PATCH", "DELETE") else "other"
        self._requests.labels(handler, known, str(status)).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
