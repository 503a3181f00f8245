"""The schedule by range and person, and single assignments."""

from typing import Any, LiteralString

from fastapi import APIRouter, HTTPException
from psycopg import errors
from pydantic import BaseModel

from stack.programs.scheduler.db import Statement
from stack.programs.scheduler.deps import (
    LIMIT,
    OFFSET,
    Caller,
    Coordinator,
    Day,
    Id,
    Limit,
    Listing,
    Offset,
    Range,
    listing,
)
from stack.programs.scheduler.model import block_id
from stack.programs.scheduler.settings import YEAR_START

router = APIRouter(prefix="/api/v1", tags=["schedule"])

MOST_DAYS = 92
_ASSIGNMENTS: LiteralString = (
    "SELECT a.id, b.day, b.half, a.person_id, p.name AS person, p.role,"
    " r.code AS rotation, a.block_id, count(*) OVER () AS total"
    " FROM assignments a JOIN blocks b ON b.id = a.block_id"
    " JOIN people p ON p.id = a.person_id JOIN rotations r ON r.id = a.rotation_id"
    " WHERE a.block_id BETWEEN %(first)s AND %(last)s"
    " AND (%(person)s::int IS NULL OR a.person_id = %(person)s)"
    " ORDER BY a.block_id, a.person_id LIMIT %(limit)s OFFSET %(offset)s"
)


def _assignments(days: Range, person_id: int | None, limit: int, offset: int) -> Statement:
    return _ASSIGNMENTS, {
        "first": block_id(days.start.toordinal(), "AM"),
        "last": block_id(days.end.toordinal(), "PM"),
        "person": person_id,
        "limit": limit,
        "offset": offset,
    }


_A_DAY = Range(start=YEAR_START, end=YEAR_START)

OFTEN = tuple(_assignments(_A_DAY, person_id, LIMIT, OFFSET) for person_id in (None, 1))
"""Half of all that is asked: planning it takes as long as answering it."""


class NewAssignment(BaseModel):
    person_id: Id
    block_id: Id
    rotation_id: Id


@router.get("/schedule", responses={401: {}})
async def read_schedule(
    session: Caller,
    start: Day,
    end: Day,
    person_id: Id | None = None,
    limit: Limit = LIMIT,
    offset: Offset = OFFSET,
) -> Listing:
    """Assignments in a range of days (at most 92), for everyone or one person."""
    days = Range.model_construct(start=start, end=end).checked(most_days=MOST_DAYS)
    rows = await session.db.fetch(*_assignments(days, person_id, limit, offset))
    return listing(rows, limit, offset)


@router.get("/assignments/{assignment_id}", responses={401: {}, 404: {}})
async def read_assignment(assignment_id: Id, session: Caller) -> dict[str, Any]:
    """One assignment."""
    rows = await session.db.fetch(
        "SELECT a.id, b.day, b.half, a.person_id, a.block_id, a.rotation_id, r.code AS rotation"
        " FROM assignments a JOIN blocks b ON b.id = a.block_id"
        " JOIN rotations r ON r.id = a.rotation_id WHERE a.id = %s",
        (assignment_id,),
    )
    if not rows:
        raise HTTPException(404, f"no assignment {assignment_id}")
    return rows[0]


@router.post("/assignments", status_code=201, responses={401: {}, 403: {}, 404: {}, 409: {}})
async def create_assignment(body: NewAssignment, session: Coordinator) -> dict[str, Any]:
    """Put a person into a block by hand; only double booking is refused."""
    try:
        rows = await session.db.write(
            "INSERT INTO assignments (block_id, person_id, rotation_id)"
            " VALUES (%s, %s, %s)"
            " RETURNING id, block_id, person_id, rotation_id",
            (body.block_id, body.person_id, body.rotation_id),
        )
    except errors.UniqueViolation:
        raise HTTPException(409, "that person already has an assignment in that block") from None
    except errors.ForeignKeyViolation:
        raise HTTPException(404, "no such person, block or rotation") from None
    return rows[0]


@router.delete(
    "/assignments/{assignment_id}", status_code=204, responses={401: {}, 403: {}, 404: {}}
)
async def delete_assignment(assignment_id: Id, session: Coordinator) -> None:
    """Delete an assignment; swap requests about it stay, without it."""
    gone = await session.db.write(
        "DELETE FROM assignments WHERE id = %s RETURNING id", (assignment_id,)
    )
    if not gone:
        raise HTTPException(404, f"no assignment {assignment_id}")
