"""What the scheduler is measured against: the same SQL and nothing else, in FastAPI and psycopg.

DATABASE_URL=… python -m tests.bench.plain_scheduler PORT
"""

import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg_pool
import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from pydantic import BaseModel

from stack.programs.scheduler.model import block_id

SQL = (
    "SELECT a.id, b.day, b.half, a.person_id, p.name AS person, p.role,"
    " r.code AS rotation, a.block_id, count(*) OVER () AS total"
    " FROM assignments a JOIN blocks b ON b.id = a.block_id"
    " JOIN people p ON p.id = a.person_id JOIN rotations r ON r.id = a.rotation_id"
    " WHERE a.block_id BETWEEN %(first)s AND %(last)s"
    " AND (%(person)s::int IS NULL OR a.person_id = %(person)s)"
    " ORDER BY a.block_id, a.person_id LIMIT %(limit)s OFFSET %(offset)s"
)


class Listing(BaseModel):
    items: list[dict[str, Any]]
    total: int
    limit: int
    offset: int


def application(url: str) -> FastAPI:
    pool: Any = psycopg_pool.AsyncConnectionPool(
        url, min_size=4, max_size=20, open=False,
        kwargs={"row_factory": dict_row, "autocommit": True},
    )  # fmt: skip

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/api/v1/schedule")
    async def read(
        start: dt.date, end: dt.date, person_id: int | None = None, limit: int = 100,
        offset: int = 0,
    ) -> Listing:  # fmt: skip
        asked = {
            "first": block_id(start.toordinal(), "AM"), "last": block_id(end.toordinal(), "PM"),
            "person": person_id, "limit": limit, "offset": offset,
        }  # fmt: skip
        async with pool.connection() as connection:
            rows = await (await connection.execute(SQL, asked)).fetchall()
        total = rows[0].pop("total") if rows else 0
        for row in rows[1:]:
            del row["total"]
        return Listing(items=rows, total=total, limit=limit, offset=offset)

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(os.environ["DATABASE_URL"]), port=int(sys.argv[1]), access_log=False,
        log_level="warning", loop="uvloop", http="httptools",
    )  # fmt: skip
