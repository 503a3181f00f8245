"""The simulated host: a synthetic /proc and /sys that node_exporter reads."""

import sys
from pathlib import Path

from stack.service import Layout, Service


def root(layout: Layout) -> Path:
    """Folder with its `proc/`, `sys/` and `root/`."""
    return layout.data(SERVICE.name)


def command(layout: Layout) -> list[str]:
    control = str(layout.control(SERVICE.name))
    return [sys.executable, "-m", "stack.simhost", "--root", str(root(layout)),
            "--control", control]  # fmt: skip


def ready(layout: Layout) -> str | None:
    stat = root(layout) / "proc" / "stat"
    return None if stat.exists() else f"{stat} is not there yet"


SERVICE = Service(
    name="simulated-host",
    about="CPU, memory, disk and network that faults may hurt",
    command=command,
    ready=ready,
)
