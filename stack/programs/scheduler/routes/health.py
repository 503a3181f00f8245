"""Whether the process is alive, whether it can serve, and what it measures."""

import asyncio

import psycopg
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from stack.programs.scheduler.db import DatabaseAway
from stack.programs.scheduler.deps import Owned

router = APIRouter(tags=["health"])

READY_WITHIN_S = 5.0

HEARD_WITHIN_S = 10.0
"""How long an answer of the database to anyone counts as an answer to us."""


@router.get("/health")
async def health() -> dict[str, str]:
    """Liveness: 200 as long as the process answers, whatever the database does."""
    return {"status": "ok"}


@router.get("/health/ready", responses={503: {}})
async def ready(owned: Owned) -> Response:
    """Readiness: 200 when the database is seeded and answers within 5 s, otherwise 503.

    While it answers others it is not queried, only a connection is checked: a probe that comes
    often and does not wait must not take a slow database for one that is away.
    """
    db = owned.database
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            if db.silent_s() < HEARD_WITHIN_S:
                await db.look()
            else:
                await db.fetch("SELECT 1")
    except TimeoutError:
        why = f"the database did not answer within {READY_WITHIN_S:g} s"
    except DatabaseAway as away:
        why = str(away)
    except psycopg.Error as error:
        why = f"the database answered with an error ({type(error).__name__})"
    else:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready", "detail": why}, 503, {"Retry-After": "1"})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(owned: Owned) -> Response:
    """Prometheus' text format; of all processes, where there are several."""
    siblings = owned.siblings
    text = await siblings.text(owned.metrics) if siblings else owned.metrics.text()
    return PlainTextResponse(text, headers={"Content-Type": CONTENT_TYPE_LATEST})
