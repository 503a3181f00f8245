"""postgres_exporter: PostgreSQL's statistics as metrics, read as a user who may only monitor.

Settings: github.com/prometheus-community/postgres_exporter.
"""

from stack.loopback import HOST
from stack.run import guard, probes
from stack.run.service import Layout, Service

PORT = 9187

_NOT_ASKED = (
    "database",  # how large they are: looks at every file
    "replication",
    "replication_slot",
    "roles",
    "stat_bgwriter",
    "stat_user_tables",
    "statio_user_tables",
    "wal",
)
"""Collectors whose figures neither a rule nor a dashboard of the stack shows. With the settings
they would be two thirds of all series, and half of the CPU that a scrape takes."""


def command(layout: Layout) -> list[str]:
    return [layout.program("postgres_exporter", "postgres_exporter"),
            *guard.listening(layout, SERVICE.name), "--disable-settings-metrics",
            "--collector.stat_statements",
            *(f"--no-collector.{name}" for name in _NOT_ASKED)]  # fmt: skip


def environment(layout: Layout) -> dict[str, str]:
    return {
        "DATA_SOURCE_URI": f"{HOST}:{layout.port('postgresql')}/residency?sslmode=disable",
        "DATA_SOURCE_USER": "exporter",
        "DATA_SOURCE_PASS_FILE": str(layout.secret("exporter_database_password")),
    }


SERVICE = Service(
    name="postgres-exporter",
    about="metrics of PostgreSQL",
    ports={"http": PORT},
    guarded=True,
    package="postgres_exporter",
    command=command,
    environment=environment,
    ready=probes.http("postgres-exporter", "/metrics", contains="pg_up 1"),
    after=("nginx", "postgresql"),
)
