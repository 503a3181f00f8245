"""The stub Residency Scheduler: the application that is monitored."""

import sys
from urllib.parse import urlencode

from stack.loopback import HOST
from stack.run import probes
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

PORT = 8000

_ACTIVE_WINDOW_S = 300.0
"""Seconds, at speed 1, that a user counts as active after a request."""

_ACTIVE_WINDOW_FLOOR_S = 3.0
"""People are not sped up: at any speed they make a request a second, so that a shorter window would
see only some of them, and others at the next scrape."""


def command(layout: Layout) -> list[str]:
    return [
        sys.executable,
        "-m",
        "stack.programs.scheduler",
        "--port",
        str(layout.port(SERVICE.name)),
    ]


def environment(layout: Layout) -> dict[str, str]:
    """It reaches the database through `database-link`. Passwords are in files: other programs of
    the same user can read an environment."""
    address = f"{HOST}:{layout.port('database-link')}/residency"
    passwords = layout.secret("scheduler.pgpass")
    active_window_s = max(_ACTIVE_WINDOW_S / layout.speed, _ACTIVE_WINDOW_FLOOR_S)
    return {
        "DATABASE_URL": f"postgresql://scheduler@{address}?{urlencode({'passfile': passwords})}",
        "SCHEDULER_PASSWORD_FILE": str(layout.secret("scheduler_password")),
        "SCHEDULER_ACTIVE_WINDOW": str(active_window_s),
        "SCHEDULER_PROCESSES": str(layout.backends),
    }


SERVICE = Service(
    name="backend",
    about="stub Residency Scheduler",
    ports={"http": PORT},
    command=command,
    processes=lambda layout: layout.backends,
    cpu_limit=1.0,  # a process has one thread of work: who fills it has no more to give
    memory_limit_bytes=OWN_MEMORY_BYTES,
    environment=environment,
    ready=probes.http("backend", "/health/ready"),
    health=("/health", "/health/ready"),
    after=("postgresql", "database-link"),
    page="/docs",
)
