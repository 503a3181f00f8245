"""Evaluates the groups, each at its interval, and remembers across restarts what is pending."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from stack import jsontext
from stack.logql.alerts import Key, RuleState, restored_s
from stack.logql.results import Result, Sample, Scalar, Vector
from stack.logql.rules import Group, load
from stack.programs.logstore import TENANT
from stack.programs.logstore.answers import Cost
from stack.programs.logstore.metrics import Metrics
from stack.programs.logstore.params import InstantQuery
from stack.programs.logstore.querier import Failed
from stack.programs.logstore.ruler.notify import Notifier
from stack.programs.logstore.settings import RulerSettings

Ask = Callable[[InstantQuery], tuple[Result, Cost]]
"""Raises Failed."""

_SAVE_EVERY_S = 1.0


@dataclass(kw_only=True)
class GroupState:
    group: Group
    rules: list[RuleState]
    due: float = 0.0
    """By `time.monotonic`."""
    evaluated_s: float = 0.0
    took_s: float = 0.0
    restored: bool = False


@dataclass(kw_only=True)
class _Remembered:
    """What the state file says."""

    saved_s: float = 0.0
    active: dict[tuple[str, str, str, Key], float] = field(default_factory=dict)
    """(file, group, alert, labels) -> since when."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The state file itself."""

    saved_s: float
    active: tuple[tuple[str, str, str, tuple[tuple[str, str], ...], float], ...]


class Ruler:
    """Started with `start`. Raises BadInput for rules that cannot be used."""

    def __init__(
        self, settings: RulerSettings, state_file: Path, ask: Ask, metrics: Metrics,
        *, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._settings, self._state_file, self._ask = settings, state_file, ask
        self._metrics, self._clock = metrics, clock
        self.groups = [
            GroupState(group=group, rules=[RuleState(rule=rule) for rule in group.rules])
            for group in load(settings.rules / TENANT, settings.interval_s)
        ]
        for state in self.groups:
            metrics.evaluations.labels(state.group.name)
            metrics.evaluation_failures.labels(state.group.name)
        metrics.notifications.labels(settings.alertmanager_url)
        metrics.notification_errors.labels(settings.alertmanager_url)
        self._notifier = Notifier(settings, self._count_notifications)
        self._remembered = remembered(state_file)
        self._saved, self._was_active = 0.0, self._state_file.exists()
        self.lock = threading.Lock()
        """Held while alerts change."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ruler", daemon=True)

    def start(self) -> None:
        if self.groups:
            self._notifier.start()
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self.groups:
            self._thread.join()
            self._notifier.stop()
            self._save(self._clock())

    def _run(self) -> None:
        while not self._stop.is_set():
            state = min(self.groups, key=lambda one: one.due)
            if self._stop.wait(max(state.due - time.monotonic(), 0)):
                return
            state.due = max(state.due, time.monotonic() - state.group.interval_s)
            state.due += state.group.interval_s
            self.evaluate(state)

    def evaluate(self, state: GroupState) -> None:
        """Evaluate a group once, now."""
        now_s, began = self._clock(), time.perf_counter()
        for rule in state.rules:
            self._evaluate_rule(state, rule, now_s)
        state.restored = True
        state.evaluated_s, state.took_s = now_s, time.perf_counter() - began
        if now_s - self._saved >= _SAVE_EVERY_S:
            self._save(now_s)

    def _evaluate_rule(self, state: GroupState, rule: RuleState, now_s: float) -> None:
        began, failure = time.perf_counter(), ""
        self._metrics.evaluations.labels(state.group.name).inc()
        try:
            samples = self._samples(rule.rule.expr, now_s)
        except Failed as error:
            failure = error.message
            self._metrics.evaluation_failures.labels(state.group.name).inc()
        if failure and failure != rule.error:
            print(f"log store: alert `{rule.rule.name}`: {failure}", file=sys.stderr, flush=True)
        with self.lock:
            rule.error, rule.evaluated_s = failure, now_s
            rule.took_s = time.perf_counter() - began
            if failure:
                return
            rule.update(samples, now_s)
            if not state.restored:
                self._restore(state.group, rule, now_s)
            due = rule.to_send(now_s, self._settings.resend_s, state.group.interval_s)
        self._notifier.notify(due, rule.rule.expr)

    def _samples(self, expr: str, now_s: float) -> Sequence[Sample]:
        asked = InstantQuery(
            query=expr, time_ns=round(now_s * 1e3) * 1_000_000, limit=1, direction="backward"
        )
        found, _ = self._ask(asked)
        match found:
            case Vector():
                return found.samples
            case Scalar():
                return [Sample(labels={}, value=found.value)]
        return ()

    def _count_notifications(self, alerts: int, sent: bool) -> None:
        url = self._settings.alertmanager_url
        self._metrics.notifications.labels(url).inc(alerts)
        if not sent:
            self._metrics.notification_errors.labels(url).inc(alerts)

    # Across a restart ---------------------------------------------------------------------------

    def _restore(self, group: Group, rule: RuleState, now_s: float) -> None:
        """Give alerts that are active again the time since when they already were."""
        kept, for_s = self._remembered, rule.rule.for_s
        if now_s - kept.saved_s > self._settings.outage_s or for_s < self._settings.grace_s:
            return
        for key, alert in rule.alerts.items():
            active_s = kept.active.get((group.file, group.name, rule.rule.name, key))
            if active_s is not None:
                alert.active_s = restored_s(
                    active_s, for_s, kept.saved_s, now_s, self._settings.grace_s
                )

    def _save(self, now_s: float) -> None:
        active = [
            (state.group.file, state.group.name, rule.rule.name, key, alert.active_s)
            for state in self.groups
            for rule in state.rules
            for key, alert in rule.alerts.items()
            if alert.state != "inactive"
        ]
        if not active and not self._was_active:
            return
        self._saved, self._was_active = now_s, bool(active)
        new = self._state_file.with_suffix(".new")
        with suppress(OSError):  # on a full disk, a restart only starts `for` from scratch
            new.write_bytes(orjson.dumps({"saved_s": now_s, "active": active}))
            new.rename(self._state_file)


def remembered(path: Path) -> _Remembered:
    """What a state file says. Empty if there is no file, or it is incomplete."""
    try:
        kept = jsontext.made(_Kept, orjson.loads(path.read_bytes()))
    except (OSError, ValueError):
        return _Remembered()
    active = {(file, group, alert, key): since for file, group, alert, key, since in kept.active}
    return _Remembered(saved_s=kept.saved_s, active=active)
