"""The ACGME duty-hour rules, computed from assignments. Pure.

Source: ACGME Common Program Requirements, section VI.F (80 hours a week and one day in seven free,
both averaged over four weeks; 24 hours of continuous duty plus 4 for transitions) and VI.A.2
(supervision), with the ratios by PGY level that the scheduler uses.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

from stack.programs.scheduler.model import Duty, Half, Person, faculty_needed, interval

Rule = Literal["eighty_hour_week", "one_day_in_seven", "continuous_duty", "supervision_ratio"]
RULES: tuple[Rule, ...] = get_args(Rule)

WINDOW_DAYS = 28
WEEKLY_HOURS = 80
CONTINUOUS_HOURS = 28


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One broken rule: who (None for a whole block), when (day ordinals), and by how much."""

    rule: Rule
    person_id: int | None
    first_day: int
    last_day: int
    found: float
    allowed: float
    message: str


def validate(
    duties: Iterable[Duty], people: Iterable[Person], first: int, last: int
) -> list[Violation]:
    """All violations in the days first…last (inclusive), ordered by rule, day and person.

    Windows that extend beyond the range are not checked; a range shorter than four weeks is one
    window, with proportional limits. Averages give one violation per person, for the worst window.
    """
    levels = {person.id: person.pgy_level for person in people}
    inside = [duty for duty in duties if first <= duty.day <= last]
    by_resident: dict[int, list[Duty]] = defaultdict(list)
    for duty in inside:
        if levels[duty.person_id] is not None:
            by_resident[duty.person_id].append(duty)
    found: list[Violation] = []
    for person_id, own in by_resident.items():
        found += _eighty_hours(person_id, own, first, last)
        found += _one_day_in_seven(person_id, own, first, last)
        found += _continuous_duty(person_id, own)
    found += _supervision(inside, levels)
    return sorted(found, key=lambda v: (RULES.index(v.rule), v.first_day, v.person_id or 0))


def _worst_window(per_day: Sequence[int]) -> tuple[int, int, int]:
    """(sum, offset, length) of the first window of up to four weeks with the largest sum."""
    length = min(WINDOW_DAYS, len(per_day))
    total = [0, *accumulate(per_day)]
    sums = [total[at + length] - total[at] for at in range(len(per_day) - length + 1)]
    largest = max(sums)
    return largest, sums.index(largest), length


def _eighty_hours(person_id: int, duties: list[Duty], first: int, last: int) -> list[Violation]:
    hours = [0] * (last - first + 1)
    for duty in duties:
        start, end = interval(duty)
        hours[duty.day - first] += end - start
    total, offset, length = _worst_window(hours)
    if total * 7 <= WEEKLY_HOURS * length:
        return []
    weekly = total * 7 / length
    return [
        Violation(
            rule="eighty_hour_week",
            person_id=person_id,
            first_day=first + offset,
            last_day=first + offset + length - 1,
            found=weekly,
            allowed=WEEKLY_HOURS,
            message=f"{weekly:.1f} h a week over {length} days, at most {WEEKLY_HOURS}",
        )
    ]


def _one_day_in_seven(person_id: int, duties: list[Duty], first: int, last: int) -> list[Violation]:
    touched = [0] * (last - first + 1)
    for duty in duties:
        start, end = interval(duty)
        for day in range(start // 24, (end - 1) // 24 + 1):
            if day <= last:
                touched[day - first] = 1
    worked, offset, length = _worst_window(touched)
    free, wanted = length - worked, length // 7
    if free >= wanted:
        return []
    return [
        Violation(
            rule="one_day_in_seven",
            person_id=person_id,
            first_day=first + offset,
            last_day=first + offset + length - 1,
            found=free,
            allowed=wanted,
            message=f"{free} free days in {length}, at least {wanted}",
        )
    ]


def _continuous_duty(person_id: int, duties: list[Duty]) -> list[Violation]:
    stretches: list[tuple[int, int]] = []
    for start, end in sorted(map(interval, duties)):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return [
        Violation(
            rule="continuous_duty",
            person_id=person_id,
            first_day=start // 24,
            last_day=(end - 1) // 24,
            found=end - start,
            allowed=CONTINUOUS_HOURS,
            message=f"{end - start} h without a break, at most {CONTINUOUS_HOURS}",
        )
        for start, end in stretches
        if end - start > CONTINUOUS_HOURS
    ]


def _supervision(duties: Iterable[Duty], levels: dict[int, int | None]) -> list[Violation]:
    present: dict[tuple[int, Half], list[int]] = defaultdict(lambda: [0, 0, 0])
    for duty in duties:
        level = levels[duty.person_id]
        present[duty.day, duty.half][0 if level is None else 1 if level == 1 else 2] += 1
    found = []
    for (day, half), (faculty, first_years, others) in present.items():
        needed = faculty_needed(first_years, others)
        if faculty < needed:
            found.append(
                Violation(
                    rule="supervision_ratio",
                    person_id=None,
                    first_day=day,
                    last_day=day,
                    found=faculty,
                    allowed=needed,
                    message=f"{faculty} faculty for {first_years} first-years and {others} other "
                    f"residents ({half}), at least {needed}",
                )
            )
    return found
