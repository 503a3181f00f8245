"""Watches one instance from outside: the rules of Prometheus and Loki, Alertmanager's alerts, the
inbox."""

import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from scenarios.proof.deadlines import POLL_S
from scenarios.proof.engines import NO_ROOM, Tail, complaint
from scenarios.proof.evidence import (
    AlertState,
    Evidence,
    Full,
    Held,
    Late,
    Lost,
    Notification,
    Said,
    Silent,
    Stepped,
    Trouble,
    Watched,
)
from scenarios.proof.links import Links
from scenarios.proof.overload import late
from scenarios.proof.poller import Failed, Poller
from scenarios.proof.scenario import always
from stack import loopback
from stack.run.instance import Instance

SILENT_S = 3.0
"""How long a source may not answer before that is trouble; a busy machine is slow, not silent."""

SOURCES = frozenset({"prometheus", "alertmanager", "inbox"})
"""Services that all evidence comes from."""

LOGS = "loki"
"""The service that knows of alerts from logs, asked only where one of those is proven."""

SLOW_S = 1.0
"""An answer that takes longer was none for so long."""

ROOM_BYTES = 1 << 20
"""With less left on its disk, an instance no longer keeps what it should."""

STEP_S = 0.5
"""A clock that is adjusted smoothly changes by far less from one look to the next."""

_WATCHED_EVERY_S = 0.5
_SERVICES_EVERY_S = 1.0

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, Labels]
"""An alert's name, and its labels without it."""


@dataclass(kw_only=True)
class _Seen:
    """One look at the rules of one source."""

    source: str
    at: float
    evaluated: dict[str, float] = field(default_factory=dict)
    """Alert → when its rule was last evaluated."""
    states: dict[Key, str] = field(default_factory=dict)


def seconds_of(stamp: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(stamp).timestamp()


class Watcher:
    """Polls the sources in a thread of its own and writes what changes into the evidence."""

    def __init__(
        self,
        instance: Instance,
        evidence: Evidence,
        disturbed: frozenset[str],
        rules: Sequence[str] = (),
        *,
        logs: bool = False,
        strayed: float = 0.0,
    ) -> None:
        """`disturbed` are the services that a fault may stop; any other must keep running.

        The evaluations of `rules`, of all when empty, are followed one by one. Of other rules it
        is only known when their alerts are active, which costs Prometheus far less. With
        `logs`, all rules on logs are followed as well. `strayed` is that of the watcher before this
        one.
        """
        self.instance = instance
        self.until = time.time()
        """Every source that no fault disturbs was read successfully up to here, Unix seconds."""
        self.strayed = strayed
        """When an alert of no rule that is followed was last active, by `time.monotonic`: nobody
        waits for the notification of its end."""
        self.fired: dict[Key, float] = {}
        """Alert → when it was last seen to fire, Unix seconds."""
        self._evidence = evidence
        self._disturbed = disturbed
        self._rules = tuple(rules)
        self._logs = logs
        asked = SOURCES | {LOGS} if logs else SOURCES
        self._pollers = {name: Poller(instance.url(name)) for name in asked}
        self._client = loopback.client()
        self._links = Links(instance.ports, disturbed)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"watch-{instance.name}", daemon=True
        )
        self._states: dict[str, dict[Key, str]] = {"prometheus": {}, LOGS: {}}
        self._held: dict[Key, str] = {}
        self._at_rest: dict[str, set[float]] = {}
        self._held_since: dict[str, float] = {}
        self._last_active = strayed
        self._evaluated: dict[str, float] = {}
        self._last_message = 0
        self._answered: dict[str, float] = {}
        self._silent_since: dict[str, float] = {}
        self._silences: dict[str, tuple[float, float]] = {}
        """Source → since when it is silent, Unix seconds; and until when that is noted."""
        self._waited_s = 0.0
        self._full = False
        self._errors: dict[str, str] = {}
        self._logs_of = {
            name: Tail(instance.layout.log(name)) for name in ("prometheus", "alertmanager", LOGS)
        }
        self._pids: dict[str, int] = {}
        self._noted = self._looked = 0.0

    def __enter__(self) -> "Watcher":
        # What came before the watch says nothing about what happens in it.
        with suppress(*Failed):
            self._last_message = int(self._pollers["inbox"].ask("/health")["newest"])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()
        for poller in self._pollers.values():
            poller.close()

    def active(self) -> list[str]:
        """Names of the alerts that are pending or firing, or that Alertmanager holds, without
        those that always are."""
        return sorted(
            {
                alert
                for alert, labels in (*chain(*self._states.values()), *self._held)
                if not always(dict(labels))
            }
        )

    def at_rest_s(self) -> float:
        """For how long no alert has been active; infinite when none was since the watch began."""
        return time.monotonic() - self._last_active if self._last_active else float("inf")

    def evaluations_at_rest(self, alert: str) -> int:
        """How many evaluations in a row left the alert's rule inactive; or firing, if it is one
        that always fires."""
        return len(self._at_rest.get(alert, ()))

    def held_s(self, alert: str) -> float:
        """For how long Alertmanager has held it, 0 when it does not."""
        since = self._held_since.get(alert)
        return time.monotonic() - since if since else 0.0

    def get(self, service: str, path: str, **query: str) -> Any:
        """The parsed answer of a service. Raises httpx.HTTPError."""
        answer = self._client.get(self.instance.url(service) + path, params=query)
        answer.raise_for_status()
        return answer.json()

    def note_scrapes(self) -> None:
        """Add what Prometheus says of targets that it cannot scrape and that no fault disturbs."""
        disturbed = {one.partition(".")[0] for one in self._disturbed}
        try:
            found = self.get("prometheus", "/api/v1/targets", state="active")["data"]
            for target in found["activeTargets"]:
                job, error = target["labels"]["job"], target["lastError"]
                if target["health"] == "down" and job not in disturbed:
                    text = f"{job}: {error}"
                    self._add(
                        Said, time.time(), source="prometheus", about="scrape", of=job, text=text
                    )
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            return  # no more is known, then

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # whatever it is: a watch that ended must not look like quiet
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            what = f"the watcher ended: {type(error).__name__}: {error} ({where})"
            self._add(Lost, time.time(), what=what)

    def _watch(self) -> None:
        before, ahead_s = time.monotonic(), _ahead_s()
        while not self._stop.is_set():
            begun, ticks = time.time(), time.monotonic()
            # Who does not answer keeps it waiting; that is not the machine.
            self._note_late("look", begun, ticks - before - self._waited_s, POLL_S)
            before, self._waited_s = ticks, 0.0
            ahead_before_s, ahead_s = ahead_s, _ahead_s()
            if abs(ahead_s - ahead_before_s) >= STEP_S:
                what = f"the machine's clock was set by {ahead_s - ahead_before_s:+.1f} s"
                self._add(Stepped, begun, what=what)
            # No `and`: each source is read whatever the others say.
            read = [
                self._read("prometheus", self._read_rules),
                self._read("alertmanager", self._read_held),
                self._read("inbox", self._read_messages),
            ]
            if self._logs:
                read.append(self._read(LOGS, self._read_log_rules))
            if active := self.active():
                self._last_active = ticks
                if not set(active) <= set(self._rules):
                    self.strayed = ticks
            if all(read):
                self._watched(begun, ticks)
            if ticks - self._looked >= _SERVICES_EVERY_S:
                self._looked = ticks
                self._look_at_services(begun)
                self._look_at_logs(begun)
                self._look_at_disk(begun)
            self._stop.wait(max(0.0, POLL_S - (time.monotonic() - ticks)))

    def _read(self, source: str, read: Callable[[float], None]) -> bool:
        now, ticks = time.time(), time.monotonic()
        try:
            read(now)
        except Failed as error:
            since = self._silent_since.setdefault(source, ticks)
            if source in self._disturbed:
                if source in self._states:
                    # When it is back, what it says is news, be it the same as before.
                    self._states[source] = dict.fromkeys(self._states[source], "")
                return True
            self._note_silent(source, ticks)
            if 0 < since < ticks - SILENT_S:
                self._silent_since[source] = -1.0  # said once
                what = f"`{source}` at {self.instance.url(source)} stopped answering: {error}"
                self._add(Trouble, now, what=what)
            return False
        if source not in self._disturbed:
            self._note_silent(source, ticks)
        self._answered[source] = time.monotonic()
        self._silent_since.pop(source, None)
        self._silences.pop(source, None)
        return True

    def _note_silent(self, source: str, asked: float) -> None:
        """Notes for how long it has not answered: since its last answer, or since it was asked
        (`time.monotonic`) when this is the answer."""
        now, failing = time.monotonic(), source in self._silent_since
        since = self._answered.get(source, asked) if failing else asked
        if now - since < SLOW_S:
            return
        self._waited_s += now - asked
        begun, noted = self._silences.get(source, (time.time() - (now - since), 0.0))
        if now - noted >= SLOW_S:
            self._silences[source] = begun, now
            self._add(Silent, time.time(), what=source, since=begun)

    def _watched(self, at: float, ticks: float) -> None:
        self.until = at
        if ticks - self._noted >= _WATCHED_EVERY_S:
            self._noted = ticks
            self._add(Watched, at, load=round(os.getloadavg()[0] / (os.cpu_count() or 1), 2))

    def _read_rules(self, now: float) -> None:
        only = {"rule_name[]": self._rules} if self._rules else {}
        prometheus = self._pollers["prometheus"]
        answer = prometheus.ask("/api/v1/rules", type="alert", **only)
        seen = _Seen(source="prometheus", at=now)
        self._follow(answer["data"]["groups"], seen)
        if only:
            others = [alert for alert in prometheus.ask("/api/v1/alerts")["data"]["alerts"]
                      if alert["labels"]["alertname"] not in seen.evaluated]  # fmt: skip
            self._note(others, now, seen)
        self._over(seen)

    def _read_log_rules(self, now: float) -> None:
        seen = _Seen(source=LOGS, at=now)
        answer = self._pollers[LOGS].ask("/prometheus/api/v1/rules")
        self._follow(answer["data"]["groups"], seen)
        self._over(seen)

    def _follow(self, groups: Sequence[Mapping[str, Any]], seen: "_Seen") -> None:
        answered = time.time()
        for group in groups:
            self._pace(group, seen.source)
            for rule in group["rules"]:
                last = seconds_of(rule["lastEvaluation"])
                # Alerts change before the time of their evaluation is written: once the next one
                # is due, they may be its. Before the first one, that time is in the year 1.
                sure = last > 0 and answered < last + float(group["interval"])
                seen.evaluated[rule["name"]] = last if sure else answered
                self._count(rule, last)
                self._note_error(rule, seen)
                self._note(rule["alerts"], seen.evaluated[rule["name"]], seen)

    def _note(self, alerts: Sequence[Mapping[str, Any]], at: float, seen: "_Seen") -> None:
        """Adds active alerts to what was seen, and what is new of them to the evidence."""
        for alert in alerts:
            key = _key(alert["labels"])
            seen.states[key] = alert["state"]
            if alert["state"] == "firing":
                self.fired[key] = seen.at
            if self._states[seen.source].get(key) != alert["state"]:
                self._add(AlertState, at, alert=key[0], labels=dict(key[1]), state=alert["state"],
                          active_at=seconds_of(alert["activeAt"]), source=seen.source)  # fmt: skip

    def _over(self, seen: "_Seen") -> None:
        """Notes which alerts are no longer active."""
        for alert, labels in self._states[seen.source].keys() - seen.states.keys():
            self._add(AlertState, seen.evaluated.get(alert, seen.at), alert=alert,
                      labels=dict(labels), state="inactive", source=seen.source)  # fmt: skip
        self._states[seen.source] = seen.states

    def _pace(self, group: Mapping[str, Any], source: str) -> None:
        """Notes an evaluation that came late."""
        name = f"{source} {group['name']}"
        at, before = seconds_of(group["lastEvaluation"]), self._evaluated.get(name, 0.0)
        self._evaluated[name] = at
        if before > 0 and at > before and source not in self._disturbed:
            wanted_s = float(group["interval"]) + POLL_S
            self._note_late("evaluation", at, at - before, wanted_s, source)

    def _note_error(self, rule: Mapping[str, Any], seen: "_Seen") -> None:
        """Notes why a rule cannot be evaluated, each time that it begins to fail."""
        name, error = rule["name"], str(rule.get("lastError") or "")
        failing = error if rule["health"] == "err" else ""
        if failing and failing != self._errors.get(name):
            self._add(Said, seen.at, source=seen.source, about="rule", of=name, text=failing)
        self._errors[name] = failing

    def _count(self, rule: Mapping[str, Any], evaluated: float) -> None:
        seen = self._at_rest.setdefault(rule["name"], set())
        rest = "firing" if always(rule["labels"]) else "inactive"
        if rule["state"] != rest or rule["health"] != "ok":
            seen.clear()
        elif evaluated > 0:
            seen.add(evaluated)

    def _read_held(self, now: float) -> None:
        found = {
            _key(alert["labels"]): str(alert["status"]["state"])
            for alert in self._pollers["alertmanager"].ask("/api/v2/alerts")
        }
        for key, state in found.items():
            if state != "unprocessed" and self._held.get(key) != state:
                self._held_since.setdefault(key[0], time.monotonic())
                self._add(Held, now, alert=key[0], labels=dict(key[1]), state=state)
        for alert, labels in self._held.keys() - found.keys():
            self._held_since.pop(alert, None)
            self._add(Held, now, alert=alert, labels=dict(labels), state="gone")
        self._held = {key: state for key, state in found.items() if state != "unprocessed"}

    def _read_messages(self, now: float) -> None:
        asked = {"after": self._last_message, "raw": 1}
        for message in self._pollers["inbox"].ask("/api/messages", **asked):
            self._last_message = max(self._last_message, message["id"])
            self._add(
                Notification, message["received_at"], id=message["id"],
                channel=message["channel"], destination=message["destination"],
                kind=message["kind"], alerts=tuple(message["alerts"]),
                subject=message["subject"], problems=tuple(message["problems"]),
                answer=message["answer"], body=message["body"], raw=message["raw"],
                dead=self._links.dead(message["channel"], message["raw"]),
            )  # fmt: skip

    def _look_at_services(self, now: float) -> None:
        states = self.instance.supervisor.states()
        for service, pid in {name: state.pid for name, state in states.items()}.items():
            before = self._pids.get(service, pid)
            self._pids[service] = pid
            if pid != before and service not in self._disturbed:
                gone = (
                    f"stopped (it was PID {before})" if not pid else f"was restarted as PID {pid}"
                )
                self._add(
                    Trouble, now, what=f"`{service}` {gone}, which the fault does not explain"
                )

    def _look_at_logs(self, now: float) -> None:
        """Notes what engines say in their logs: Alertmanager keeps its errors nowhere else."""
        for source, log in self._logs_of.items():
            for line in log.lines():
                if found := complaint(source, line):
                    self._add(Said, now, source=source, about=found.about, of=found.of,
                              text=found.text)  # fmt: skip
                if NO_ROOM in line.lower():
                    self._note_full(now, f"`{source}` says: {NO_ROOM}")

    def _look_at_disk(self, now: float) -> None:
        disk = os.statvfs(self.instance.directory)
        blocks = disk.f_bavail if os.geteuid() else disk.f_bfree
        if disk.f_blocks and blocks * disk.f_frsize < ROOM_BYTES:
            self._note_full(now, f"no room is left on the disk of `{self.instance.directory}`")

    def _note_full(self, now: float, what: str) -> None:
        if not self._full:
            self._full = True
            self._add(Full, now, what=what)

    def _note_late(
        self, what: str, at: float, gap_s: float, wanted_s: float, source: str = ""
    ) -> None:
        if late(gap_s, wanted_s):
            self._add(Late, at, what=what, gap_s=gap_s, wanted_s=wanted_s, source=source,
                      load=os.getloadavg()[0])  # fmt: skip

    def _add(self, event: Any, at: float, /, **fields: Any) -> None:
        self._evidence.add(event(at=at, instance=self.instance.name, **fields))


def _ahead_s() -> float:
    """The clock's time less that of one that nobody sets, both read in the same moment."""
    while True:
        before, now, after = time.monotonic(), time.time(), time.monotonic()
        if after - before < STEP_S / 10:
            return now - before


def _key(labels: Mapping[str, str]) -> Key:
    others = tuple(sorted((k, v) for k, v in labels.items() if k != "alertname"))
    return labels["alertname"], others
