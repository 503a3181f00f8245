"""Generate the schedule of a range: read, compute off the event loop, replace."""

import asyncio
import logging
from typing import Any, LiteralString

from fastapi import APIRouter, HTTPException
from psycopg import Error
from pydantic import BaseModel

from stack.programs.scheduler import roster
from stack.programs.scheduler.acgme import WINDOW_DAYS
from stack.programs.scheduler.db import Database, DatabaseAway, Statement
from stack.programs.scheduler.deps import (
    LIMIT,
    OFFSET,
    Caller,
    Coordinator,
    Limit,
    Listing,
    Offset,
    Range,
    Row,
    listing,
)
from stack.programs.scheduler.metrics import Metrics
from stack.programs.scheduler.model import Duty, Person, block_id, block_of

log = logging.getLogger("scheduler.generation")

router = APIRouter(prefix="/api/v1/schedule", tags=["generation"])

MOST_DAYS = 366
DUTIES: LiteralString = (
    "SELECT block_id, person_id, rotation_id FROM assignments"
    " WHERE block_id BETWEEN %s AND %s ORDER BY block_id, person_id"
)
STAFF: LiteralString = "SELECT id, pgy_level FROM people ORDER BY id"
_RECORD: LiteralString = (
    "INSERT INTO schedule_runs (first_day, last_day, outcome, reason, assignments, unfilled,"
    " relaxed, solver_seconds, requested_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    " RETURNING id"
)


class Run(BaseModel):
    """`unfilled` slots stayed empty, `relaxed` ones broke a limit; the solver time is modelled."""

    run_id: int
    start: str
    end: str
    assignments: int
    unfilled: int
    relaxed: int
    solver_seconds: float


@router.post("/generate", status_code=201, responses={401: {}, 403: {}, 409: {}})
async def generate(body: Range, session: Coordinator) -> Run:
    """Replace the assignments in a range of days with a new greedy roster."""
    if flaw := body.flaw(most_days=MOST_DAYS):
        _failed(session.metrics, "invalid_range")
        raise HTTPException(422, flaw)
    try:
        return await _generate(body, session.db, session.claims.username, session.metrics)
    except (Error, DatabaseAway):
        _failed(session.metrics, "database")
        raise


@router.get("/runs", responses={401: {}})
async def list_runs(session: Caller, limit: Limit = LIMIT, offset: Offset = OFFSET) -> Listing:
    """Newest first."""
    rows = await session.db.fetch(
        "SELECT *, count(*) OVER () AS total FROM schedule_runs"
        " ORDER BY id DESC LIMIT %s OFFSET %s",
        (limit, offset),
    )
    return listing(rows, limit, offset)


async def _generate(body: Range, db: Database, username: str, metrics: Metrics) -> Run:
    first, last = body.start.toordinal(), body.end.toordinal()
    people, absences, history = await db.fetch_all(
        (STAFF, ()),
        # One day more: nobody goes on call on the eve of an absence.
        (
            "SELECT person_id, first_day, last_day FROM absences"
            " WHERE last_day >= %s AND first_day <= %s::date + 1 ORDER BY id",
            (body.start, body.end),
        ),
        (DUTIES, (block_id(first - WINDOW_DAYS, "AM"), block_id(first, "AM") - 1)),
    )
    staff = staff_of(people)
    try:
        made = await asyncio.to_thread(
            roster.generate, staff, _absences(absences), duties_of(history), first, last
        )
    except roster.NoStaff as why:
        failure = (body.start, body.end, "failure", "no_staff", 0, 0, 0, 0.0, username)
        await db.write(_RECORD, failure)
        _failed(metrics, "no_staff")
        raise HTTPException(409, str(why)) from None
    residents = sum(person.pgy_level is not None for person in staff)
    seconds = roster.solver_seconds(made, days=last - first + 1, residents=residents)
    counts = (len(made.duties), made.unfilled, made.relaxed, seconds)
    record = (body.start, body.end, "success", None, *counts, username)
    stored = await db.replace(*_replacement(made, first, last), (_RECORD, record))
    metrics.generations.labels("success").inc()
    metrics.generation_seconds.observe(seconds)
    log.info("schedule generation %s to %s: %d assignments, %d unfilled", body.start, body.end,
             len(made.duties), made.unfilled)  # fmt: skip
    return Run(
        run_id=stored[-1][0]["id"],
        start=str(body.start),
        end=str(body.end),
        assignments=len(made.duties),
        unfilled=made.unfilled,
        relaxed=made.relaxed,
        solver_seconds=round(seconds, 3),
    )


def _replacement(made: roster.Roster, first: int, last: int) -> list[Statement]:
    duties = sorted(made.duties, key=lambda d: (block_id(d.day, d.half), d.person_id))
    columns = (
        [block_id(duty.day, duty.half) for duty in duties],
        [duty.person_id for duty in duties],
        [duty.rotation_id for duty in duties],
    )
    return [
        (
            "DELETE FROM assignments WHERE block_id BETWEEN %s AND %s",
            (block_id(first, "AM"), block_id(last, "PM")),
        ),
        (
            "INSERT INTO assignments (block_id, person_id, rotation_id)"
            " SELECT * FROM unnest(%s::int[], %s::int[], %s::int[])",
            columns,
        ),
    ]


def _failed(metrics: Metrics, reason: str) -> None:
    log.warning("schedule generation failed: %s", reason)
    metrics.generations.labels("failure").inc()
    metrics.generation_failures.labels(reason).inc()


def staff_of(rows: list[Row]) -> list[Person]:
    """People from rows of STAFF."""
    return [Person(id=row["id"], pgy_level=row["pgy_level"]) for row in rows]


def duties_of(rows: list[Row]) -> list[Duty]:
    """Duties from rows of DUTIES."""
    made = []
    for row in rows:
        day, half = block_of(row["block_id"])
        made.append(
            Duty(person_id=row["person_id"], day=day, half=half, rotation_id=row["rotation_id"])
        )
    return made


def _absences(rows: list[dict[str, Any]]) -> list[roster.Absence]:
    return [
        roster.Absence(
            person_id=row["person_id"],
            first_day=row["first_day"].toordinal(),
            last_day=row["last_day"].toordinal(),
        )
        for row in rows
    ]
