"""Settings, read once from the environment; `--help` prints them."""

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from stack.errors import BadInput

VERSION = "1.0.0"
YEAR_START = dt.date(2025, 7, 1)
YEAR_END = dt.date(2026, 6, 30)
"""The academic year of the data. Fixed, so that nothing depends on the clock."""

MOST_PROCESSES = 64
LEAST_CONNECTIONS = 2
"""Of a process, however many there are: one that waits must not stop all that it does."""

VARIABLES = {
    "DATABASE_URL": "postgresql://user:password@host:port/database; required",
    "DATABASE_PASSWORD_FILE": "file with the password, where the URL has none",
    "SCHEDULER_SEED": "integer that determines all seeded rows; default 2025",
    "SCHEDULER_PASSWORD": "password of every seeded user, set when seeding; default `residency`",
    "SCHEDULER_PASSWORD_FILE": "file with it, in its place",
    "SCHEDULER_SECRET": "key that signs tokens; default: derived from password and seed",
    "SCHEDULER_PROCESSES": "that share the port and the work, 1 to 64; default 1",
    "SCHEDULER_POOL_SIZE": "database connections of each process; default 20 shared among them",
    "SCHEDULER_MAX_WAITING": "requests that may wait for a connection, others get 503; default 100",
    "SCHEDULER_ACQUIRE_TIMEOUT": "seconds to wait for one of the busy connections; default 15",
    "SCHEDULER_STATEMENT_TIMEOUT": "seconds that one statement may take; default 60",
    "SCHEDULER_ACTIVE_WINDOW": "seconds that a token counts as an active user; default 300",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an application is configured with. Times in seconds."""

    conninfo: str
    seed: int = 2025
    password: str = "residency"
    secret: bytes = b""
    processes: int = 1
    pool_size: int = 20
    """Database connections of each process."""
    max_waiting: int = 100
    acquire_timeout_s: float = 15.0
    statement_timeout_s: float = 60.0
    active_window_s: float = 300.0
    token_life_s: float = 12 * 3600.0
    reconnect_every_s: float = 0.25
    """Pause between attempts to reach a database that is away."""
    doubt_s: float = 1.0
    """How long a request waits while it is not yet known whether the database is away."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the variables in VARIABLES. Raises BadInput, naming the variable."""
    password = (
        _of_file(environment, "SCHEDULER_PASSWORD_FILE")
        or environment.get("SCHEDULER_PASSWORD")
        or Settings.password
    )
    seed = int(_number(environment, "SCHEDULER_SEED", Settings.seed, whole=True, least=None))
    processes = int(_number(environment, "SCHEDULER_PROCESSES", Settings.processes, whole=True))
    if processes > MOST_PROCESSES:
        raise BadInput(
            f"`SCHEDULER_PROCESSES` is {processes}, expected 1 to {MOST_PROCESSES} (environment)."
        )
    pool_size = max(LEAST_CONNECTIONS, Settings.pool_size // processes)
    # Derived, not random: tokens survive a restart, as they would with a configured key.
    secret = environment.get("SCHEDULER_SECRET") or f"{password}/{seed}"
    return Settings(
        conninfo=_conninfo(
            environment.get("DATABASE_URL", ""), _of_file(environment, "DATABASE_PASSWORD_FILE")
        ),
        seed=seed,
        password=password,
        secret=hashlib.sha256(secret.encode()).digest(),
        processes=processes,
        pool_size=int(_number(environment, "SCHEDULER_POOL_SIZE", pool_size, whole=True)),
        max_waiting=int(
            _number(environment, "SCHEDULER_MAX_WAITING", Settings.max_waiting, whole=True)
        ),
        acquire_timeout_s=_number(
            environment, "SCHEDULER_ACQUIRE_TIMEOUT", Settings.acquire_timeout_s
        ),
        statement_timeout_s=_number(
            environment, "SCHEDULER_STATEMENT_TIMEOUT", Settings.statement_timeout_s
        ),
        active_window_s=_number(environment, "SCHEDULER_ACTIVE_WINDOW", Settings.active_window_s),
    )


def _of_file(environment: Mapping[str, str], name: str) -> str:
    """What is in the file that a variable names; "" where none is named."""
    file = environment.get(name)
    if not file:
        return ""
    try:
        return Path(file).read_text().strip()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"`{name}` names `{file}`, which cannot be read:"
            f" {getattr(error, 'strerror', error)} (environment).",
            cure=f"{name}: {VARIABLES[name]}.",
        ) from None


def _number(
    environment: Mapping[str, str],
    name: str,
    default: float,
    *,
    whole: bool = False,
    least: float | None = 0.001,
) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")) or (least and value < least):
        kind = "a whole number" if whole else "a number of seconds"
        above = " above 0" if least else ""
        raise BadInput(
            f"`{name}` is `{text}`, expected {kind}{above} (environment).",
            cure=f"{name}: {VARIABLES[name]}.",
        )
    return value


def _conninfo(url: str, password: str) -> str:
    """DATABASE_URL completed; messages never show the URL, which contains a password."""
    cure = f"DATABASE_URL: {VARIABLES['DATABASE_URL']}."
    if not url:
        raise BadInput("`DATABASE_URL` is not set (environment).", cure=cure)
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise BadInput(
            "`DATABASE_URL` is not a PostgreSQL connection URL (environment).", cure=cure
        ) from None
    # Asking for TLS and GSS first would cost two more round trips per connection.
    defaults = {"sslmode": "disable", "gssencmode": "disable", "connect_timeout": "10"}
    if password:
        defaults["password"] = password
    return make_conninfo(**{**defaults, **{k: str(v) for k, v in given.items() if v is not None}})
