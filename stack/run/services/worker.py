"""The scheduler's background worker, a stub that faults may strain; it lives within limits."""

import sys
import time
from pathlib import Path

from stack.run.service import Layout, Service

_FRESH_S = 2.0
"""Age in seconds up to which its last job counts as recent; it does two a second."""


def _beat(layout: Layout) -> Path:
    return layout.data(SERVICE.name) / "beat"


def command(layout: Layout) -> list[str]:
    control = str(layout.control(SERVICE.name))
    return [sys.executable, "-m", "stack.programs.worker", "--control", control,
            "--beat", str(_beat(layout))]  # fmt: skip


def ready(layout: Layout) -> str | None:
    try:
        age_s = time.time() - _beat(layout).stat().st_mtime
    except FileNotFoundError:
        return "it has not finished a job yet"
    return None if age_s < _FRESH_S else f"its last job finished {age_s:.0f} s ago"


SERVICE = Service(
    name="worker",
    about="stub of the scheduler's background jobs",
    command=command,
    ready=ready,
    steady_after_s=0,  # a crash loop is restarted without pause, as Docker begins to
    cpu_limit=0.1,  # so little that it can be used up on a busy machine, too
    memory_limit_bytes=64 * 1024 * 1024,
)
