"""Logs: one JSON object per line on stdout, always with the same fields, null if unknown."""

import json
import logging
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TextIO

import orjson
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
        line: dict[str, str | int | None] = {
            "timestamp": f"{_written(int(record.created))}.{int(record.msecs):03}Z",
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
        try:
            return orjson.dumps(line).decode()
        except TypeError:  # half of a surrogate pair, which is no UTF-8
            return json.dumps(line)


@lru_cache(maxsize=2)  # a busy second has hundreds of lines
def _written(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


class CountingHandler(logging.StreamHandler[TextIO]):
    """Writes each record and counts it by level."""

    def __init__(self, counter: Counter, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(JsonFormatter())
        self._counted = cache(counter.labels)

    def emit(self, record: logging.LogRecord) -> None:
        self._counted(record.levelname).inc()
        super().emit(record)


def install(counter: Counter, stream: TextIO = sys.stdout) -> None:
    """Make this the only output for log records of the process, including uvicorn's."""
    # What no line says is not looked up (Python's logging HOWTO, "Optimization").
    vars(logging).update(_srcfile=None, logThreads=False, logProcesses=False,
                         logMultiprocessing=False, logAsyncioTasks=False)  # fmt: skip
    root = logging.getLogger()
    root.handlers[:] = [CountingHandler(counter, stream)]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
    # The pool logs every checkout, and repeats what `db.py` logs once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
