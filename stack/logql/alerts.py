"""The states of one rule's alerts: inactive, pending, firing, resolved.

As Prometheus 2.53 does it (rules/alerting.go). Times are Unix seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stack.logql.results import Sample
from stack.logql.rules import Rule, expanded

State = Literal["inactive", "pending", "firing"]
Key = tuple[tuple[str, str], ...]

RESOLVED_KEPT_S = 900.0
"""How long Alertmanager is reminded that an alert is resolved."""
_VALID_RESENDS = 4
"""After how many missing resends Alertmanager takes an alert for resolved."""


@dataclass(kw_only=True)
class Alert:
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    active_s: float
    state: State = "pending"
    fired_s: float = 0.0
    resolved_s: float = 0.0
    kept_since_s: float = 0.0
    """Since when only `keep_firing_for` keeps it firing; 0 while its expression is true."""
    sent_s: float = 0.0
    valid_until_s: float = 0.0

    def due(self, now_s: float, resend_s: float) -> bool:
        """Whether it must be sent to Alertmanager now."""
        if self.state == "pending":
            return False
        return self.resolved_s > self.sent_s or self.sent_s + resend_s < now_s


@dataclass(kw_only=True)
class RuleState:
    """One rule and its alerts."""

    rule: Rule
    alerts: dict[Key, Alert] = field(default_factory=dict)
    error: str = ""
    evaluated_s: float = 0.0
    took_s: float = 0.0

    @property
    def state(self) -> State:
        states = {alert.state for alert in self.alerts.values()}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"

    def active(self) -> Iterator[Alert]:
        return (alert for alert in self.alerts.values() if alert.state != "inactive")

    def update(self, samples: Sequence[Sample], now_s: float) -> None:
        """Update the alerts after one evaluation."""
        found: set[Key] = set()
        for sample in samples:
            key = self._seen(sample, now_s)
            found.add(key)
        for key, alert in list(self.alerts.items()):
            if key not in found:
                self._unseen(key, alert, now_s)
            elif alert.state == "pending" and now_s - alert.active_s >= self.rule.for_s:
                alert.state, alert.fired_s = "firing", now_s

    def _seen(self, sample: Sample, now_s: float) -> Key:
        rule = self.rule
        labels = dict(sample.labels)
        labels.update((name, expanded(text, sample.labels, sample.value))
                      for name, text in rule.labels.items())  # fmt: skip
        labels = {name: text for name, text in labels.items() if text} | {"alertname": rule.name}
        annotations = {
            name: expanded(text, sample.labels, sample.value)
            for name, text in rule.annotations.items()
        }
        key = tuple(sorted(labels.items()))
        alert = self.alerts.get(key)
        if alert and alert.state != "inactive":
            alert.value, alert.annotations, alert.kept_since_s = sample.value, annotations, 0.0
        else:
            self.alerts[key] = Alert(
                labels=labels, annotations=annotations, value=sample.value, active_s=now_s
            )
        return key

    def _unseen(self, key: Key, alert: Alert, now_s: float) -> None:
        if alert.state == "firing" and self.rule.keep_firing_s:
            alert.kept_since_s = alert.kept_since_s or now_s
            if now_s - alert.kept_since_s < self.rule.keep_firing_s:
                return
        forgotten = alert.resolved_s and now_s - alert.resolved_s > RESOLVED_KEPT_S
        if alert.state == "pending" or forgotten:
            del self.alerts[key]
        elif alert.state == "firing":
            alert.state, alert.resolved_s = "inactive", now_s

    def to_send(self, now_s: float, resend_s: float, interval_s: float) -> list[Alert]:
        """The alerts that must be sent to Alertmanager now; they are marked as sent."""
        due = [alert for alert in self.alerts.values() if alert.due(now_s, resend_s)]
        for alert in due:
            alert.sent_s = now_s
            alert.valid_until_s = now_s + _VALID_RESENDS * max(resend_s, interval_s)
        return due


def restored_s(active_s: float, for_s: float, down_s: float, now_s: float, grace_s: float) -> float:
    """Since when an alert that was active before a restart counts as active (`RestoreForState`).

    `down_s` is when the store was last seen up. The alert waits for the rest of its `for`, but at
    least `grace_s`.
    """
    left_s = for_s - (down_s - active_s)
    if left_s <= 0:
        return active_s
    if left_s < grace_s:
        return now_s + grace_s - for_s
    return active_s + now_s - down_s
