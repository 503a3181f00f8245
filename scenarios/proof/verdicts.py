"""Verdicts that are kept: one small file for each alert and each set of inputs of its proof.

Nothing but *proven* is kept, and what cannot be read as it was written is as if it were not there:
the alert is proven again.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from scenarios.proof import sealed
from scenarios.proof.verdict import Outcome
from stack import jsontext
from stack.paths import cache_dir, short

VERSION = 1
"""Of what a record says and of how inputs are found. A record of another one counts for nothing."""

KEPT = 20
"""Records of each alert, the newest ones."""

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Record:
    """That an alert, or a routing case, was proven with these inputs."""

    alert: str
    key: str
    """Of alert and inputs, 64 hex digits."""
    inputs: dict[str, str]
    """Name, in plain words → SHA-256."""
    proven: str
    """When: ISO 8601, UTC."""
    commit: str
    """Of the checkout, `+` after it when something was not committed; empty without git."""
    report: str
    """Folder of the report; it may be gone by now."""
    took_s: float
    """From the first to the last that was seen."""
    version: int = VERSION
    outcome: str = Outcome.PROVEN

    @property
    def when(self) -> str:
        """`2026-03-01 14:05 UTC`."""
        return f"{datetime.fromisoformat(self.proven):%Y-%m-%d %H:%M} UTC"

    @property
    def told(self) -> str:
        """When, from which commit, and where the report is."""
        commit = f"commit {self.commit}" if self.commit else ""
        report = str(short(Path(self.report)))
        report += "" if Path(self.report).is_dir() else " (no longer kept)"
        return ", ".join(filter(None, (f"proven before: {self.when}", commit, report)))


def key_of(alert: str, inputs: Mapping[str, str]) -> str:
    """64 hex digits that name this alert with exactly these inputs."""
    said = json.dumps([VERSION, alert, sorted(inputs.items())])
    return hashlib.sha256(said.encode()).hexdigest()


class Verdicts:
    """The folder of all records, in the cache unless another one is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_dir() / "verdicts"

    def proven(self, alert: str, inputs: Mapping[str, str]) -> Record | None:
        """The record of an alert with exactly these inputs; None when there is none to rely on."""
        found = self._read(self._file(alert, key_of(alert, inputs)), alert)
        return found if found and found.inputs == dict(inputs) else None

    def of(self, alert: str) -> Sequence[Record]:
        """All records of an alert that can be read, the newest first."""
        found = [self._read(file, alert) for file in self._folder(alert).glob("*.json")]
        return sorted(filter(None, found), key=lambda one: one.proven, reverse=True)

    def keep(self, record: Record) -> None:
        """Write it, and remove the oldest of too many. Raises OSError."""
        sealed.write(self._file(record.alert, record.key), asdict(record))
        with suppress(OSError):
            files = sorted(self._folder(record.alert).glob("*.json"), key=_age, reverse=True)
            for file in files[KEPT:]:
                file.unlink()

    def _read(self, file: Path, alert: str) -> Record | None:
        try:
            found = jsontext.made(Record, sealed.read(file))
            datetime.fromisoformat(found.proven)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        whole = (
            found.version == VERSION
            and found.outcome == Outcome.PROVEN
            and found.alert == alert
            and found.key == file.stem == key_of(alert, found.inputs)
            and all(_HEX.fullmatch(one) for one in found.inputs.values())
        )
        return found if whole else None

    def _folder(self, alert: str) -> Path:
        return self.folder / quote(alert, safe="")

    def _file(self, alert: str, key: str) -> Path:
        return self._folder(alert) / f"{key}.json"


def _age(file: Path) -> float:
    return file.stat().st_mtime
