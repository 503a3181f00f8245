"""Swap requests: someone asks another person to take an assignment; it is approved or not."""

from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from psycopg import errors
from pydantic import BaseModel

from stack.programs.scheduler.deps import (
    LIMIT,
    OFFSET,
    Caller,
    Decider,
    Id,
    Limit,
    Listing,
    Offset,
    Text,
    listing,
)
from stack.programs.scheduler.metrics import Metrics

router = APIRouter(prefix="/api/v1/swaps", tags=["swaps"])


class NewSwap(BaseModel):
    assignment_id: Id
    target_id: Id
    reason: Text = ""


@router.get("", responses={401: {}})
async def list_swaps(
    session: Caller,
    status: Literal["pending", "approved", "rejected"] | None = None,
    limit: Limit = LIMIT,
    offset: Offset = OFFSET,
) -> Listing:
    """Newest first."""
    rows = await session.db.fetch(
        "SELECT *, count(*) OVER () AS total FROM swap_requests"
        " WHERE (%(status)s::text IS NULL OR status = %(status)s)"
        " ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s",
        {"status": status, "limit": limit, "offset": offset},
    )
    return listing(rows, limit, offset)


@router.post("", status_code=201, responses={401: {}, 403: {}, 404: {}, 409: {}})
async def request_swap(body: NewSwap, session: Caller) -> dict[str, Any]:
    """Ask; residents only for an assignment of their own."""
    try:
        rows = await session.db.write(
            "WITH asked AS (SELECT * FROM assignments WHERE id = %(assignment)s),"
            " target AS (SELECT * FROM people WHERE id = %(target)s),"
            " clash AS (SELECT 1 FROM assignments o JOIN asked USING (block_id)"
            "  WHERE o.person_id = %(target)s),"
            " made AS (INSERT INTO swap_requests (assignment_id, requester_id, target_id, reason)"
            "  SELECT asked.id, asked.person_id, target.id, %(reason)s FROM asked, target"
            "  WHERE NOT EXISTS (SELECT FROM clash)"
            "  AND (%(owner)s::int IS NULL OR asked.person_id = %(owner)s) RETURNING *)"
            " SELECT (SELECT person_id FROM asked) AS owner_id, (SELECT id FROM target) AS found,"
            " EXISTS (SELECT FROM clash) AS clash, (SELECT to_jsonb(made) FROM made) AS swap",
            {
                "assignment": body.assignment_id,
                "target": body.target_id,
                "reason": body.reason,
                "owner": session.claims.person_id if session.claims.role == "resident" else None,
            },
        )
    except errors.ForeignKeyViolation:  # the range was regenerated at this moment
        raise HTTPException(404, "no such assignment or person") from None
    answer = rows[0]
    if answer["owner_id"] is None or answer["found"] is None:
        raise HTTPException(404, "no such assignment or person")
    if session.claims.role == "resident" and answer["owner_id"] != session.claims.person_id:
        raise HTTPException(403, "that assignment is somebody else's")
    if answer["clash"]:
        raise HTTPException(409, "that person already has an assignment in that block")
    session.metrics.swaps.labels("pending").inc()
    swap: dict[str, Any] = answer["swap"]
    return swap


@router.post("/{swap_id}/approve", responses={401: {}, 403: {}, 404: {}, 409: {}})
async def approve_swap(swap_id: Id, session: Decider) -> dict[str, Any]:
    """Give the assignment to the other person."""
    rows = await session.db.write(
        "WITH asked AS (SELECT * FROM swap_requests WHERE id = %(id)s FOR UPDATE),"
        " moved AS (UPDATE assignments a SET person_id = asked.target_id FROM asked"
        "  WHERE a.id = asked.assignment_id AND asked.status = 'pending'"
        "  AND NOT EXISTS (SELECT FROM assignments o"
        "   WHERE o.block_id = a.block_id AND o.person_id = asked.target_id) RETURNING a.id),"
        " done AS (UPDATE swap_requests s SET status = 'approved', decided_by = %(by)s,"
        "  decided_at = now() FROM moved WHERE s.id = %(id)s RETURNING s.*)"
        " SELECT (SELECT status FROM asked) AS was, (SELECT to_jsonb(done) FROM done) AS swap",
        {"id": swap_id, "by": session.claims.username},
    )
    return _decided(rows[0], swap_id, session.metrics, "approved")


@router.post("/{swap_id}/reject", responses={401: {}, 403: {}, 404: {}, 409: {}})
async def reject_swap(swap_id: Id, session: Decider) -> dict[str, Any]:
    """Leave the assignment where it is."""
    rows = await session.db.write(
        "WITH asked AS (SELECT * FROM swap_requests WHERE id = %(id)s FOR UPDATE),"
        " done AS (UPDATE swap_requests s SET status = 'rejected', decided_by = %(by)s,"
        "  decided_at = now() FROM asked WHERE s.id = asked.id AND asked.status = 'pending'"
        "  RETURNING s.*)"
        " SELECT (SELECT status FROM asked) AS was, (SELECT to_jsonb(done) FROM done) AS swap",
        {"id": swap_id, "by": session.claims.username},
    )
    return _decided(rows[0], swap_id, session.metrics, "rejected")


def _decided(answer: dict[str, Any], swap_id: Id, metrics: Metrics, status: str) -> dict[str, Any]:
    if answer["was"] is None:
        raise HTTPException(404, f"no swap request {swap_id}")
    if answer["swap"] is None:
        why = (
            "the other person is busy, or the assignment is gone"
            if answer["was"] == "pending"
            else f"it is already {answer['was']}"
        )
        raise HTTPException(409, why)
    metrics.swaps.labels(status).inc()
    swap: dict[str, Any] = answer["swap"]
    return swap
