"""What Prometheus knows of an instance's backups: when the newest one was taken, and whether the
last attempt succeeded.

A file for node_exporter's textfile collector (github.com/prometheus/node_exporter, "Textfile
Collector"). An instance is to be backed up from its first backup on: before, the newest was taken
at 0 and no attempt failed, and no alert fires. The series are there from its first start all the
same, so that the failure of its very first backup is one.
"""

from dataclasses import dataclass
from pathlib import Path

from stack.run.service import Layout

_FILE = "backup.prom"

_HELP = {
    "backup_last_success_timestamp_seconds": "Moment of the newest backup; 0 if there was none.",
    "backup_last_run_successful": "Whether the last attempt succeeded; 1 if there was none.",
    "backup_size_bytes": "Size of the newest backup.",
}


@dataclass(frozen=True, kw_only=True)
class BackedUp:
    """Of one instance, as far as Prometheus is told."""

    taken: float = 0.0
    """Unix seconds; 0 if it never was."""
    successful: bool = True
    size_bytes: int = 0


def folder(layout: Layout) -> Path:
    """Where node_exporter looks for what others measured."""
    return layout.directory / "textfile"


def begin(layout: Layout) -> None:
    """Make the file of an instance that has none yet."""
    if not (folder(layout) / _FILE).exists():
        tell(layout, BackedUp())


def tell(layout: Layout, found: BackedUp) -> None:
    """Replace the file in one step, as node_exporter may read it at any moment."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    values = (found.taken, float(found.successful), float(found.size_bytes))
    registry = CollectorRegistry()
    for (name, meaning), value in zip(_HELP.items(), values, strict=True):
        Gauge(name, meaning, registry=registry).set(value)
    folder(layout).mkdir(mode=0o700, exist_ok=True)
    write_to_textfile(str(folder(layout) / _FILE), registry)


def told(layout: Layout) -> BackedUp:
    """What the file says; as of an instance that was never backed up where there is none, or one
    that nobody can read."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        text = (folder(layout) / _FILE).read_text()
        families = list(text_string_to_metric_families(text))
        found = {one.name: one.value for family in families for one in family.samples}
        taken, successful, size = (found[name] for name in _HELP)
    except (OSError, ValueError, KeyError):
        return BackedUp()
    return BackedUp(taken=taken, successful=successful == 1, size_bytes=int(size))
