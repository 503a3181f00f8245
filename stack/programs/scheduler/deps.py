"""What endpoints depend on: the database, the metrics, who is calling, a part of a list."""

import datetime as dt
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, BeforeValidator, Field

from stack.programs.scheduler import logs, tokens
from stack.programs.scheduler.db import Database
from stack.programs.scheduler.metrics import Metrics
from stack.programs.scheduler.processes import Siblings
from stack.programs.scheduler.settings import YEAR_END, YEAR_START, Settings
from stack.programs.scheduler.tokens import Claims, Role

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A row's id, as far as PostgreSQL's integer can hold it."""


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _written(given: object) -> object:
    written = isinstance(given, str) and _DAY.fullmatch(given)
    if not (written or isinstance(given, dt.date)):
        raise ValueError("expected a day as YYYY-MM-DD")
    return given


Text = Annotated[str, Field(max_length=500, pattern="^[^\0]*$")]
"""Free text without NUL, which PostgreSQL cannot store."""

Day = Annotated[dt.date, BeforeValidator(_written)]
"""A day as YYYY-MM-DD: numbers are no days, though they could be seconds since 1970."""

Row = dict[str, Any]
"""A row on its way from the database to a response model, which validates it."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What one application owns."""

    settings: Settings
    database: Database
    metrics: Metrics
    siblings: Siblings | None = None
    """None when it is the only process."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who is asking, and what the answer is made from."""

    claims: Claims
    db: Database
    metrics: Metrics


# FastAPI takes longer for each dependency than for a query's answer: an endpoint has one.


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


class LoggedIn(HTTPBearer):
    """The session of the request's token; 401 without a valid one, 403 for other roles than these,
    if any are named."""

    def __init__(self, *roles: Role) -> None:
        super().__init__(auto_error=False, scheme_name="HTTPBearer")
        self._roles = roles

    async def __call__(self, request: Request) -> Session:  # type: ignore[override]
        owned: Services = request.app.state.services
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = None
        if scheme.lower() == "bearer":
            claims = tokens.verify(token.strip(), owned.settings.secret, now=time.time())
        if not claims:
            raise HTTPException(401, "log in first", headers={"WWW-Authenticate": "Bearer"})
        owned.metrics.active.saw(claims.serial)
        if known := logs.current.get():
            known.user_role = claims.role
        if self._roles and claims.role not in self._roles:
            raise HTTPException(403, f"only for {' and '.join(self._roles)}")
        return Session(claims=claims, db=owned.database, metrics=owned.metrics)


Owned = Annotated[Services, Depends(services)]
Caller = Annotated[Session, Depends(LoggedIn())]
Coordinator = Annotated[Session, Depends(LoggedIn("coordinator"))]
Decider = Annotated[Session, Depends(LoggedIn("coordinator", "faculty"))]


Limit = Annotated[int, Query(ge=1, le=500)]
"""How many items of a list are requested at most."""

Offset = Annotated[int, Query(ge=0, le=10_000_000)]
"""How many come before the first one."""

LIMIT, OFFSET = 100, 0
"""Without being asked for others."""


class Listing(BaseModel):
    """A part of a list, and the length of the whole (0 beyond its end)."""

    items: list[dict[str, Any]]
    total: int
    limit: int
    offset: int


def listing(rows: Sequence[Row], limit: int, offset: int) -> Listing:
    """From rows that have the length of the whole as `total`."""
    total = 0
    for row in rows:
        total = row.pop("total")
    return Listing(items=[*rows], total=total, limit=limit, offset=offset)


class Range(BaseModel):
    """A range of days, both ends included."""

    start: Day
    end: Day

    def flaw(self, *, most_days: int) -> str | None:
        """Why it cannot be used, or None."""
        if self.end < self.start:
            return f"`end` {self.end} is before `start` {self.start}"
        if self.start < YEAR_START or self.end > YEAR_END:
            return f"{self.start} to {self.end} is not within {YEAR_START} to {YEAR_END}"
        if (days := (self.end - self.start).days + 1) > most_days:
            return f"{days} days, at most {most_days}"
        return None

    def checked(self, *, most_days: int) -> "Range":
        """Itself; 422 with the flaw otherwise."""
        if flaw := self.flaw(most_days=most_days):
            raise HTTPException(422, flaw)
        return self
