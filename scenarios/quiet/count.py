"""What Prometheus and Loki have to say about a day: their counters, and the record of all alerts.

Loki keeps no record of alerts from logs; those are the watcher's to see.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scenarios.proof.evidence import Event
from scenarios.proof.watch import Watcher
from scenarios.quiet.verdict import GroupCount, Stored, Unhealthy

RULES = {"prometheus": "/api/v1/rules", "loki": "/prometheus/api/v1/rules"}
"""Service that evaluates rules → where it lists them."""


@dataclass(frozen=True, kw_only=True)
class _Counters:
    """Of one rule group, since Prometheus started."""

    evaluations: float = 0.0
    failures: float = 0.0
    interval_s: float = 1.0


class DayCounts:
    """Counts from the moment at which it is made. Raises httpx.HTTPError."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._began = time.time()
        self._before = self._groups()

    def events(self) -> Iterator[Event]:
        """Everything since then, as evidence."""
        now, name = time.time(), self._watcher.instance.name
        lasted_s = now - self._began
        for group, after in self._groups().items():
            before = self._before.get(group, _Counters())
            yield GroupCount(
                at=now,
                instance=name,
                name=group.rpartition("/")[2],
                evaluations=after.evaluations - before.evaluations,
                expected=lasted_s / after.interval_s,
                failures=after.failures - before.failures,
            )
        # Once for each evaluation at which it was pending or firing.
        for series in self._query(f"count_over_time(ALERTS[{lasted_s * 1000:.0f}ms])"):
            labels = {key: text for key, text in series["metric"].items() if key != "__name__"}
            yield Stored(
                at=now,
                instance=name,
                state=labels.pop("alertstate"),
                labels=labels,
                evaluations=int(series["value"][1]),
            )
        for source in RULES:
            for rule in (rule for group in self._rules(source) for rule in group["rules"]):
                if rule["health"] != "ok":
                    error = rule.get("lastError") or rule["health"]
                    yield Unhealthy(at=now, instance=name, rule=rule["name"], error=error)

    def _groups(self) -> dict[str, _Counters]:
        """By group, named `file;group` as Prometheus does; those of Loki after `loki/`."""
        # All at once: of one scrape, so that a group has either all of its figures or none.
        evaluations, missed, failures, interval_s = self._by_group(
            "prometheus_rule_group_iterations_total",
            "prometheus_rule_group_iterations_missed_total",
            "prometheus_rule_evaluation_failures_total",
            "prometheus_rule_group_interval_seconds",
        )
        return {
            group: _Counters(
                evaluations=count - missed.get(group, 0.0),
                failures=failures.get(group, 0.0),
                interval_s=interval_s[group],
            )
            for group, count in evaluations.items()
        } | self._log_groups()

    def _log_groups(self) -> dict[str, _Counters]:
        """Loki counts evaluations of rules, not of groups; intervals stand in its rules."""
        evaluations = self._by_log_group("loki_prometheus_rule_evaluations_total")
        failures = self._by_log_group("loki_prometheus_rule_evaluation_failures_total")
        return {
            f"loki/{group['file']};{group['name']}": _Counters(
                evaluations=evaluations.get(group["name"], 0.0) / len(group["rules"]),
                failures=failures.get(group["name"], 0.0),
                interval_s=float(group["interval"]),
            )
            for group in self._rules("loki")
        }

    def _by_log_group(self, metric: str) -> dict[str, float]:
        """By the group's own name, before which Loki puts its file's."""
        (found,) = self._by_group(metric)
        return {name.rpartition(";")[2]: value for name, value in found.items()}

    def _rules(self, source: str) -> list[Any]:
        return list(self._watcher.get(source, RULES[source])["data"]["groups"])

    def _by_group(self, *metrics: str) -> list[dict[str, float]]:
        """For each metric its values by group."""
        series = f'{{__name__=~"{"|".join(metrics)}"}}'
        found: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
        for one in self._query(f"max by (__name__, rule_group) ({series})"):
            labels = one["metric"]
            found[labels["__name__"]][labels["rule_group"]] = float(one["value"][1])
        return list(found.values())

    def _query(self, query: str) -> list[Any]:
        answer = self._watcher.get("prometheus", "/api/v1/query", query=query)
        return list(answer["data"]["result"])
