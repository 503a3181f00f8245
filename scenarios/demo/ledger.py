"""What goes on and what was, in an instance's folder: `incidents/NAME.json` for each incident while
it lasts, `incidents/ground-truth.jsonl` for all that are over.

A keeper holds a lock on its file for as long as it lives: a file that nobody has locked was left
behind by one that was killed.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack import jsontext

if TYPE_CHECKING:  # `doit status` reads ledgers, and needs nothing of what comes with that
    from scenarios.demo.incident import Incident

TRUTH = "ground-truth.jsonl"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One incident that goes on."""

    name: str
    keeper: int
    """PID of the process to end it by."""
    began: float
    """Unix seconds, as `until`."""
    until: float
    mark: int = 0
    """Id of its annotation on the dashboards; 0 when there is none."""
    injected: bool = False
    touches: list[str] = field(default_factory=list)
    """Services and resources that it disturbs."""
    failed: str = ""
    """Why it could not be begun, or not be undone."""

    def disturbs(self, service: str) -> bool:
        """Whether the service or a part of it behaves differently because of it."""
        return any(one.partition(".")[0] == service for one in self.touches)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Of the instance in `directory`."""

    directory: Path
    truth: Path = field(init=False)
    """One JSON object for each incident that is over: what was done, when, and what had to follow.
    Nobody's guess: to train people by, or to judge what watches the metrics."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "truth", self.folder / TRUTH)

    @property
    def folder(self) -> Path:
        return self.directory / "incidents"

    def file(self, name: str) -> Path:
        """Where an incident's entry is while it goes on."""
        return self.folder / f"{name}.json"

    def entries(self) -> list[Entry]:
        """Those that go on, and those that were left behind."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            if entry := self.read(path.stem):
                found.append(entry)
        return found

    def read(self, name: str) -> Entry | None:
        """None when there is none, or only the beginning of one."""
        try:
            return jsontext.made(Entry, jsontext.read(self.file(name).read_text()))
        except (OSError, ValueError):
            return None

    def left_behind(self) -> list[Entry]:
        """Those whose keeper is gone without having undone them."""
        return [entry for entry in self.entries() if not self._kept(entry.name)]

    def _kept(self, name: str) -> bool:
        try:
            with self._lock_file(name).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def kept(self, name: str) -> Iterator[bool]:
        """Keep an incident: False within when somebody does already."""
        self.folder.mkdir(exist_ok=True)
        with self._lock_file(name).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _lock_file(self, name: str) -> Path:
        return self.folder / f".{name}.lock"

    def write(self, entry: Entry) -> None:
        """In one step, so that nobody reads half of it."""
        partial = self.folder / f".{entry.name}.part"
        partial.write_text(json.dumps(asdict(entry)))
        partial.replace(self.file(entry.name))

    def close(self, entry: Entry, incident: "Incident", ended: float) -> None:
        """It is over: the truth about it is kept, the entry is not. `ended` in Unix seconds."""
        if entry.injected:
            line = json.dumps(_truth(entry, incident, ended)) + "\n"
            with self.truth.open("ab", buffering=0) as file:
                file.write(line.encode())
                os.fsync(file.fileno())
        self.file(entry.name).unlink(missing_ok=True)


def _truth(entry: Entry, incident: "Incident", ended: float) -> Mapping[str, Any]:
    scenario = incident.scenario
    return {
        "incident": incident.name,
        "fault": incident.what,
        "start": _stamp(entry.began),
        "end": _stamp(ended),
        "alert": {"alertname": scenario.alert, **scenario.labels},
        "may_also_fire": sorted(scenario.may_also_fire),
        "inhibited": sorted(scenario.inhibited),
        "notifications": [asdict(want) for want in scenario.notifications],
    }


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
