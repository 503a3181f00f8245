"""People, and the rotations they work in."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from stack.programs.scheduler.deps import (
    LIMIT,
    OFFSET,
    Caller,
    Id,
    Limit,
    Listing,
    Offset,
    listing,
)

router = APIRouter(prefix="/api/v1", tags=["people"])


class Person(BaseModel):
    id: int
    name: str
    email: str
    role: str
    pgy_level: int | None
    specialty: str


@router.get("/people", responses={401: {}})
async def list_people(
    session: Caller,
    role: Literal["resident", "faculty"] | None = None,
    pgy_level: Annotated[int | None, Query(ge=1, le=7)] = None,
    limit: Limit = LIMIT,
    offset: Offset = OFFSET,
) -> Listing:
    """Residents and faculty."""
    rows = await session.db.fetch(
        "SELECT id, name, email, role, pgy_level, specialty, count(*) OVER () AS total"
        " FROM people WHERE (%(role)s::text IS NULL OR role = %(role)s)"
        " AND (%(pgy)s::int IS NULL OR pgy_level = %(pgy)s)"
        " ORDER BY id LIMIT %(limit)s OFFSET %(offset)s",
        {"role": role, "pgy": pgy_level, "limit": limit, "offset": offset},
    )
    return listing(rows, limit, offset)


@router.get("/people/{person_id}", responses={401: {}, 404: {}})
async def read_person(person_id: Id, session: Caller) -> Person:
    """One person."""
    rows = await session.db.fetch(
        "SELECT id, name, email, role, pgy_level, specialty FROM people WHERE id = %s",
        (person_id,),
    )
    if not rows:
        raise HTTPException(404, f"no person {person_id}")
    return Person(**rows[0])


@router.get("/rotations", responses={401: {}})
async def list_rotations(session: Caller) -> list[dict[str, Any]]:
    """What people do, with hours from midnight and how many residents are needed."""
    return await session.db.fetch("SELECT * FROM rotations ORDER BY id")
