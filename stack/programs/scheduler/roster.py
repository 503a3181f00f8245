"""The greedy roster: who works where, half-day by half-day. Pure and deterministic.

Each day's slots are filled in order with the residents who have worked least. A first pass keeps
all duty-hour rules; if that leaves a slot empty, a second one ignores them (patients must be seen:
coverage wins, and validation finds what it cost). Nobody is ever scheduled during an absence.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from stack.programs.scheduler import model
from stack.programs.scheduler.acgme import WEEKLY_HOURS, WINDOW_DAYS
from stack.programs.scheduler.model import Duty, Half, Person, Rotation, date_of, interval

_DAY_ROTATIONS = (model.WARD, model.ICU, model.ED, model.CLINIC, model.PROC, model.ELECTIVE)
_CALL_FROM = frozenset({model.WARD.id, model.ICU.id})


class NoStaff(Exception):
    """A day on which no resident, or no faculty member, is available at all."""


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Days (ordinals, inclusive) on which a person is away."""

    person_id: int
    first_day: int
    last_day: int


@dataclass(frozen=True, kw_only=True)
class Roster:
    """`duties` by day; of `slots` needed, `unfilled` stayed empty, `relaxed` broke a limit."""

    duties: Sequence[Duty]
    slots: int
    unfilled: int
    relaxed: int


@dataclass(kw_only=True, eq=False)
class _Record:
    """What one person has worked so far."""

    person: Person
    away: set[int] = field(default_factory=set)
    hours: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    touched: set[int] = field(default_factory=set)
    duties: dict[tuple[int, Half], int] = field(default_factory=dict)
    recent: int = 0
    """Hours in the 27 days before the current one."""

    def add(self, duty: Duty) -> None:
        start, end = interval(duty)
        self.hours[duty.day] += end - start
        self.touched.update(range(start // 24, (end - 1) // 24 + 1))
        self.duties[duty.day, duty.half] = duty.rotation_id

    def look_back(self, day: int) -> None:
        self.recent = sum(map(self.hours.get, range(day - WINDOW_DAYS + 1, day), repeat(0)))

    def free(self, day: int) -> bool:
        return (
            day not in self.away
            and (day, "AM") not in self.duties
            and (day, "PM") not in self.duties
        )

    def rested(self, day: int, *, days_in_seven: int = 6) -> bool:
        """Working on that day leaves a free day in the seven that end with it."""
        return len(self.touched.intersection(range(day - 6, day))) < days_in_seven


class _Greedy:
    def __init__(self, people: Iterable[Person], absences: Iterable[Absence]) -> None:
        self.records = {person.id: _Record(person=person) for person in people}
        for absence in absences:
            days = range(absence.first_day, absence.last_day + 1)
            self.records[absence.person_id].away.update(days)
        ordered = [self.records[person_id] for person_id in sorted(self.records)]
        self.residents = [r for r in ordered if r.person.pgy_level is not None]
        self.faculty = [r for r in ordered if r.person.pgy_level is None]
        self.made: dict[tuple[int, Half, int], Duty] = {}
        self.slots = self.unfilled = self.relaxed = 0

    def assign(self, record: _Record, day: int, rotation: Rotation, half: Half) -> None:
        duty = Duty(person_id=record.person.id, day=day, half=half, rotation_id=rotation.id)
        record.add(duty)
        self.made[day, half, record.person.id] = duty

    def fill(
        self,
        need: int,
        candidates: Sequence[_Record],
        within_limits: Callable[[_Record], bool],
        prefer: Callable[[_Record], tuple[int, ...]],
    ) -> list[_Record]:
        """Up to `need` candidates, least worked first, preferring those within the limits."""
        strict = sorted(filter(within_limits, candidates), key=prefer)[:need]
        rest = [c for c in candidates if c not in strict] if len(strict) < need else []
        extra = sorted(rest, key=prefer)[: need - len(strict)]
        self.slots += need
        self.relaxed += len(extra)
        self.unfilled += need - len(strict) - len(extra)
        return strict + extra

    def day(self, day: int) -> None:
        for name, group in (("resident", self.residents), ("faculty member", self.faculty)):
            if all(day in record.away for record in group):
                raise NoStaff(f"no {name} is available on {date_of(day)}")
            for record in group:
                record.look_back(day)
        self.post_call(day)
        self.nights(day)
        for rotation in _DAY_ROTATIONS:
            self.days(day, rotation)
        self.call(day)
        self.supervise(day)

    def post_call(self, day: int) -> None:
        for record in self.residents:
            on_call = record.duties.get((day - 1, "PM")) == model.CALL.id
            if on_call and record.free(day):
                self.assign(record, day, model.POST, "AM")

    def nights(self, day: int) -> None:
        start, end = model.NIGHT.hours("PM")

        def within_limits(record: _Record) -> bool:
            return (
                record.recent + end - start <= 4 * WEEKLY_HOURS
                and record.rested(day)
                and len(record.touched.intersection(range(day - 5, day))) < 5
                and day + 1 not in record.away
            )

        def prefer(record: _Record) -> tuple[int, ...]:
            # Nights come in runs: a body clock is shifted once, and no mornings after are lost.
            ran = record.duties.get((day - 1, "PM")) == model.NIGHT.id
            return (not ran, record.recent, record.person.id)

        free = [r for r in self.residents if r.free(day)]
        for record in self.fill(model.NIGHT.need(day), free, within_limits, prefer):
            self.assign(record, day, model.NIGHT, "PM")

    def days(self, day: int, rotation: Rotation) -> None:
        halves: tuple[Half, Half] = ("AM", "PM")
        hours = sum(rotation.hours(half)[1] - rotation.hours(half)[0] for half in halves)

        def within_limits(record: _Record) -> bool:
            return (
                record.recent + hours <= 4 * WEEKLY_HOURS
                and record.rested(day)
                and record.duties.get((day - 1, "PM")) != model.NIGHT.id
            )

        free = [r for r in self.residents if r.free(day)]
        for record in self.fill(rotation.need(day), free, within_limits, _least_worked):
            self.assign(record, day, rotation, "AM")
            self.assign(record, day, rotation, "PM")

    def call(self, day: int) -> None:
        """Turn afternoons on the wards into calls."""
        start, end = model.CALL.hours("PM")
        hours = end - start

        def within_limits(record: _Record) -> bool:
            # Today's ward hours are not in `recent` yet; the handover tomorrow counts as well.
            total = record.recent + record.hours[day] + hours
            return total <= 4 * WEEKLY_HOURS and record.rested(day + 1)

        here = [
            r
            for r in self.residents
            if r.duties.get((day, "AM")) in _CALL_FROM and day + 1 not in r.away
        ]
        for record in self.fill(model.CALL.need(day), here, within_limits, _least_worked):
            start, end = interval(self.made[day, "PM", record.person.id])
            record.hours[day] -= end - start
            self.assign(record, day, model.CALL, "PM")

    def supervise(self, day: int) -> None:
        halves: tuple[Half, Half] = ("AM", "PM")
        need = 0
        for half in halves:
            here = [r.person.pgy_level for r in self.residents if (day, half) in r.duties]
            first_years = here.count(1)
            need = max(need, model.faculty_needed(first_years, len(here) - first_years))
        free = [r for r in self.faculty if r.free(day)]
        chosen = self.fill(
            need, free, lambda record: record.rested(day, days_in_seven=5), _least_worked
        )
        for record in chosen:
            for half in halves:
                self.assign(record, day, model.ATTEND, half)


def _least_worked(record: _Record) -> tuple[int, ...]:
    return (record.recent, record.person.id)


def generate(
    people: Iterable[Person],
    absences: Iterable[Absence],
    history: Iterable[Duty],
    first: int,
    last: int,
) -> Roster:
    """Roster for the days first…last (inclusive). Raises NoStaff for a day without anyone.

    `history` are the duties of the four weeks before; with it, a part of the year that is made
    again comes out the same, as long as no absences have changed.
    """
    greedy = _Greedy(people, absences)
    for duty in history:
        if first - WINDOW_DAYS <= duty.day < first:
            greedy.records[duty.person_id].add(duty)
    for day in range(first, last + 1):
        greedy.day(day)
    return Roster(
        duties=list(greedy.made.values()),
        slots=greedy.slots,
        unfilled=greedy.unfilled,
        relaxed=greedy.relaxed,
    )


def solver_seconds(roster: Roster, *, days: int, residents: int) -> float:
    """Modelled solver time in seconds: what the real constraint solver would have taken.

    The stub's greedy pass takes milliseconds. This grows with the number of variables (blocks times
    residents) and steeply with how tight the problem is: about 15 s for a month with everyone
    present, above 300 s for one in which half of the slots break a limit. It takes no real time, so
    that a scenario of slow generation needs neither minutes nor a busy processor.
    """
    tightness = (roster.relaxed + roster.unfilled) / roster.slots if roster.slots else 0.0
    return 0.004 * (2 * days) * residents * (1 + 80 * tightness**2)
