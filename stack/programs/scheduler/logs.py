"""Logs: one JSON object per line on stdout, always with the same fields, null if unknown."""

import json
import logging
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TextIO

from prometheus_client import Counter

FIELDS = (
    "timestamp",
    "level",
    "logger",
    "message",
    "request_id",
    "method",
    "path",
    "status",
    "request_time",
    "user_role",
)
"""`exception` follows if there is one: the whole traceback as one string."""


@dataclass(kw_only=True)
class Request:
    """What is known about the request being answered; filled in along the way."""

    request_id: str
    method: str
    path: str
    status: int | None = None
    seconds: float | None = None
    user_role: str | None = None
    why: str | None = None
    """What is unusual about the answer; it makes the line a warning."""
    error: BaseException | None = None


current: ContextVar[Request | None] = ContextVar("current_request", default=None)
"""The request that log records belong to; None outside of a request."""


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON with FIELDS. `request_time` has a unit: LogQL needs it."""

    def format(self, record: logging.LogRecord) -> str:
        request = current.get()
        seconds = request.seconds if request else None
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, str | int | None] = {
            "timestamp": f"{whole}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request.request_id if request else None,
            "method": request.method if request else None,
            "path": request.path if request else None,
            "status": request.status if request else None,
            "request_time": None if seconds is None else f"{seconds:.3f}s",
            "user_role": request.user_role if request else None,
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class CountingHandler(logging.StreamHandler[TextIO]):
    """Writes each record and counts it by level."""

    def __init__(self, counter: Counter, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(JsonFormatter())
        self._counter = counter

    def emit(self, record: logging.LogRecord) -> None:
        self._counter.labels(record.levelname).inc()
        super().emit(record)


def install(counter: Counter, stream: TextIO = sys.stdout) -> None:
    """Make this the only output for log records of the process, including uvicorn's."""
    root = logging.getLogger()
    root.handlers[:] = [CountingHandler(counter, stream)]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
    # The pool logs every checkout, and repeats what `db.py` logs once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
