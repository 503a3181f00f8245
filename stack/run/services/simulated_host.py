"""The simulated host: a synthetic /proc and /sys that node_exporter reads.

Others reach its program through this module: faults fill its disk, node_exporter reads it.
"""

import sys
import time
from pathlib import Path

from stack.programs.simhost import disk, node_exporter_arguments
from stack.programs.simhost.enter import disk_unavailable
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

__all__ = ["SERVICE", "disk", "disk_unavailable", "node_exporter_arguments", "root"]

_FRESH_S = 1.0
"""Age in seconds up to which its files count as alive; it writes them several times a second."""


def root(layout: Layout) -> Path:
    """Folder with its `proc/`, `sys/` and `root/`."""
    return layout.data(SERVICE.name)


def command(layout: Layout) -> list[str]:
    control = str(layout.control(SERVICE.name))
    return [sys.executable, "-m", "stack.programs.simhost", "--root", str(root(layout)),
            "--control", control]  # fmt: skip


def ready(layout: Layout) -> str | None:
    stat = root(layout) / "proc" / "stat"
    try:
        age_s = time.time() - stat.stat().st_mtime
    except FileNotFoundError:
        return f"{stat} does not exist yet"
    return None if age_s < _FRESH_S else f"{stat} is {age_s:.0f} s old"


SERVICE = Service(
    name="simulated-host",
    about="CPU, memory, disk and network for faults to hit",
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=ready,
)
