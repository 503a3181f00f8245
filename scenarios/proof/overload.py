"""Whether a deadline was missed because the machine could not keep up."""

from collections.abc import Sequence

from scenarios.proof.deadlines import BUSY_MACHINE_S
from scenarios.proof.evidence import Event, Late

LOST_S = BUSY_MACHINE_S / 2
"""Time lost that explains a missed deadline: half of what each deadline allows for."""

PAUSE_S = 0.3
"""Shorter pauses are normal on a machine that does other things as well."""


def late(gap_s: float, wanted_s: float) -> bool:
    """Whether something that happens every `wanted_s` came noticeably late."""
    return gap_s > 2 * wanted_s + PAUSE_S


def overloaded(events: Sequence[Event], since: float, until: float) -> str:
    """The figures that say so, between two times in Unix seconds; empty when nothing was late.

    The measure is the time by which rule evaluations, or the watcher's own looks, came late.
    """
    found = [e for e in events if isinstance(e, Late) and since <= e.at <= until]
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
    return "; ".join(words)
