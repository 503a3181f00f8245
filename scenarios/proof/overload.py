"""Whether a deadline was missed because the machine was too busy, or somebody did not answer."""

from collections.abc import Sequence

from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.proof.evidence import Event, Late, Silent, Watched

LOST_S = BUSY_MACHINE_S / 2
"""Time lost that explains a missed deadline: half of what each deadline allows for."""

LOADED = 3.0
"""So many processes for each core are too many, even when nothing measured here came late: scrapes
end after a moment, and services stand still. A whole proof alone makes about one."""

PAUSE_S = 0.3
"""Shorter pauses are normal on a machine that does other things as well."""


def late(gap_s: float, wanted_s: float) -> bool:
    """Whether something that happens every `wanted_s` came noticeably late."""
    return gap_s > 2 * wanted_s + PAUSE_S


def overloaded(events: Sequence[Event], since: float, until: float) -> str:
    """The figures that say so, between two times in Unix seconds; empty when nothing was late.

    The measure is the time by which rule evaluations, or the watcher's own looks, came late.
    Evaluations of an engine that did not answer meanwhile are that engine's affair.
    """
    silences = _silences(events)
    found = [
        e
        for e in events
        if isinstance(e, Late)
        and since <= e.at <= until
        and not any(
            what == e.source or not e.source
            for what, begun, end in silences
            if min(e.at, end) - max(e.at - e.gap_s, begun) > (e.gap_s - e.wanted_s) / 2
        )
    ]
    words = []
    for what, plural in (("evaluation", "rule evaluations"), ("look", "the watcher's looks")):
        own = [e for e in found if e.what == what]
        lost_s = sum(e.gap_s - e.wanted_s for e in own)
        if lost_s >= LOST_S:
            worst = max(own, key=lambda e: e.gap_s)
            words.append(
                f"{plural} came late by {lost_s:.1f} s together, once {worst.gap_s:.1f} s instead"
                f" of {worst.wanted_s:.2g} s after the one before, at a load of {worst.load:.1f}"
            )
    loads = [e.load for e in events if isinstance(e, Watched) and since <= e.at <= until]
    if not words and loads and max(loads) >= LOADED:
        words.append(f"up to {max(loads):.1f} processes wanted each of its cores")
    return "; ".join(words)


def unanswered(events: Sequence[Event], since: float, until: float) -> str:
    """Who did not answer for long enough to explain a missed deadline, and for how long; empty when
    all did. Between two times in Unix seconds."""
    lost: dict[str, float] = {}
    whole: dict[str, float] = {}
    for what, begun, end in _silences(events):
        if (lost_s := min(end, until) - max(begun, since)) > 0:
            lost[what] = lost.get(what, 0.0) + lost_s
            whole[what] = whole.get(what, 0.0) + end - begun
    return ", ".join(
        f"`{what}` did not answer for {whole[what]:.1f} s"
        for what, lost_s in lost.items()
        if lost_s >= LOST_S
    )


def _silences(events: Sequence[Event]) -> list[tuple[str, float, float]]:
    """Who was silent, from when to when; each silence once, as long as it was last known to be."""
    ends = {(e.what, e.since): e.at for e in events if isinstance(e, Silent)}
    return [(what, since, end) for (what, since), end in ends.items()]
