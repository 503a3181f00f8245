"""Counts and durations of requests, by route.

They are nine tenths of what Prometheus reads here. At speed 60 it does so four times a second, and
`prometheus_client`, which builds every line again each time, took most of the scheduler's CPU.

Not thread-safe: everything is called on the event loop.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

# The rules look at 2 s (P95) and 5 s (P99): a quantile is interpolated inside one bucket.
REQUEST_BUCKETS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0),
    *(1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0),
)
_EDGES = (*map(str, REQUEST_BUCKETS_S), "+Inf")


class _Route:
    """One method and path, which need no escaping. The texts are lines up to the value."""

    def __init__(self, method: str, path: str) -> None:
        self._labels = f'method="{method}",path="{path}"'
        self.statuses: dict[int, int] = {}
        self._counted: dict[int, str] = {}
        self.buckets = [0] * len(_EDGES)
        self.seconds = 0.0
        name = "http_request_duration_seconds"
        self._below = [f'{name}_bucket{{le="{edge}",{self._labels}}} ' for edge in _EDGES]
        self._count, self._sum = (f"{name}_{what}{{{self._labels}}} " for what in ("count", "sum"))

    def expect(self, status: int) -> None:
        self.statuses.setdefault(status, 0)
        self._counted[status] = f'http_requests_total{{{self._labels},status="{status}"}} '

    def counts(self) -> Iterable[str]:
        for status, number in self.statuses.items():
            yield f"{self._counted[status]}{number}\n"

    def times(self) -> Iterable[str]:
        total = 0
        for line, total in zip(self._below, accumulate(self.buckets), strict=True):
            yield f"{line}{total}\n"
        yield f"{self._count}{total}\n{self._sum}{self.seconds!r}\n"


class Requests:
    """`http_requests_total` and the histogram `http_request_duration_seconds`."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], _Route] = {}

    def expect(self, method: str, path: str, statuses: Iterable[int]) -> None:
        """Show a route at 0, with all statuses that it can answer with."""
        route = self._route(method, path)
        for status in statuses:
            route.expect(status)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request."""
        route = self._route(method, path)
        if status not in route.statuses:
            route.expect(status)
        route.statuses[status] += 1
        route.buckets[bisect_left(REQUEST_BUCKETS_S, seconds)] += 1
        route.seconds += seconds

    def text(self) -> str:
        """Both in Prometheus' text format."""
        routes = self._routes.values()
        return "".join(
            [
                "# HELP http_requests_total Requests\n# TYPE http_requests_total counter\n",
                *(line for route in routes for line in route.counts()),
                "# HELP http_request_duration_seconds Time to answer\n"
                "# TYPE http_request_duration_seconds histogram\n",
                *(line for route in routes for line in route.times()),
            ]
        )

    def _route(self, method: str, path: str) -> _Route:
        return self._routes.get((method, path)) or self._routes.setdefault(
            (method, path), _Route(method, path)
        )
