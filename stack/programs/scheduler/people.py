"""The made-up people of a seed, with their absences and swap requests. Pure, given the seed."""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stack.programs.scheduler.model import ATTEND, FIRST_DAY, LAST_DAY, Duty, Person
from stack.programs.scheduler.roster import Absence

RESIDENTS, FACULTY, COORDINATORS = 60, 30, 2
SPECIALTIES = ("Internal Medicine", "Cardiology", "Critical Care", "Emergency", "Nephrology")
_AWAY_AT_ONCE = 6
"""Most people of a group on vacation in a week: more would leave slots empty in a healthy year."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A row of `people`."""

    id: int
    name: str
    email: str
    role: str
    pgy_level: int | None
    specialty: str


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A row of `swap_requests`, for the assignment at that index."""

    assignment: int
    requester_id: int
    target_id: int
    status: str


def profiles(seed: int) -> list[Profile]:
    """Residents 1…60, evenly across PGY 1 to 3, then faculty 61…90."""
    # Imported here: Faker is large, and only a process that seeds should load it. One provider is
    # enough; Faker's own front end loads all of them, which takes ten times as long.
    from faker.generator import Generator
    from faker.providers.person.en_US import Provider

    generator = Generator()
    generator.add_provider(Provider)
    generator.seed_instance(seed)
    rng = random.Random(seed)
    made: list[Profile] = []
    for number in range(1, RESIDENTS + FACULTY + 1):
        resident = number <= RESIDENTS
        first, last = generator.format("first_name"), generator.format("last_name")
        made.append(
            Profile(
                id=number,
                name=f"{first} {last}" if resident else f"Dr. {first} {last}",
                email=f"{first}.{last}.{number}@residency.example".lower(),
                role="resident" if resident else "faculty",
                pgy_level=(number - 1) % 3 + 1 if resident else None,
                specialty=rng.choice(SPECIALTIES),
            )
        )
    return made


def users() -> list[tuple[str, str, int | None]]:
    """(username, role, person id) of everyone who can log in, with names that are easy to guess."""
    return [
        *((f"coordinator{n}", "coordinator", None) for n in range(1, COORDINATORS + 1)),
        *((f"resident{n:02}", "resident", n) for n in range(1, RESIDENTS + 1)),
        *((f"faculty{n:02}", "faculty", RESIDENTS + n) for n in range(1, FACULTY + 1)),
    ]


def salt(seed: int, username: str) -> bytes:
    """A salt derived from the seed, so that the same seed gives the same hashes."""
    return hashlib.sha256(f"{seed}/{username}".encode()).digest()[:16]


def absences(seed: int, people: Sequence[Person]) -> list[tuple[Absence, str, str]]:
    """(absence, kind, note): three weeks of vacation each, some illness and conferences."""
    rng = random.Random(f"absences {seed}")
    weeks = (LAST_DAY - FIRST_DAY + 1) // 7
    taken: Counter[tuple[bool, int]] = Counter()
    made: list[tuple[Absence, str, str]] = []
    for person in people:
        group = person.pgy_level is None
        open_weeks = [w for w in range(weeks) if taken[group, w] < _AWAY_AT_ONCE]
        for week in sorted(rng.sample(open_weeks, 3)):
            taken[group, week] += 1
            made.append((_absence(person, week * 7, 7), "vacation", "Annual leave"))
        if rng.random() < 0.5:
            sick = _absence(person, rng.randrange(weeks * 7), rng.randint(1, 3))
            made.append((sick, "sick", "Called in sick"))
        if rng.random() < 0.25:
            made.append((_absence(person, rng.randrange(weeks) * 7 + 3, 2), "conference", "Talk"))
    return made


def _absence(person: Person, offset: int, days: int) -> Absence:
    first = FIRST_DAY + offset
    return Absence(person_id=person.id, first_day=first, last_day=min(first + days - 1, LAST_DAY))


def swaps(seed: int, duties: Sequence[Duty], people: Sequence[Person]) -> list[Swap]:
    """Forty requests, most of them decided."""
    rng = random.Random(f"swaps {seed}")
    residents = [person.id for person in people if person.pgy_level is not None]
    theirs = [at for at, duty in enumerate(duties) if duty.rotation_id != ATTEND.id]
    made = []
    for at in sorted(rng.sample(theirs, 40)):
        requester = duties[at].person_id
        target = rng.choice([person for person in residents if person != requester])
        status = rng.choice(("pending", "approved", "approved", "rejected"))
        made.append(Swap(assignment=at, requester_id=requester, target_id=target, status=status))
    return made
