"""Judges a report's evidence again, from what the report keeps alone, and finds what was changed.

Pure: no configuration, no rule and no scenario file is looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scenarios.proof import kept as keeping
from scenarios.proof.evidence import Event, from_line
from scenarios.proof.kept import EVIDENCE, MARK_DIGITS, NAME, Entry, Judged
from scenarios.proof.opening import Report
from scenarios.proof.verdict import Outcome, failed, judge


@dataclass(frozen=True, kw_only=True)
class Region:
    """The lines of evidence that are others than they were: all from the first to the last."""

    before: int
    """So many lines from the beginning are as they were."""
    were: int
    are: int

    def now(self, first: int, last: int) -> tuple[int, int]:
        """Where lines lie now that were written as numbers `first` to `last`."""
        shift = self.are - self.were
        return (
            first if first - 1 <= self.before else first + shift,
            last if last <= self.before else last + shift,
        )

    def __str__(self) -> str:
        first, last = self.before + 1, self.before + self.are
        lines = f"line {first}" if self.are == 1 else f"lines {first} to {last}"
        if not self.are:
            gone = "a line is" if self.were == 1 else f"{self.were} lines are"
            return f"{gone} missing after line {self.before}"
        if not self.were:
            return f"{lines} {'was' if self.are == 1 else 'were'} added"
        more = f", of what were {self.were}" if self.are != self.were else ""
        return f"{lines} {'was' if self.are == 1 else 'were'} changed{more}"


@dataclass(frozen=True, kw_only=True)
class Again:
    """What one alert comes to when it is judged again."""

    entry: Entry
    verdict: Judged | None
    """None for what cannot be judged from the report: it was not played, or is a route."""
    changed: tuple[str, ...]
    """What of it was changed after the proof: sentences."""
    events: int
    """How many it was judged by."""

    @property
    def differs(self) -> bool:
        """Whether another verdict follows from the evidence than the one recorded."""
        return self.verdict is not None and self.verdict != self.entry.verdict

    @property
    def wrong(self) -> bool:
        """Whether there is anything to say of it."""
        return self.differs or bool(self.changed)

    @property
    def words(self) -> str:
        """`recorded proven, judged again failed: …`; empty where they are the same."""
        if not self.verdict or not self.differs:
            return ""
        before, now = _said(self.entry.verdict), _said(self.verdict)
        if before == now:
            before, now = (_links(one) for one in (self.entry.verdict, self.verdict))
        return f"recorded {before}, judged again {now}"


def changed(report: Report) -> list[str]:
    """What was changed after the proof, of the report as a whole: sentences, none when nothing."""
    found = [
        f"`{name}` {'is missing' if name not in report.files else 'was changed after the proof'}"
        for name, digest in report.kept.files.items()
        if name != EVIDENCE and keeping.of_bytes(report.files.get(name, b"")) != digest
    ]
    region = region_of(report)
    if keeping.of_bytes(report.files.get(EVIDENCE, b"")) != report.kept.files.get(EVIDENCE):
        found.insert(0, f"the evidence was changed after the proof: `{EVIDENCE}`,"
                        f" {region or 'beside its lines'}")  # fmt: skip
    document = {key: value for key, value in report.document.items() if key != "sha256"}
    if keeping.digest(document) != report.kept.sha256:
        found.append(f"`{NAME}` was changed after the proof: its digest does not fit")
    if keeping.seal(report.document["results"]) != report.kept.seal:
        found.append("the digest over evidence, expectations and verdicts does not fit: some of"
                     " them were changed after the proof")  # fmt: skip
    return found


def region_of(report: Report) -> Region | None:
    """Which lines of evidence are others than they were; None when none is."""
    marks = report.kept.marks
    were = [marks[at : at + MARK_DIGITS] for at in range(0, len(marks), MARK_DIGITS)]
    are = [keeping.mark(line) for line in report.lines]
    if were == are:
        return None
    most = min(len(were), len(are))
    before = next((n for n in range(most) if were[n] != are[n]), most)
    after = next((n for n in range(most - before) if were[-1 - n] != are[-1 - n]), most - before)
    return Region(before=before, were=len(were) - before - after, are=len(are) - before - after)


def judge_again(report: Report) -> list[Again]:
    """The verdict of each alert once more, in the report's order."""
    lines = report.lines
    events = [(number, event) for number, line in enumerate(lines, 1) if (event := _event(line))]
    region = region_of(report)
    return [
        _again(entry, raw, events, lines, region)
        for entry, raw in zip(report.kept.results, report.document["results"], strict=True)
    ]


def _again(
    entry: Entry, raw: Mapping[str, Any], events: Sequence[tuple[int, Event]],
    lines: Sequence[str], region: Region | None,
) -> Again:  # fmt: skip
    found = [
        f"its {words} {'was' if words == 'verdict' else 'were'} changed after the proof"
        for part, words in (("declaration", "expectations or deadlines"), ("verdict", "verdict"))
        if keeping.digest(raw[part]) != entry.sha256.get(part)
    ]
    where = entry.events
    if not where:
        if entry.declaration and entry.verdict.outcome == Outcome.PROVEN:
            found.append("no evidence of it is kept whole, so it cannot be judged again")
        return Again(entry=entry, verdict=None, changed=tuple(found), events=0)
    if region:
        first, last = region.now(where.first, where.last)
        where = replace(where, first=first, last=last)
    own = where.of(events, entry.alert)
    if keeping.digest([lines[number - 1] for number, _ in own]) != entry.sha256.get("events"):
        found.append(f"its evidence was changed after the proof{_more(len(own) - where.count)}")
    verdict = _verdict(entry, [event for _, event in own])
    return Again(entry=entry, verdict=verdict, changed=tuple(found), events=len(own))


def _verdict(entry: Entry, events: Sequence[Event]) -> Judged | None:
    told = entry.declaration
    if not told:
        return None
    try:
        verdict = judge(
            events,
            told.scenario(entry.alert),
            told.deadlines,
            explained=told.explained,
            wanted=told.wanted,
            advice=told.advice,
        )
    except Exception as error:  # whatever somebody wrote into it
        why = f"it cannot be judged: {type(error).__name__}: {error}"
        verdict = failed(entry.alert, why)
    return keeping.judged(verdict)


def _more(events: int) -> str:
    if not events:
        return ""
    counted = "an event" if abs(events) == 1 else f"{abs(events)} events"
    return f": {counted} {'more' if events > 0 else 'fewer'} than were recorded"


def _event(line: str) -> Event | None:
    """None for what is none: that line was changed, and is found by its digest."""
    try:
        return from_line(line)
    except ValueError:
        return None


def _said(one: Judged) -> str:
    return f"{one.outcome}: {one.reason}" if one.reason else one.outcome


def _links(one: Judged) -> str:
    """With the times, where the words are the same."""
    zero = one.zero or 0.0
    times = [f"{link.name} {link.at - zero:.2f} s" for link in one.links if link.at is not None]
    return f"{one.outcome}, after the fault: {', '.join(times)}"
