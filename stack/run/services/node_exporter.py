"""node_exporter: the metrics of the simulated host, whose disk is mounted for it alone, and what
the lab itself knows of backups."""

import sys

from stack.run import backedup, guard, probes
from stack.run.service import Layout, Service
from stack.run.services.simulated_host import node_exporter_arguments, root

PORT = 9100


def command(layout: Layout) -> list[str]:
    exporter = layout.program("node_exporter", "node_exporter")
    arguments = [
        *node_exporter_arguments(root(layout)),
        "--collector.textfile",  # BackupTooOld, BackupFailed
        f"--collector.textfile.directory={backedup.folder(layout)}",
        *guard.listening(layout, SERVICE.name),
    ]
    enter = [sys.executable, "-m", "stack.programs.simhost.enter", "--root", str(root(layout))]
    return [*enter, "--", exporter, *arguments]


SERVICE = Service(
    name="node-exporter",
    about="metrics of the simulated host",
    ports={"http": PORT},
    guarded=True,
    package="node_exporter",
    command=command,
    ready=probes.http("node-exporter", "/metrics", contains="node_cpu_seconds_total{"),
    after=("nginx", "simulated-host"),
)
