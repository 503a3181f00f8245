"""Posts alerts to an Alertmanager's API v2 as Prometheus would.

A firing alert is posted at once and again every resend delay, each time with an end four delays
ahead; one that ended is still posted with its end, so that an Alertmanager that was away learns
of it. Prometheus: rules/alerting.go and cmd/prometheus/main.go, `sendAlerts`.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from stack import durations, loopback, speed
from stack.check.names import runbook_url
from stack.run import guard

RESEND_S = 60.0
"""Prometheus' `--rules.alert.resend-delay` when unset."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """An alert that a routing case is about."""

    labels: Mapping[str, str]
    """`alertname` included."""
    mark: str
    """Its summary, which ends the subject of each message about it; all of a group have the same,
    and no other group has."""
    at: float
    """When it began, Unix seconds."""

    @property
    def name(self) -> str:
        return self.labels["alertname"]


class Poster:
    """Keeps alerts firing until they are healed, from a thread of its own."""

    def __init__(self, url: str, *, prometheus_url: str, resend_s: float) -> None:
        self.url = url
        self._prometheus_url = prometheus_url
        self.resend_s = resend_s
        self._client = loopback.client()
        self._alerts: list[tuple[Posted, float | None]] = []
        # Held while posting, so that an end is never overtaken by an older word.
        self._lock = threading.Lock()
        self.trouble = ""
        """Why alerts no longer reach Alertmanager as they should; empty while they do."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poster", daemon=True)

    def __enter__(self) -> "Poster":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def fire(self, *alerts: Posted) -> None:
        """Post new alerts, on and on. Raises httpx.HTTPError when Alertmanager refuses them."""
        with self._lock:
            new: list[tuple[Posted, float | None]] = [(alert, None) for alert in alerts]
            self._alerts += new
            self._post(new)

    def heal(self, *healed: Posted) -> float:
        """End the alerts; Unix seconds of the end."""
        with self._lock:
            now = time.time()
            ended = [(one, now if one in healed else end) for one, end in self._alerts]
            self._alerts = ended
            self._post([(one, end) for one, end in ended if one in healed])
        return now

    def annotations(self, alert: Posted) -> dict[str, str]:
        """What its messages say, as every rule of the lab has it."""
        told = ", ".join(f"{name} {value}" for name, value in sorted(alert.labels.items()))
        return {
            "summary": alert.mark,
            "description": f"Posted to prove the routing: {told}.",
            "runbook_url": runbook_url(alert.name),
        }

    def _run(self) -> None:
        while not self._stop.wait(self.resend_s):
            with self._lock:
                try:
                    self._post(self._alerts)
                except httpx.TransportError:
                    continue  # Alertmanager is away; Prometheus would try again, too
                except httpx.HTTPStatusError as error:
                    if error.response.status_code in guard.AWAY:
                        continue
                    words = " ".join(error.response.text.split())
                    code = error.response.status_code
                    self.trouble = f"Alertmanager refused the alerts with {code}: {words}"
                except Exception as error:  # a thread of its own: nobody else would see it
                    what = f"{type(error).__name__}: {error}"
                    self.trouble = f"the alerts are no longer posted: {what}"

    def _post(self, alerts: list[tuple[Posted, float | None]]) -> None:
        ahead = time.time() + 4 * self.resend_s
        body = [self._body(one, ahead if end is None else end) for one, end in alerts]
        if body:
            self._client.post(f"{self.url}/api/v2/alerts", json=body).raise_for_status()

    def _body(self, alert: Posted, end: float) -> dict[str, object]:
        return {
            "labels": dict(alert.labels),
            "annotations": self.annotations(alert),
            "startsAt": _stamp(alert.at),
            "endsAt": _stamp(end),
            "generatorURL": f"{self._prometheus_url}/classic/alerts",
        }


def resend_s(factor: float) -> float:
    """How often a Prometheus of that speed posts, in seconds."""
    for flag in speed.prometheus_flags(factor):
        name, _, value = flag.partition("=")
        if name == "--rules.alert.resend-delay":
            return durations.seconds(value)
    return RESEND_S


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
