"""The network link between the scheduler and PostgreSQL, which a fault can make slow."""

import socket
import sys

from stack.loopback import HOST
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

PORT = 5433


def command(layout: Layout) -> list[str]:
    listen, target = layout.port(SERVICE.name), layout.port("postgresql")
    control = str(layout.control(SERVICE.name))
    program = [sys.executable, "-m", "stack.programs.dblink"]
    return [*program, "--listen", str(listen), "--target", str(target), "--control", control]


def ready(layout: Layout) -> str | None:
    try:
        socket.create_connection((HOST, layout.port(SERVICE.name)), timeout=1).close()
    except OSError as error:
        return str(error)
    return None


SERVICE = Service(
    name="database-link",
    about="the scheduler's connection to PostgreSQL",
    ports={"tcp": PORT},
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=ready,
)
