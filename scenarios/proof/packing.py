"""Which scenarios may run at the same time on one instance."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.scenario import Scenario
from scenarios.proof.watch import SOURCES

LOG_PATH = frozenset({"loki", "promtail"})
"""Services that an alert from logs needs, besides those that all evidence comes from."""


def pack(found: Sequence[ScenarioFile], on_logs: Collection[str] = ()) -> list[list[ScenarioFile]]:
    """Groups whose members touch nothing in common: greedy colouring in the given order.

    The same scenarios give the same groups. A scenario also keeps apart from one whose alert it
    may set off, and from one that needs another speed. One that stops what all evidence comes
    from has an instance for itself. `on_logs` are the alerts from logs.
    """
    groups: list[list[ScenarioFile]] = []
    for one in found:
        home = next(
            (g for g in groups if not any(_apart(one, other, on_logs) for other in g)), None
        )
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def by_length(found: Sequence[ScenarioFile], lengths: Mapping[Path, float]) -> list[ScenarioFile]:
    """In the order to pack them: the longest first, so that the others share its time.

    Those of a speed of their own the other way round: one instance plays all their groups, so that
    what counts is that the last of them, which is the longest, need not wait alone.
    """
    return sorted(
        found,
        key=lambda one: lengths[one.file] * (1 if one.scenario.speedup > 1 else -1),
    )


def in_turn(groups: Sequence[list[ScenarioFile]]) -> list[list[ScenarioFile]]:
    """Groups in the order to begin them: those of a speed of their own first, the last of each
    speed before the others. Rules that look back a day then find one behind them."""
    apart = [group for group in groups if group[0].scenario.speedup > 1]
    return [*reversed(apart), *(group for group in groups if group not in apart)]


def _apart(one: ScenarioFile, other: ScenarioFile, on_logs: Collection[str]) -> bool:
    return one.scenario.speedup != other.scenario.speedup or clash(one, other, on_logs)


def clash(one: ScenarioFile, other: ScenarioFile, on_logs: Collection[str] = ()) -> bool:
    """Whether both at once on one instance would not show what each shows alone."""
    a, b = one.scenario, other.scenario
    if a.touches & _needs(b, on_logs) or b.touches & _needs(a, on_logs):
        return True
    if any(_same(x, y) for x in a.touches for y in b.touches):
        return True
    return a.alert in b.follows or b.alert in a.follows


def _needs(scenario: Scenario, on_logs: Collection[str]) -> frozenset[str]:
    return SOURCES | LOG_PATH if scenario.alert in on_logs else SOURCES


def _same(one: str, other: str) -> bool:
    """Whether one is the other or a part of it: `backend.tables` is a part of `backend`."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
