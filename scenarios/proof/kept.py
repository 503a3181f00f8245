"""What a report keeps as data, so that its verdicts can be judged again without the configuration
that made it: `proof.json`, beside the evidence.

Of each alert the expectations (declaration, deadlines, messages), where its evidence lies, and the
verdict, each with a digest; of the report's files their digests; and a digest over all of it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from loadgen.faults.base import Fault
from scenarios.proof.deadlines import Deadlines
from scenarios.proof.evidence import Event
from scenarios.proof.messages import Expected
from scenarios.proof.scenario import Scenario, Traffic, Want
from scenarios.proof.verdict import Verdict

NAME = "proof.json"
EVIDENCE = "evidence.jsonl"
FILES = (EVIDENCE, "junit.xml", "report.html")
"""What else a report has to show; beside them lie logs."""

FORMAT = "residency-lab/proof"
VERSION = 2
"""Raised with whatever an older `doit verify-report` would judge otherwise."""

MARK_DIGITS = 8
"""Of the digest of each line of evidence: enough to say which one is another."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """All that a verdict depends on beside the evidence."""

    labels: Mapping[str, str]
    notifications: tuple[Want, ...]
    may_also_fire: tuple[str, ...]
    inhibited: tuple[str, ...]
    missed_after_s: float
    speedup: float
    users: tuple[str, ...]
    """Whose traffic it was, by name."""
    fault: str
    """In words."""
    deadlines: Deadlines
    explained: tuple[str, ...]
    """Other alerts that were no surprise."""
    wanted: Expected | None
    """What its messages had to say."""
    advice: str

    def scenario(self, alert: str) -> Scenario:
        """What is judged by; it cannot be played, since traffic and fault are only named."""
        return Scenario(
            alert=alert,
            labels=self.labels,
            traffic=Traffic(users=(), shape=object),
            fault=cast(Fault, None),
            notifications=self.notifications,
            may_also_fire=frozenset(self.may_also_fire),
            inhibited=frozenset(self.inhibited),
            missed_after_s=self.missed_after_s,
            speedup=self.speedup,
        )


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A link of the chain, as far as the verdict came."""

    name: str
    state: str
    at: float | None
    """Unix seconds at which it was there."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict, for keeping and comparing."""

    outcome: str
    reason: str
    excuse: str
    zero: float | None
    """Unix seconds at which the fault began."""
    links: tuple[Reached, ...]


@dataclass(frozen=True, kw_only=True)
class Events:
    """Where the evidence of one alert lies: those lines of that instance which belong to its
    scenario, or to none."""

    instance: str
    first: int
    """Number of its first line, from 1."""
    last: int
    count: int

    def of(self, lines: Iterable[tuple[int, Event]], alert: str) -> list[tuple[int, Event]]:
        """Chosen from numbered events."""
        return [
            (number, event)
            for number, event in lines
            if self.first <= number <= self.last
            and event.instance == self.instance
            and event.scenario in ("", alert)
        ]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One alert, or one route."""

    alert: str
    file: str
    """Of its scenario."""
    instance: str
    """Hash of what it was played on."""
    verdict: Judged
    declaration: Declaration | None
    """None for what was not played, and for a route, which is judged by claims of its own."""
    events: Events | None
    """None where the evidence is not whole, as on a full disk."""
    earlier: tuple[str, ...]
    """Why each earlier try was inconclusive."""
    sha256: Mapping[str, str]
    """Digests of `events`, `declaration` and `verdict`."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """All of `proof.json`."""

    format: str
    version: int
    started: float
    """Unix seconds."""
    took_s: float
    speed: float
    interrupted: bool
    results: tuple[Entry, ...]
    seal: str
    """Digest over all results; the page shows it."""
    marks: str
    """The first digits of the digest of each line of evidence, one after the other."""
    files: Mapping[str, str]
    """Name → sha256 of each other file of the report."""
    sha256: str
    """Of everything else here."""


def digest(document: object) -> str:
    """Sha256 of a document, however it is spaced and whatever the order of its keys."""
    return of_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def of_bytes(content: bytes) -> str:
    """Sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def mark(line: str) -> str:
    """Of one line of evidence."""
    return of_bytes(line.encode())[:MARK_DIGITS]


def judged(verdict: Verdict) -> Judged:
    """What is kept of a verdict."""
    links = tuple(Reached(name=one.name, state=str(one.state), at=one.at) for one in verdict.links)
    return Judged(outcome=str(verdict.outcome), reason=verdict.reason, excuse=verdict.excuse,
                  zero=verdict.zero, links=links)  # fmt: skip


def lines_of(content: bytes) -> list[str]:
    """The lines of a file of evidence, without what a kill or a full disk cut short."""
    *lines, _ = content.decode(errors="replace").split("\n")
    return lines


def seal(found: Sequence[Mapping[str, Any]]) -> str:
    """The digest over all results."""
    return digest([dict(one) for one in found])
