"""What an instance's Prometheus says while it is measured."""

from collections.abc import Mapping
from types import TracebackType

import httpx

from stack import loopback
from stack.run.instance import Instance


class Told:
    """Its answers; to be closed."""

    def __init__(self, instance: Instance) -> None:
        self._http = loopback.client(instance.url("prometheus"))

    def __enter__(self) -> "Told":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._http.close()

    def firing(self) -> Mapping[str, str]:
        """Alerts that fire now: name → severity. None while it does not answer, on a machine at its
        limit; those that fire on are seen the next time."""
        try:
            answer = self._http.get("/api/v1/alerts").raise_for_status().json()
        except httpx.HTTPError:
            return {}
        return {
            one["labels"]["alertname"]: one["labels"].get("severity", "")
            for one in answer["data"]["alerts"]
            if one["state"] == "firing"
        }

    def number(self, query: str) -> float | None:
        """What it is now; None when there is nothing. Raises httpx.HTTPError."""
        answer = self._http.get("/api/v1/query", params={"query": query}).raise_for_status().json()
        found = answer["data"]["result"]
        return float(found[0]["value"][1]) if found else None
