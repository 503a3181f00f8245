"""Heartbeats: silence is news. In production, Dead Man's Snitch or healthchecks.io do this.

Alertmanager repeatedly posts an alert that always fires to `/heartbeat/NAME`, as its webhook
(prometheus.io/docs/alerting/latest/configuration, "webhook_config", version 4). When none has come
for a while, a message says so, and another one says when it is back. Before the first one nothing
is missing. The state is stored, so that a restart neither forgets nor repeats anything; time during
which the inbox itself was down does not count.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic, time

from stack.programs.inbox.message import Channel, Kind, Message, Post
from stack.programs.inbox.reading import objects_at, read_object, text_at
from stack.programs.inbox.store import MessageStore

VERSION = "4"
BODY_LIMIT_BYTES = 1_048_576
"""Far above what an alert that always fires needs."""


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What is stored about one heartbeat."""

    name: str
    alerts: tuple[str, ...]
    """Of its last beat."""
    missing: bool = False


def judge(post: Post, name: str) -> Message:
    """Return what one POST says, as a message; one that is in order need not be recorded.

    Its kind is that of the alerts: `firing` is a beat. The answer is 400 if it is not a webhook.
    """
    payload = read_object(post.body) or {}
    labels = [alert.get("labels") for alert in objects_at(payload, "alerts")]
    names = [text_at(found, "alertname") for found in labels if isinstance(found, dict)]
    problems = _problems(post, payload, names)
    status = text_at(payload, "status")
    known = status in (Kind.FIRING, Kind.RESOLVED) and not problems
    return Message(
        received_at=post.received_at,
        channel=Channel.HEARTBEAT,
        destination=name,
        kind=Kind(status) if known else Kind.OTHER,
        alerts=tuple(dict.fromkeys(filter(None, names))),
        subject=f"no heartbeat: {problems[0]}" if problems else f"heartbeat: {' '.join(names)}",
        problems=tuple(problems),
        answer=400 if problems else 200,
        raw=post.body,
    )


def _problems(post: Post, payload: dict[str, object], names: list[str]) -> list[str]:
    if not payload or post.size_bytes > BODY_LIMIT_BYTES:
        return [f"not a JSON object of at most {BODY_LIMIT_BYTES} bytes"]
    problems = []
    if (version := text_at(payload, "version")) != VERSION:
        problems.append(f"`version` is `{version}`, not `{VERSION}`")
    if (status := text_at(payload, "status")) not in (Kind.FIRING, Kind.RESOLVED):
        problems.append(f"`status` is `{status}`, not firing or resolved")
    for key in ("groupKey", "receiver"):
        if not text_at(payload, key):
            problems.append(f"`{key}` is missing")
    if not names or not all(names):
        problems.append("`alerts` is empty, or an alert has no `alertname`")
    return problems


class Heartbeats:
    """Notes beats and reports those that are missing for `timeout_s` real seconds."""

    def __init__(
        self, store: MessageStore, timeout_s: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._store = store
        self._timeout_s = timeout_s
        self._clock = clock
        self._looked = clock()
        self._known = {
            name: Heartbeat(name=name, alerts=tuple(json.loads(alerts)), missing=missing)
            for name, alerts, missing in store.heartbeats()
        }
        self._heard = dict.fromkeys(self._known, self._looked)
        """Name → when its last beat came, or could have come at the earliest, on this clock."""

    def beat(self, message: Message) -> Message | None:
        """Note a beat; return a message that it is back, if it was missing.

        Raises sqlite3.Error; then nothing has changed.
        """
        now, before = self._clock(), self._known.get(message.destination)
        known = Heartbeat(name=message.destination, alerts=message.alerts)
        back = None
        if before and before.missing:
            text = f"{' '.join(known.alerts)} - heartbeat is back"
            back = replace(message, kind=Kind.RESOLVED, subject=f"[RESOLVED] {text}",
                           body=f"The heartbeat `{known.name}` is beating again.")  # fmt: skip
        if known != before:
            self._keep(known, back)
        self._known[known.name], self._heard[known.name] = known, now
        return back

    def look(self) -> list[Message]:
        """Return a message for each heartbeat that went missing since the last look.

        Called several times within `timeout_s`. After sqlite3.Error the next look returns them.
        """
        now, slept_s = self._clock(), self._clock() - self._looked
        self._looked = now
        if slept_s > self._timeout_s / 2:
            # Stopped, or too busy to look: beats may be waiting that have not been read yet.
            self._heard = dict.fromkeys(self._heard, now)
        missing = []
        for name, known in self._known.items():
            silent_s = now - self._heard[name]
            if known.missing or silent_s <= self._timeout_s:
                continue
            message = _missing(known, silent_s)
            gone = replace(known, missing=True)
            self._keep(gone, message)
            self._known[name] = gone
            missing.append(message)
        return missing

    def _keep(self, known: Heartbeat, message: Message | None) -> None:
        self._store.keep_heartbeat(known.name, json.dumps(known.alerts), known.missing, message)


def _missing(known: Heartbeat, silent_s: float) -> Message:
    heading = f"{' '.join(known.alerts)} - heartbeat missing for {silent_s:.0f} s"
    return Message(
        received_at=time(),
        channel=Channel.HEARTBEAT,
        destination=known.name,
        kind=Kind.FIRING,
        alerts=known.alerts,
        subject=f"[FIRING:1] {heading}",
        body=f"The heartbeat `{known.name}` has stopped: Prometheus does not evaluate, "
        "Alertmanager does not send, or the link between them is down. Until it is back, no alert "
        "can be relied on.",
        answer=200,
    )
