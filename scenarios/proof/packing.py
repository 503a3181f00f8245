"""Which scenarios may run at the same time on one instance."""

from collections.abc import Sequence

from scenarios.proof.catalogue import Found
from scenarios.proof.watch import SOURCES


def pack(found: Sequence[Found]) -> list[list[Found]]:
    """Groups whose members touch nothing in common: greedy colouring in the given order.

    The same scenarios give the same groups. A scenario also keeps apart from one whose alert it
    may set off, and from one that needs another speed. One that stops what all evidence comes
    from has an instance for itself.
    """
    groups: list[list[Found]] = []
    for one in found:
        home = next((g for g in groups if not any(_clash(one, other) for other in g)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def _clash(one: Found, other: Found) -> bool:
    a, b = one.scenario, other.scenario
    if a.speedup != b.speedup or (a.touches | b.touches) & SOURCES:
        return True
    if any(_same(x, y) for x in a.touches for y in b.touches):
        return True
    return a.alert in b.follows or b.alert in a.follows


def _same(one: str, other: str) -> bool:
    """Whether one is the other or a part of it: `backend.tables` is a part of `backend`."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
