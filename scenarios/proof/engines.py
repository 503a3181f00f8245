"""What the engines say when something fails, in their own words: from their logs.

Formats read are those of Alertmanager 0.28 (slog), Prometheus 2.53 and Loki 3 (go-kit): logfmt.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NO_ROOM = "no space left on device"
"""What every program says of a full disk."""

_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPED = re.compile(r"\\(.)")
_INTEGRATION = re.compile(r"(\w+)\[\d+\]")

MOST_BYTES = 1 << 20
"""Of a log that is read in one look; what is older is left out."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One thing that failed."""

    about: str
    """`send` or `notify`, as in `evidence.Said`."""
    of: str
    text: str


def fields(line: str) -> Mapping[str, str]:
    """The fields of a line of logfmt."""
    return {
        key: _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        for key, value in _FIELD.findall(line)
    }


def complaint(source: str, line: str) -> Complaint | None:
    """What a line of the engine's log says went wrong on the way to a reader; None for others."""
    if "err=" not in line:
        return None
    said = fields(line)
    if said.get("level", "").lower() not in ("error", "warn") or not said.get("err"):
        return None
    text = " ".join(said["err"].split())
    if source == "alertmanager" and "otif" in said.get("msg", ""):
        found = _INTEGRATION.search(said.get("integration", "")) or _INTEGRATION.search(text)
        return Complaint(about="notify", of=found[1] if found else "", text=text)
    if source == "prometheus" and said.get("component") == "notifier":
        return Complaint(about="send", of="", text=text)
    return None


class Tail:
    """The lines that a log got since the last look, or since this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._size()

    def lines(self) -> Iterator[str]:
        """Whole lines; the rest of one that is being written comes next time."""
        size = self._size()
        if size < self._seen:  # a new file: the old one was put aside
            self._seen = 0
        if size == self._seen:
            return
        try:
            with self._path.open("rb") as log:
                log.seek(max(self._seen, size - MOST_BYTES))
                content = log.read()
        except OSError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._seen = max(self._seen, size - MOST_BYTES) + len(whole)
        yield from whole.decode(errors="replace").splitlines()

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
