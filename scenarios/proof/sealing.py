"""Writes what a report keeps for being judged again (`kept`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scenarios.proof import kept
from scenarios.proof.evidence import Event, from_line, to_line
from scenarios.proof.kept import (
    EVIDENCE,
    FILES,
    FORMAT,
    NAME,
    VERSION,
    Declaration,
    Events,
    digest,
    judged,
    mark,
    of_bytes,
)
from scenarios.proof.result import Proof, Result


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The lines of the evidence, for finding them."""

    numbers: Mapping[str, Sequence[int]]
    """Of each line, by its text."""
    owners: Sequence[tuple[str, str]]
    """The instance and the scenario of each line, from the first."""

    @classmethod
    def among(cls, lines: Sequence[str]) -> "_Found":
        numbers: dict[str, list[int]] = {}
        for number, line in enumerate(lines, 1):
            numbers.setdefault(line, []).append(number)
        return cls(numbers=numbers, owners=[_owner(line) for line in lines])

    def place(self, one: Result, lines: Sequence[str]) -> Events | None:
        """Where the lines of a result lie; None when some are not there, or others between them
        could not be told from them."""
        own: list[int] = []
        for line in lines:
            last = own[-1] if own else 0
            number = next((n for n in self.numbers.get(line, ()) if n > last), None)
            if number is None:
                return None
            own.append(number)
        names = {event.instance for event in one.events}
        if len(names) != 1:
            return None
        [name] = names
        theirs = ((name, ""), (name, one.alert))
        between = range(own[0], own[-1] + 1)
        if [n for n in between if self.owners[n - 1] in theirs] != own:
            return None
        return Events(instance=name, first=own[0], last=own[-1], count=len(own))


def entries(proof: Proof, lines: Sequence[str]) -> list[dict[str, Any]]:
    """Of each result, as data; `lines` are those of the evidence."""
    written: dict[int, str] = {}

    def line_of(event: Event) -> str:
        return written.get(id(event)) or written.setdefault(id(event), to_line(event))

    found = _Found.among(lines)
    return [_entry(one, [line_of(event) for event in one.events], found) for one in proof.results]


def write(proof: Proof, found: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> None:
    """Write `proof.json`, once the report's other files are there."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "started": proof.started,
        "took_s": proof.took_s,
        "speed": proof.speed,
        "interrupted": proof.interrupted,
        "results": list(found),
        "seal": kept.seal(found),
        "marks": "".join(map(mark, lines)),
        "files": {
            name: of_bytes((proof.folder / name).read_bytes())
            for name in FILES
            if (proof.folder / name).exists()
        },
    }
    document["sha256"] = digest(document)
    (proof.folder / NAME).write_text(json.dumps(document, indent=1) + "\n")


def read_lines(folder: Path) -> list[str]:
    """Those of the evidence; none where there is no such file."""
    file = folder / EVIDENCE
    return kept.lines_of(file.read_bytes()) if file.exists() else []


def _entry(one: Result, lines: Sequence[str], found: _Found) -> dict[str, Any]:
    events = found.place(one, lines)
    declaration = _declaration(one)
    parts = {
        "verdict": asdict(judged(one.verdict)),
        "declaration": asdict(declaration) if declaration else None,
        "events": asdict(events) if events else None,
    }
    parts = json.loads(json.dumps(parts))  # as they will be read: lists, no tuples
    return {
        "alert": one.alert,
        "file": one.file,
        "instance": one.hash,
        "earlier": list(one.earlier),
        **parts,
        "sha256": {
            "verdict": digest(parts["verdict"]),
            "declaration": digest(parts["declaration"]),
            "events": digest(list(lines)) if events else "",
        },
    }


def _owner(line: str) -> tuple[str, str]:
    """The instance and the scenario of an event; neither of a line that a full disk cut short."""
    try:
        event = from_line(line)
    except ValueError:
        return "", ""
    return event.instance, event.scenario


def _declaration(one: Result) -> Declaration | None:
    if not one.scenario or not one.deadlines:
        return None
    what = one.scenario
    return Declaration(
        labels=dict(what.labels),
        notifications=what.notifications,
        may_also_fire=tuple(sorted(what.may_also_fire)),
        inhibited=tuple(sorted(what.inhibited)),
        missed_after_s=what.missed_after_s,
        speedup=what.speedup,
        users=tuple(user.__name__ for user in what.traffic.users),
        fault=str(what.fault),
        deadlines=one.deadlines,
        explained=tuple(sorted(one.explained)),
        wanted=one.wanted,
        advice=one.advice,
    )
