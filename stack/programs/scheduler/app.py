"""Puts the application together."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator

import psycopg
from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from stack.paths import REPO
from stack.programs.scheduler import logs, seed
from stack.programs.scheduler.db import Connection, Database, DatabaseAway
from stack.programs.scheduler.deps import Services
from stack.programs.scheduler.metrics import UNMATCHED, Metrics
from stack.programs.scheduler.middleware import DOCS, UNCOUNTED, Observe
from stack.programs.scheduler.processes import Siblings
from stack.programs.scheduler.requests import Requests
from stack.programs.scheduler.routes import (
    absences,
    auth,
    compliance,
    generation,
    health,
    people,
    schedule,
    swaps,
)
from stack.programs.scheduler.settings import VERSION, Settings

log = logging.getLogger("scheduler")

ROUTERS = (schedule, swaps, absences, people, compliance, generation, auth, health)
"""Each request is held against them in this order: what is asked for most comes first."""

_ALWAYS = (422, 500, 503)


def create_app(settings: Settings, siblings: Siblings | None = None) -> FastAPI:
    """The application, or one of several that are the same. It does not touch the database before
    its lifespan starts."""

    async def prepare(connection: Connection) -> None:
        await _seed_if_empty(connection, settings)

    database = Database(settings, prepare, often=schedule.OFTEN)
    metrics = Metrics(settings.active_window_s, database.connections)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log.info("residency scheduler %s is starting", VERSION)
        database.start()
        async with siblings.telling(metrics) if siblings else contextlib.nullcontext():
            yield
        await database.close()
        log.info("residency scheduler stopped")

    # FastAPI's own page of the API is fetched from elsewhere, and blank without a network.
    app = FastAPIOffline(
        title="Residency Scheduler",
        version=VERSION,
        lifespan=lifespan,
        static_url=f"{DOCS}/static",
        redoc_url=None,  # it asks another host for its maker's picture
    )
    app.state.services = Services(
        settings=settings, database=database, metrics=metrics, siblings=siblings
    )
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(RequestValidationError, _refused)
    app.add_exception_handler(HTTPException, _answered)
    app.add_exception_handler(DatabaseAway, _unavailable)
    app.add_exception_handler(psycopg.OperationalError, _unavailable)
    app.add_middleware(Observe, metrics=metrics)
    _expect_routes(metrics.requests)
    return app


def _expect_routes(requests: Requests) -> None:
    for route in (route for module in ROUTERS for route in module.router.routes):
        if not isinstance(route, APIRoute) or route.path.startswith(UNCOUNTED):
            continue
        statuses = {route.status_code or 200, *map(int, route.responses), *_ALWAYS}
        for method in route.methods or ():
            requests.expect(method, route.path, sorted(statuses))
    requests.expect("GET", UNMATCHED, [404])


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """422, without what was sent: that may be a password, or what JSON cannot say (half of a
    surrogate pair, NaN)."""
    assert isinstance(error, RequestValidationError)
    faults = [{key: one[key] for key in ("type", "loc", "msg")} for one in error.errors()]
    return JSONResponse({"detail": faults}, 422)


async def _answered(request: Request, error: Exception) -> Response:
    """What a route or the framework answers with. Of what was sent and cannot be used, all is told
    in the one form that the description of the API has for it, also a body that is no JSON."""
    assert isinstance(error, HTTPException)
    if error.status_code in (400, 422):
        faults = [{"type": "value_error", "loc": ["request"], "msg": error.detail}]
        return JSONResponse({"detail": faults}, 422)
    return await http_exception_handler(request, error)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    """503 for a database that is away, too slow or full, with a hint when to retry."""
    why = str(error) if isinstance(error, DatabaseAway) else f"database: {type(error).__name__}"
    if current := logs.current.get():
        current.why = why
    return JSONResponse({"detail": why}, 503, {"Retry-After": "1"})


async def _seed_if_empty(connection: Connection, settings: Settings) -> None:
    """Seed in a separate process; see `seed.py`. Raises OperationalError."""
    row = await (await connection.execute(seed.SEEDED)).fetchone()
    if row and row["seeded"]:
        return
    log.info("seeding an empty database")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack.programs.scheduler.seed"),
        cwd=REPO,
        env={**os.environ, **seed.environment(settings)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        raise psycopg.OperationalError(said.decode(errors="replace").strip())
    log.info("seeded")
