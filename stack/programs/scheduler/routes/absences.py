"""Absences: who is away on which days."""

from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from psycopg import errors
from pydantic import BaseModel, Field

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
    Text,
    listing,
)
from stack.programs.scheduler.settings import YEAR_END, YEAR_START

router = APIRouter(prefix="/api/v1/absences", tags=["absences"])


class NewAbsence(BaseModel):
    """Both days are included."""

    person_id: Id
    first_day: Day = Field(ge=YEAR_START, le=YEAR_END)
    last_day: Day = Field(ge=YEAR_START, le=YEAR_END)
    kind: Literal["vacation", "sick", "conference", "leave"]
    note: Text = ""


@router.get("", responses={401: {}})
async def list_absences(
    session: Caller,
    person_id: Id | None = None,
    start: Day = YEAR_START,
    end: Day = YEAR_END,
    limit: Limit = LIMIT,
    offset: Offset = OFFSET,
) -> Listing:
    """Absences that overlap the range."""
    rows = await session.db.fetch(
        "SELECT id, person_id, first_day, last_day, kind, note, count(*) OVER () AS total"
        " FROM absences WHERE last_day >= %(start)s AND first_day <= %(end)s"
        " AND (%(person)s::int IS NULL OR person_id = %(person)s)"
        " ORDER BY first_day, id LIMIT %(limit)s OFFSET %(offset)s",
        {
            "start": start,
            "end": end,
            "person": person_id,
            "limit": limit,
            "offset": offset,
        },
    )
    return listing(rows, limit, offset)


@router.post("", status_code=201, responses={401: {}, 403: {}, 404: {}})
async def create_absence(body: NewAbsence, session: Caller) -> dict[str, Any]:
    """Coordinators enter anyone's, others their own. Existing assignments stay as they are."""
    if session.claims.role != "coordinator" and session.claims.person_id != body.person_id:
        raise HTTPException(403, "only a coordinator may enter somebody else's absence")
    if body.last_day < body.first_day:
        raise HTTPException(422, "`last_day` is before `first_day`")
    try:
        rows = await session.db.write(
            "INSERT INTO absences (person_id, first_day, last_day, kind, note)"
            " VALUES (%s, %s, %s, %s, %s)"
            " RETURNING id, person_id, first_day, last_day, kind, note",
            (body.person_id, body.first_day, body.last_day, body.kind, body.note),
        )
    except errors.ForeignKeyViolation:
        raise HTTPException(404, f"no person {body.person_id}") from None
    return rows[0]


@router.delete("/{absence_id}", status_code=204, responses={401: {}, 403: {}, 404: {}})
async def delete_absence(absence_id: Id, session: Coordinator) -> None:
    """Delete an absence."""
    if not await session.db.write("DELETE FROM absences WHERE id = %s RETURNING id", (absence_id,)):
        raise HTTPException(404, f"no absence {absence_id}")
