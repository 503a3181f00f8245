"""Makes the tables and fills them: `python -m stack.programs.scheduler.seed`.

The server runs this as a separate process when it finds an empty database: Faker and the rows of a
whole year are gone from memory once it ends. Safe to run twice, even at the same time: it is one
transaction under an advisory lock, and does nothing if the tables exist.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg
from psycopg import Cursor, sql

from stack.errors import LabError
from stack.programs.scheduler import model, people, roster, tokens
from stack.programs.scheduler.model import LAST_DAY, Person, block_id, date_of
from stack.programs.scheduler.settings import YEAR_END, YEAR_START, Settings, from_environment

LOCK = 7_392_001
"""Advisory lock held while seeding."""

SEEDED = "SELECT to_regclass('violations') IS NOT NULL AS seeded"
_HERE = Path(__file__).parent


def seed(settings: Settings) -> bool:
    """Seed an empty database; False if it was already seeded. Raises psycopg.Error."""
    with psycopg.connect(settings.conninfo) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        row = cursor.execute(SEEDED).fetchone()
        if row and row[0]:
            return False
        cursor.execute((_HERE / "schema.sql").read_bytes())
        _fill(cursor, settings)
        cursor.execute((_HERE / "constraints.sql").read_bytes())
        cursor.execute("ANALYZE")
    return True


def environment(settings: Settings) -> dict[str, str]:
    """The variables that make this module, run as a program, seed for those settings."""
    return {
        "DATABASE_URL": settings.conninfo,
        "SCHEDULER_SEED": str(settings.seed),
        "SCHEDULER_PASSWORD": settings.password,
        "SCHEDULER_PASSWORD_FILE": "",
    }


def _fill(cursor: Cursor[tuple[object, ...]], settings: Settings) -> None:
    profiles = people.profiles(settings.seed)
    staff = [Person(id=p.id, pgy_level=p.pgy_level) for p in profiles]
    away = people.absences(settings.seed, staff)
    made = roster.generate(staff, [a for a, _, _ in away], [], model.FIRST_DAY, LAST_DAY)
    duties = sorted(made.duties, key=lambda d: (block_id(d.day, d.half), d.person_id))
    _copy(
        cursor,
        "people (id, name, email, role, pgy_level, specialty)",
        ((p.id, p.name, p.email, p.role, p.pgy_level, p.specialty) for p in profiles),
    )
    _copy(cursor, "users (username, role, person_id, password_hash)", _users(settings))
    free = (None, None)
    _copy(
        cursor,
        "rotations (id, code, name, am_from, am_to, pm_from, pm_to, weekday_need, weekend_need)",
        (
            (r.id, r.code, r.name, *(r.am or free), *(r.pm or free), r.weekday_need, r.weekend_need)
            for r in model.ROTATIONS
        ),
    )
    numbers = range(1, block_id(LAST_DAY, "PM") + 1)
    blocks = ((number, *model.block_of(number)) for number in numbers)
    _copy(cursor, "blocks (id, day, half)", ((n, date_of(day), half) for n, day, half in blocks))
    _copy(
        cursor,
        "absences (person_id, first_day, last_day, kind, note)",
        (
            (a.person_id, date_of(a.first_day), date_of(a.last_day), kind, note)
            for a, kind, note in away
        ),
    )
    _copy(
        cursor,
        "assignments (block_id, person_id, rotation_id)",
        ((block_id(d.day, d.half), d.person_id, d.rotation_id) for d in duties),
    )
    _swaps(cursor, people.swaps(settings.seed, duties, staff))
    _run(cursor, made, days=len(numbers) // 2)


def _users(settings: Settings) -> Iterable[tuple[object, ...]]:
    for username, role, person_id in people.users():
        salt = people.salt(settings.seed, username)
        yield username, role, person_id, tokens.hash_password(settings.password, salt)


def _swaps(cursor: Cursor[tuple[object, ...]], swaps: Sequence[people.Swap]) -> None:
    decided = ("coordinator1", YEAR_START)
    _copy(
        cursor,
        "swap_requests (assignment_id, requester_id, target_id, status, reason, created_at,"
        " decided_by, decided_at)",
        (
            (s.assignment + 1, s.requester_id, s.target_id, s.status, "Family event", YEAR_START)
            + ((None, None) if s.status == "pending" else decided)
            for s in swaps
        ),
    )


def _run(cursor: Cursor[tuple[object, ...]], made: roster.Roster, *, days: int) -> None:
    seconds = roster.solver_seconds(made, days=days, residents=people.RESIDENTS)
    cursor.execute(
        "INSERT INTO schedule_runs (first_day, last_day, outcome, assignments, unfilled, relaxed,"
        " solver_seconds, requested_by, created_at)"
        " VALUES (%s, %s, 'success', %s, %s, %s, %s, 'coordinator1', %s)",
        (YEAR_START, YEAR_END, len(made.duties), made.unfilled, made.relaxed, seconds, YEAR_START),
    )


def _copy(
    cursor: Cursor[tuple[object, ...]], target: str, rows: Iterable[Sequence[object]]
) -> None:
    # `target` is one of this module's own literals, never input.
    with cursor.copy(sql.SQL(f"COPY {target} FROM STDIN")) as copy:
        for row in rows:
            copy.write_row(row)


def main() -> int:
    """Exit 0 if the database is seeded, 1 with one line on stderr if it could not be."""
    try:
        done = seed(from_environment())
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except psycopg.Error as error:
        print(f"the database could not be seeded: {error}".strip(), file=sys.stderr)
        return 1
    print("seeded" if done else "the database is already seeded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
