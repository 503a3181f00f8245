"""Log in, and see who is logged in."""

import asyncio
import secrets
import time

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from stack.programs.scheduler import logs, tokens
from stack.programs.scheduler.deps import Caller, Owned, Text
from stack.programs.scheduler.tokens import Claims, Role

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

# Somebody unknown takes as long as somebody with a wrong password.
_NOBODY = tokens.hash_password(secrets.token_hex(), b"nobody")


class Login(BaseModel):
    username: Text
    password: Text


class Token(BaseModel):
    """`expires_in` in seconds."""

    access_token: str
    token_type: str = "bearer"
    role: Role
    person_id: int | None
    expires_in: int


class Me(BaseModel):
    username: str
    role: Role
    person_id: int | None


@router.post("/login", responses={401: {}})
async def login(body: Login, owned: Owned) -> Token:
    """A bearer token for a user name and password."""
    rows = await owned.database.fetch(
        "SELECT role, person_id, password_hash FROM users WHERE username = %s", (body.username,)
    )
    stored = rows[0]["password_hash"] if rows else _NOBODY
    matches = await asyncio.to_thread(tokens.password_matches, body.password, stored)
    if not rows or not matches:
        _note_refusal(f"wrong password for {body.username}" if rows else "unknown user")
        raise HTTPException(401, "wrong user name or password")
    life_s = int(owned.settings.token_life_s)
    claims = Claims(
        username=body.username,
        role=rows[0]["role"],
        person_id=rows[0]["person_id"],
        expires=int(time.time()) + life_s,
        serial=secrets.token_hex(8),
    )
    owned.metrics.active.saw(claims.serial)
    return Token(
        access_token=tokens.sign(claims, owned.settings.secret),
        role=claims.role,
        person_id=claims.person_id,
        expires_in=life_s,
    )


def _note_refusal(why: str) -> None:
    """For the request's log line, which an alert counts. A name that nobody has is not repeated:
    it may be a password, typed into the wrong field."""
    if request := logs.current.get():
        request.why = f"login refused: {why}"


@router.get("/me", responses={401: {}})
async def me(session: Caller) -> Me:
    """Who the token stands for."""
    claims = session.claims
    return Me(username=claims.username, role=claims.role, person_id=claims.person_id)
