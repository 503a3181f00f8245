"""What each condition of a rule came to while its scenario was played, where it has several."""

from collections.abc import Callable, Sequence

from scenarios.proof.evidence import Half
from scenarios.proof.reach import Reading, Sample, nearest, now
from stack.check.conditions import Condition

Series = Sequence[tuple[dict[str, str], Sequence[Sequence[float]]]]
"""What a range query was answered: labels, and points of Unix seconds and value."""


def measured(
    condition: Condition, ask: Callable[[str], Series], times: Sequence[float]
) -> list[list[float | None]]:
    """Unix seconds, value and limit of a condition at each of these times, as equidistant as those
    at which `ask` answers: of several series that which came nearest. Raises what `ask` raises."""
    step_s = times[1] - times[0] if len(times) > 1 else 1.0
    queries = [condition.measured]
    if isinstance(condition.against, str) and condition.against:
        queries.append(condition.against)
    answers = {query: _by_turn(ask(query), times[0], step_s) for query in queries}
    found: list[list[float | None]] = []
    for turn, at in enumerate(times):
        at_once = {query: each.get(turn, []) for query, each in answers.items()}
        [reading] = now([condition], at_once.__getitem__)
        found.append([at, reading.value, reading.limit])
    return found


def _by_turn(series: Series, start_s: float, step_s: float) -> dict[int, list[Sample]]:
    found: dict[int, list[Sample]] = {}
    for labels, points in series:
        for at, value in points:
            found.setdefault(round((at - start_s) / step_s), []).append((labels, value))
    return found


def unmet(halves: Sequence[Half], since: float, until: float) -> list[Reading]:
    """Of the conditions that must be true with others, those that never were between two times in
    Unix seconds: how near each came."""
    return [
        best
        for half in halves
        if half.joined == "and" and not (best := _best(half, since, until)).met
    ]


def _best(half: Half, since: float, until: float) -> Reading:
    condition = Condition(
        measured=half.measured, comparison=half.comparison, against=half.against, joined=half.joined
    )
    readings = [
        Reading(condition=condition, value=value, limit=limit)
        for at, value, limit in half.points
        if at is not None and since <= at <= until
    ]
    return nearest(readings, empty=Reading(condition=condition, limit=condition.threshold))
