"""Tells nginx which user of this machine asks it: strangers get nothing of a server's instance."""

import sys
from pathlib import Path

from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

NAME = "ident"


def at(layout: Layout) -> Path:
    """The socket at which it is asked."""
    return layout.directory / "ident.sock"


def command(layout: Layout) -> list[str]:
    return [sys.executable, "-m", "stack.programs.ident", "--socket", str(at(layout))]


def ready(layout: Layout) -> str | None:
    return None if at(layout).is_socket() else f"`{at(layout)}` is not there yet"


SERVICE = Service(
    name=NAME,
    about="tells nginx whose request it is",
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=ready,
)
