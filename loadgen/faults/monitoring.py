"""The monitoring itself breaks: a configuration that does harm, a channel that refuses."""

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from loadgen.faults.base import FaultFailed, Target, read_control, update_control
from stack import loopback, yamltext
from stack.loopback import HOST

INBOX, ALERTMANAGER, PROMETHEUS = "inbox", "alertmanager", "prometheus"

HALF_SAVED: Mapping[str, tuple[str, str]] = {
    "prometheus": (
        "rules/half_saved.yml",
        'groups: [{name: half_saved, rules: [{alert: Any, expr: "rate("}]}]\n',
    ),
    "alertmanager": ("templates/half_saved.tmpl", '{{ define "half_saved" }}{{ .Status\n'),
}
"""Service → a configuration file that it cannot load, and the text of that file."""

TEAMS = ("database", "infrastructure", "scheduling", "compliance", "platform")
CHECK = "ChannelCheck"
"""Name of the alerts that only give Alertmanager something to send."""

RUNBOOK = (
    "https://github.com/residency-scheduler/monitoring/blob/main/stack/config/runbooks/"
    "AlertmanagerNotificationsFailing.md"
)

REFUSAL = 500

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, kw_only=True)
class ConfigurationBroken:
    """Somebody saves half a file and makes `service` reload its configuration."""

    service: str
    shows_after_s: float = 0.0
    shows_within_s: float = 0.0
    lingers_s: float = 0.0

    @property
    def touches(self) -> frozenset[str]:
        """A reload disturbs the others: after each, Prometheus 2.53 knows no Alertmanager for up to
        5 s (its discovery's `updatert`), and Alertmanager starts its groups from scratch."""
        return frozenset({self.service})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._file(instance).write_text(HALF_SAVED[self.service][1])
        status = self._reload(instance)
        if status == 200:
            raise FaultFailed(f"`{self.service}` loaded `{self._file(instance)}`, which is broken")

    def undo(self, instance: Target) -> None:
        if self._file(instance).exists():
            self._file(instance).unlink()
            self._reload(instance)

    def verify(self, instance: Target) -> str | None:
        if self._file(instance).exists():
            return f"`{self._file(instance)}` is still there"
        metrics = _asked(instance, self.service, "GET", "/metrics").text
        good = f"{self.service}_config_last_reload_successful 1" in metrics.splitlines()
        return None if good else f"the last reload of `{self.service}` failed"

    def _file(self, instance: Target) -> Path:
        return instance.layout.config(self.service) / HALF_SAVED[self.service][0]

    def _reload(self, instance: Target) -> int:
        return _asked(instance, self.service, "POST", "/-/reload").status_code

    def __str__(self) -> str:
        return f"{self.service} reloads half a file"


AMBIGUOUS = """\
groups:
  - name: ambiguous_join
    rules:
      - record: job:http_requests:share
        expr: http_requests_total{job="backend"} / on (job) http_requests_total{job="backend"}
"""
"""A rule that promtool and Prometheus accept, and that fails as soon as two series match."""


@dataclass(frozen=True, kw_only=True)
class RuleAmbiguous:
    """A rule file is added whose rule joins on a label that tells its series not apart."""

    shows_after_s: float = 0.0
    shows_within_s: float = 0.5
    """Prometheus begins to evaluate a new group within one interval."""
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({PROMETHEUS})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._file(instance).write_text(AMBIGUOUS)
        _reload(instance)

    def undo(self, instance: Target) -> None:
        if self._file(instance).exists():
            self._file(instance).unlink()
            _reload(instance)

    def verify(self, instance: Target) -> str | None:
        if self._file(instance).exists():
            return f"`{self._file(instance)}` is still there"
        rules = _asked(instance, PROMETHEUS, "GET", "/api/v1/rules").json()["data"]["groups"]
        loaded = any(group["file"] == str(self._file(instance)) for group in rules)
        return f"Prometheus still has `{self._file(instance)}`" if loaded else None

    def _file(self, instance: Target) -> Path:
        return instance.layout.config(PROMETHEUS) / "rules" / "ambiguous_join.yml"

    def __str__(self) -> str:
        return "a rule joins series that it cannot tell apart"


NOBODY = f"{HOST}:9"
"""An address at which nobody listens: the port of the `discard` service, which no system runs."""


@dataclass(frozen=True, kw_only=True)
class AlertmanagerAdded:
    """A second Alertmanager is added to Prometheus' configuration, at an address without one."""

    shows_after_s: float = 0.0
    shows_within_s: float = 6.0
    """After a reload Prometheus finds its Alertmanagers within 5 s (its discovery's `updatert`)."""
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({PROMETHEUS})

    def blocked(self, instance: Target) -> str | None:
        with socket.socket() as asked:
            host, _, port = NOBODY.partition(":")
            taken = asked.connect_ex((host, int(port))) == 0
        return f"something listens at {NOBODY}, where nobody should" if taken else None

    def inject(self, instance: Target) -> None:
        file = self._file(instance)
        document = yamltext.load(file)
        _kept(file).write_text(file.read_text())
        document["alerting"]["alertmanagers"].append({"static_configs": [{"targets": [NOBODY]}]})
        file.write_text(yamltext.write(document))
        _reload(instance)

    def undo(self, instance: Target) -> None:
        file = self._file(instance)
        if _kept(file).exists():
            _kept(file).replace(file)
            _reload(instance)

    def verify(self, instance: Target) -> str | None:
        if _kept(self._file(instance)).exists():
            return f"`{self._file(instance)}` is still changed"
        found = _asked(instance, PROMETHEUS, "GET", "/api/v1/alertmanagers").json()["data"]
        if any(NOBODY in one["url"] for one in found["activeAlertmanagers"]):
            return f"Prometheus still sends to {NOBODY}"
        # After the reload it knows none for a moment; until it does, alerts are dropped.
        return None if found["activeAlertmanagers"] else "Prometheus has not found its Alertmanager"

    def _file(self, instance: Target) -> Path:
        return instance.layout.config(PROMETHEUS) / "prometheus.yml"

    def __str__(self) -> str:
        return f"Prometheus also sends to {NOBODY}, where nobody listens"


def _kept(file: Path) -> Path:
    """Where the text of a configuration file is while it is changed."""
    return file.with_name(f"{file.name}.before")


def _reload(instance: Target) -> None:
    answer = _asked(instance, PROMETHEUS, "POST", "/-/reload")
    if answer.status_code != 200:
        raise FaultFailed(f"`{PROMETHEUS}` refuses its configuration: {answer.text.strip()}")


@dataclass(frozen=True, kw_only=True)
class SlackRefuses:
    """Slack answers 500 while every team has an alert that goes to Slack alone.

    Slack recovers by itself once all of `others` have delivered `alert`: until then nobody heard of
    it through Slack, and Alertmanager's next attempt delivers there what is still true.
    """

    alert: str
    others: frozenset[str] = frozenset({"pagerduty", "email"})
    """The channels that work, by the inbox's names."""
    shows_after_s: float = 0.0
    shows_within_s: float = 1.0
    """The first attempt comes when `group_wait` is over, half a second at speed 60."""
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({INBOX})
    _over: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._over.clear()
        newest = int(_asked(instance, INBOX, "GET", "/health").json()["newest"])
        update_control(instance.control_file(INBOX), put={"slack": {"status": REFUSAL}})
        self._post(instance, timedelta(hours=1))
        threading.Thread(target=self._wait, args=(instance, newest), daemon=True).start()

    def undo(self, instance: Target) -> None:
        self._over.set()
        self._recover(instance)
        self._post(instance, timedelta())

    def verify(self, instance: Target) -> str | None:
        left = read_control(instance.control_file(INBOX)).get("slack")
        return f"the inbox's control file still says {left} for Slack" if left else None

    def _recover(self, instance: Target) -> None:
        update_control(instance.control_file(INBOX), drop={"slack"})

    def _wait(self, instance: Target, newest: int) -> None:
        """Runs until the other channels have delivered the alert, or until `undo`."""
        while not self._over.wait(_LOOK_EVERY_S):
            try:
                found = _asked(instance, INBOX, "GET", f"/api/messages?after={newest}").json()
            except FaultFailed:
                continue  # busy; asked again
            if self.others <= {one["channel"] for one in found if self.alert in one["alerts"]}:
                self._recover(instance)
                return

    def _post(self, instance: Target, lasts: timedelta) -> None:
        """One alert for each team, each in its own group, so that attempts never pause: a sender
        that fails waits longer and longer, in real time."""
        until = (datetime.now(UTC) + lasts).isoformat()
        alerts = [
            {
                "labels": {"alertname": CHECK, "severity": "info", "team": team},
                "annotations": {
                    "summary": f"Something for the {team} team",
                    "description": "Sent to see whether Slack takes it.",
                    "runbook_url": RUNBOOK,
                },
                "endsAt": until,
            }
            for team in TEAMS
        ]
        answer = _asked(instance, ALERTMANAGER, "POST", "/api/v2/alerts", json=alerts)
        if answer.status_code != 200:
            raise FaultFailed(f"Alertmanager answers {answer.status_code}: {answer.text}")

    def __str__(self) -> str:
        return f"Slack answers {REFUSAL}"


def _asked(
    instance: Target, service: str, method: str, path: str, *, json: object = None
) -> httpx.Response:
    """The answer of a service. Raises FaultFailed when there is none."""
    url = instance.layout.url(service) + path
    try:
        return loopback.request(method, url, json=json, timeout_s=10)
    except httpx.HTTPError as error:
        raise FaultFailed(f"{method} {url}: {error}") from error
