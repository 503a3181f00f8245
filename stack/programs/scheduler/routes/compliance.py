"""Validate a range of the schedule against the ACGME rules, and read what was found."""

import asyncio
import time
from collections import Counter
from typing import Any, LiteralString

from fastapi import APIRouter
from pydantic import BaseModel

from stack.programs.scheduler import acgme
from stack.programs.scheduler.acgme import RULES, Rule, Violation
from stack.programs.scheduler.db import Statement
from stack.programs.scheduler.deps import (
    LIMIT,
    OFFSET,
    Caller,
    Decider,
    Limit,
    Listing,
    Offset,
    Range,
    listing,
)
from stack.programs.scheduler.model import block_id, date_of
from stack.programs.scheduler.routes.generation import DUTIES, STAFF, duties_of, staff_of

router = APIRouter(prefix="/api/v1/compliance", tags=["compliance"])

MOST_DAYS = 366
_SHOWN = 50
_FORGET: LiteralString = "DELETE FROM violations WHERE first_day BETWEEN %s AND %s"
_STORE: LiteralString = (
    "INSERT INTO violations (rule, person_id, first_day, last_day, found, allowed, message)"
    " SELECT * FROM unnest(%s::text[], %s::int[], %s::date[], %s::date[], %s::float8[],"
    " %s::float8[], %s::text[])"
)


class Validation(BaseModel):
    """`counts` has all rules; `violations` are the first fifty, the rest can be listed."""

    compliant: bool
    assignments: int
    counts: dict[Rule, int]
    violations: list[dict[str, Any]]


@router.post("/validate", responses={401: {}, 403: {}})
async def validate(body: Range, session: Decider) -> Validation:
    """Compute the violations in a range of days; they replace those found there earlier."""
    body.checked(most_days=MOST_DAYS)
    started = time.perf_counter()
    first, last = body.start.toordinal(), body.end.toordinal()
    people, rows = await session.db.fetch_all(
        (STAFF, ()), (DUTIES, (block_id(first, "AM"), block_id(last, "PM")))
    )
    duties = duties_of(rows)
    found = await asyncio.to_thread(acgme.validate, duties, staff_of(people), first, last)
    forget: Statement = (_FORGET, (body.start, body.end))
    await session.db.replace(forget, (_STORE, _columns(found)))
    counts: Counter[Rule] = Counter(violation.rule for violation in found)
    for rule, number in counts.items():
        session.metrics.violations.labels(rule).inc(number)
    session.metrics.validation_seconds.observe(time.perf_counter() - started)
    return Validation(
        compliant=not found,
        assignments=len(duties),
        counts={rule: counts[rule] for rule in RULES},
        violations=[_shown(violation) for violation in found[:_SHOWN]],
    )


@router.get("/violations", responses={401: {}})
async def list_violations(
    session: Caller, rule: Rule | None = None, limit: Limit = LIMIT, offset: Offset = OFFSET
) -> Listing:
    """What the latest validations found."""
    rows = await session.db.fetch(
        "SELECT *, count(*) OVER () AS total FROM violations"
        " WHERE (%(rule)s::text IS NULL OR rule = %(rule)s)"
        " ORDER BY first_day, id LIMIT %(limit)s OFFSET %(offset)s",
        {"rule": rule, "limit": limit, "offset": offset},
    )
    return listing(rows, limit, offset)


def _columns(found: list[Violation]) -> tuple[list[Any], ...]:
    return (
        [v.rule for v in found],
        [v.person_id for v in found],
        [date_of(v.first_day) for v in found],
        [date_of(v.last_day) for v in found],
        [float(v.found) for v in found],
        [float(v.allowed) for v in found],
        [v.message for v in found],
    )


def _shown(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        "person_id": violation.person_id,
        "first_day": date_of(violation.first_day),
        "last_day": date_of(violation.last_day),
        "found": round(violation.found, 2),
        "allowed": violation.allowed,
        "message": violation.message,
    }
