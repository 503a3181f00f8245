"""Notifies Alertmanager (API v2) in the background, so that no evaluation waits for it."""

import queue
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import quote_plus

import orjson

from stack.logql.alerts import Alert
from stack.loopback import urlopen
from stack.programs.logstore.settings import RulerSettings

_TIMEOUT_S = 10.0
_WAITING = 1000
"""Messages that may wait. One that cannot be sent is dropped: the next resend says the same."""


class Notifier:
    """Sends what `notify` is given, in order; calls `counted` (alerts, whether they were sent)."""

    def __init__(self, settings: RulerSettings, counted: Callable[[int, bool], None]) -> None:
        self._url, self._settings, self._counted = settings.alertmanager_url, settings, counted
        self._waiting: queue.Queue[list[dict[str, Any]] | None] = queue.Queue(_WAITING)
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return once what waits was sent, or Alertmanager did not answer in time."""
        self._waiting.put(None)
        self._thread.join(_TIMEOUT_S)

    def notify(self, alerts: Sequence[Alert], expr: str) -> None:
        if not (alerts and self._url):
            return
        try:
            self._waiting.put_nowait([self._message(alert, expr) for alert in alerts])
        except queue.Full:
            self._counted(len(alerts), False)

    def _message(self, alert: Alert, expr: str) -> dict[str, Any]:
        return {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": time_text(alert.fired_s),
            "endsAt": time_text(alert.resolved_s or alert.valid_until_s),
            "generatorURL": _explored(self._settings, expr),
        }

    def _run(self) -> None:
        while (alerts := self._waiting.get()) is not None:
            failure = self._send(alerts)
            self._counted(len(alerts), not failure)
            if failure and failure != self._said:
                print(f"log store: {failure}", file=sys.stderr, flush=True)
            self._said = failure

    def _send(self, alerts: list[dict[str, Any]]) -> str:
        """Why it could not be sent; empty if it was."""
        request = urllib.request.Request(
            f"{self._url}/api/v2/alerts", orjson.dumps(alerts),
            {"Content-Type": "application/json"}, method="POST",
        )  # fmt: skip
        try:
            with urlopen(request, timeout_s=_TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            return f"Alertmanager `{self._url}` answers {error.code}"
        except (OSError, HTTPException) as error:
            return f"Alertmanager `{self._url}`: {getattr(error, 'reason', error)}"


def time_text(at_s: float) -> str:
    """RFC 3339 with milliseconds."""
    return (
        datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _explored(settings: RulerSettings, expr: str) -> str:
    """Where Grafana shows the query (Loki 3.7, pkg/ruler/base/ruler.go)."""
    query: dict[str, Any] = {"expr": expr, "queryType": "range"}
    if settings.datasource_uid:
        query["datasource"] = {"type": "loki", "uid": settings.datasource_uid}
    left = orjson.dumps({"queries": [query]}).decode()
    return f"{settings.external_url}/explore?left={quote_plus(left)}"
