"""The timestamped record of everything that a scenario saw, kept on disk as it happens."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from scenarios.proof.scenario import Want
from stack import jsontext


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something seen or done."""

    at: float
    """Unix seconds, by the clock of whoever stamped it; all run on one machine."""
    instance: str = ""
    scenario: str = ""
    """Alert whose scenario did it; empty for what belongs to the instance as a whole."""


@dataclass(frozen=True, kw_only=True)
class AlertState(Event):
    """One alert was moved to another state, at an evaluation of its rule."""

    alert: str
    labels: Mapping[str, str]
    """Without `alertname`."""
    state: str
    """`pending`, `firing` or `inactive`."""
    active_at: float = 0.0
    """When the expression became true; 0 when inactive."""
    source: str = "prometheus"
    """Service that evaluates the rule: `prometheus`, or `loki` for one on logs."""


@dataclass(frozen=True, kw_only=True)
class Held(Event):
    """Alertmanager took an alert up, suppressed it, or let go of it."""

    alert: str
    labels: Mapping[str, str]
    state: str
    """`active`, `suppressed` or `gone`."""


@dataclass(frozen=True, kw_only=True)
class Earlier(Event):
    """An alert that another scenario set off on this instance, in the same notification group.

    Prometheus goes on sending it as resolved for 15 minutes, so that its group lives on: whatever
    joins it is told at the next flush, together with what has ended.
    """

    alert: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Notification(Event):
    """A message reached the inbox."""

    id: int
    channel: str
    destination: str
    kind: str
    """`firing`, `resolved` or `other`."""
    alerts: tuple[str, ...]
    subject: str
    problems: tuple[str, ...] = ()
    """What its channel's rules find wrong with it."""
    answer: int = 200
    """The HTTP or SMTP code that the sender got."""
    dead: tuple[str, ...] = ()
    """Its links to the instance that lead nowhere, and what answered there."""
    body: str = ""
    raw: str = ""
    """What came over the wire."""

    @property
    def address(self) -> Want:
        return Want(channel=self.channel, destination=self.destination)

    @property
    def turned_away(self) -> bool:
        """Refused although nothing is wrong with it: the inbox was set to answer so."""
        return self.answer >= 400 and not self.problems


@dataclass(frozen=True, kw_only=True)
class Gate(Event):
    """The steady-state gate was passed, or not: then nothing was injected."""

    passed: bool
    reason: str
    evaluations: int = 0
    """How often the rule was seen evaluated and inactive."""
    requests_per_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FaultStep(Event):
    """A step of the fault: `injecting`, `injected`, `undoing`, `undone`, `blocked`, `failed`."""

    step: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class TrafficSeen(Event):
    """Locust's own figures since the traffic began; times in milliseconds."""

    users: int
    requests: int
    failures: int
    median_ms: float = 0.0
    p95_ms: float = 0.0
    errors: tuple[str, ...] = ()
    """The most frequent errors, with their counts."""


@dataclass(frozen=True, kw_only=True)
class Graph(Event):
    """What a rule's expression came to, read from Prometheus or Loki at the end of the scenario."""

    query: str
    """The side of the comparison that is measured."""
    threshold: float | None
    """The other side, when that is a number."""
    lines: tuple[Sequence[Sequence[float]], ...]
    """For each series its points: Unix seconds and value."""
    names: tuple[str, ...]
    """Their labels, in the same order."""
    comparison: str = ""
    """What the measured side must be for the alert: `>`, `<=` …; empty without a threshold."""


@dataclass(frozen=True, kw_only=True)
class Half(Event):
    """What one condition of a rule that has several came to, read as a `Graph` is."""

    measured: str
    comparison: str
    against: float | str
    joined: str
    """All four as in `stack.check.conditions.Condition`."""
    points: tuple[Sequence[float | None], ...]
    """Unix seconds, value and limit; None for what had no value."""


@dataclass(frozen=True, kw_only=True)
class Trouble(Event):
    """Something that should not have happened: an observer lost its source, a service died."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Lost(Trouble):
    """An observer ended: nothing is known of what came after it."""


@dataclass(frozen=True, kw_only=True)
class Full(Event):
    """The disk of the instance, or of the evidence, has no room left: nothing more is proven."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Silent(Event):
    """A source that no fault disturbs has not answered from `since` to `at`."""

    what: str
    """The service."""
    since: float
    """Unix seconds."""


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """An engine's own words about what went wrong."""

    source: str
    """The service: `prometheus`, `loki` or `alertmanager`."""
    about: str
    """`rule`, `scrape`, `send` (to Alertmanager) or `notify`."""
    of: str
    """The alert, the job or the integration; empty for all of them."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The scenario was ended before its time."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Watched(Event):
    """Every source that the fault leaves alone was read successfully up to `at`."""

    load: float = 0.0
    """Processes that wanted to run, over the last minute, for each core."""


@dataclass(frozen=True, kw_only=True)
class Late(Event):
    """Something that happens at a steady pace came late: the machine was busy."""

    what: str
    """`evaluation` of the rules by an engine, or `look` of the watcher."""
    gap_s: float
    """Since the one before."""
    wanted_s: float
    load: float = 0.0
    """Processes that wanted to run, over the last minute."""
    source: str = ""
    """The service that evaluates."""


@dataclass(frozen=True, kw_only=True)
class Stepped(Trouble):
    """The machine's clock was set: times before and after cannot be compared."""


KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        AlertState,
        Held,
        Earlier,
        Notification,
        Gate,
        FaultStep,
        TrafficSeen,
        Trouble,
        Stopped,
        Watched,
        Late,
        Stepped,
        Graph,
        Half,
        Lost,
        Full,
        Silent,
        Said,
    )
}


def to_line(event: Event) -> str:
    """One JSON object, kind first."""
    return json.dumps({"kind_of_event": type(event).__name__, **asdict(event)})


def from_line(line: str) -> Event:
    """Inverse of `to_line`. Raises ValueError for anything else."""
    said = jsontext.read(line)
    name = said.pop("kind_of_event", None) if isinstance(said, dict) else None
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError("it is no event")
    return jsontext.made(KINDS[name], said)


@dataclass
class Evidence:
    """The events of one group of scenarios on one instance, written to `file` as they come.

    Several groups share one file; whatever ends the process, the lines so far are on disk.
    """

    instance: str
    file: IO[str]
    lock: threading.Lock
    """Guards `file`, so it is shared by all who write to it."""
    _events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Whoever adds cannot help it that a disk is full: that is evidence, too, and the next one
        who reads it stops."""
        with self.lock:
            self._events.append(event)
            try:
                self.file.write(to_line(event) + "\n")
                self.file.flush()
            except OSError as error:
                what = f"the evidence cannot be written: {error.strerror}"
                self._events.append(Full(at=event.at, instance=self.instance, what=what))

    def of(self, scenario: str) -> tuple[Event, ...]:
        """What belongs to one scenario or to the instance as a whole, in order of arrival."""
        with self.lock:
            return tuple(event for event in self._events if event.scenario in ("", scenario))


def read(path: Path) -> Iterable[Event]:
    """The events of a file; a last line cut short by a kill is left out."""
    for line in path.read_text(errors="replace").splitlines():
        try:
            yield from_line(line)
        except ValueError:
            return
