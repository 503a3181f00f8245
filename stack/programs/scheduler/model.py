"""The terms of the domain as values: people, rotations, half-day blocks, duties.

A day is its proleptic ordinal (`date.toordinal()`), because the rules calculate with days. Hours
are counted from the midnight that begins the block's day; above 24 is the next morning.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from stack.programs.scheduler.settings import YEAR_END, YEAR_START

Half = Literal["AM", "PM"]
FIRST_DAY, LAST_DAY = YEAR_START.toordinal(), YEAR_END.toordinal()


@dataclass(frozen=True, kw_only=True)
class Person:
    """A resident with a PGY level, or a faculty member, whose `pgy_level` is None."""

    id: int
    pgy_level: int | None


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """What someone does in a block; hours as (from, to), None if the half is free."""

    id: int
    code: str
    name: str
    am: tuple[int, int] | None = None
    pm: tuple[int, int] | None = None
    weekday_need: int = 0
    weekend_need: int = 0

    def need(self, day: int) -> int:
        """Residents needed on that day."""
        return self.weekend_need if is_weekend(day) else self.weekday_need

    def hours(self, half: Half) -> tuple[int, int]:
        """(from, to) of that half; an empty interval if it is free."""
        return (self.am if half == "AM" else self.pm) or (0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """One assignment: a person in one half-day block."""

    person_id: int
    day: int
    half: Half
    rotation_id: int


_AM, _PM = (7, 13), (13, 19)

WARD = Rotation(
    id=1, code="WARD", name="Inpatient ward", am=_AM, pm=_PM, weekday_need=13, weekend_need=8
)
ICU = Rotation(
    id=2, code="ICU", name="Intensive care", am=_AM, pm=_PM, weekday_need=6, weekend_need=4
)
ED = Rotation(
    id=3, code="ED", name="Emergency department", am=_AM, pm=_PM, weekday_need=5, weekend_need=5
)
CLINIC = Rotation(
    id=4, code="CLINIC", name="Continuity clinic", am=(8, 12), pm=(13, 17), weekday_need=7
)
PROC = Rotation(id=5, code="PROC", name="Procedures", am=(8, 12), pm=(13, 17), weekday_need=4)
ELECTIVE = Rotation(id=6, code="ELECTIVE", name="Elective", am=(8, 12), pm=(13, 17), weekday_need=3)
# 24 + 4 h: ward in the morning, call until seven, handover until eleven.
CALL = Rotation(
    id=7, code="CALL", name="Overnight call", pm=(13, 31), weekday_need=3, weekend_need=2
)
POST = Rotation(id=8, code="POST", name="Post-call handover", am=(7, 11))
NIGHT = Rotation(
    id=9, code="NIGHT", name="Night float", pm=(19, 31), weekday_need=4, weekend_need=4
)
ATTEND = Rotation(id=10, code="ATTEND", name="Attending supervision", am=_AM, pm=_PM)

ROTATIONS = (WARD, ICU, ED, CLINIC, PROC, ELECTIVE, CALL, POST, NIGHT, ATTEND)
BY_ID = {rotation.id: rotation for rotation in ROTATIONS}


def is_weekend(day: int) -> bool:
    """Saturday or Sunday; ordinal 1 was a Monday."""
    return (day - 1) % 7 >= 5


def block_id(day: int, half: Half) -> int:
    """Blocks are numbered from 1 through the academic year, two per day."""
    return (day - FIRST_DAY) * 2 + (1 if half == "AM" else 2)


def block_of(number: int) -> tuple[int, Half]:
    """The day and half of a block number."""
    days, second = divmod(number - 1, 2)
    return FIRST_DAY + days, "PM" if second else "AM"


def interval(duty: Duty) -> tuple[int, int]:
    """The duty's hours on one continuous clock: hours since the midnight before day 0."""
    start, end = BY_ID[duty.rotation_id].hours(duty.half)
    return duty.day * 24 + start, duty.day * 24 + end


def date_of(day: int) -> dt.date:
    """The calendar date of an ordinal."""
    return dt.date.fromordinal(day)


def faculty_needed(first_years: int, others: int) -> int:
    """Faculty that must be present: one per two first-years, one per four others, rounded up."""
    return -(-(2 * first_years + others) // 4)
