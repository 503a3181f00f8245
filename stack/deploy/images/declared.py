"""How each service runs in a container: one entry for each that runs from a package.

Configuration is not part of an image: the checked-in files are mounted, under Compose's names.
`/data` is the only folder that an image writes to. A health check needs a program of the package
that can ask; where there is none, the container has none, and Prometheus still scrapes it.
"""

from dataclasses import dataclass, field

DATA = "/data"


@dataclass(frozen=True, kw_only=True)
class Link:
    """A symbolic link in the image; `target` is relative to the package's store path."""

    path: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Script:
    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """What the image of a service adds to its closure."""

    program: str
    """In the package's `bin/`, or an absolute path in the image."""
    arguments: tuple[str, ...]
    """What `docker run IMAGE` passes unless other arguments are given."""
    health: tuple[str, ...] = ()
    """A program in the package's `bin/` and its arguments; it ends with 0 while all is well."""
    environment: dict[str, str] = field(default_factory=dict)
    files: tuple[Link | Script, ...] = ()


_POSTGRESQL = """\
#!/bin/sh
# Makes the cluster at the first start, then becomes the server.
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth=scram-sha-256 --no-instructions \\
        --pwfile="${POSTGRES_PASSWORD_FILE:?must name a file with the password of postgres}" \\
        --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec postgres "$@"
"""

IMAGES: dict[str, Image] = {
    "prometheus": Image(
        program="prometheus",
        arguments=(
            "--config.file=/etc/prometheus/prometheus.yml",
            f"--storage.tsdb.path={DATA}",
            "--web.enable-lifecycle",
        ),
        health=("promtool", "check", "ready", "--url=http://127.0.0.1:9090"),
    ),
    "alertmanager": Image(
        program="alertmanager",
        arguments=(
            "--config.file=/etc/alertmanager/alertmanager.yml",
            f"--storage.path={DATA}",
            "--cluster.listen-address=",
        ),
        health=("amtool", "--alertmanager.url=http://127.0.0.1:9093", "cluster", "show"),
    ),
    "blackbox-exporter": Image(
        program="blackbox_exporter", arguments=("--config.file=/etc/blackbox/blackbox.yml",)
    ),
    "postgres-exporter": Image(program="postgres_exporter", arguments=()),
    "node-exporter": Image(program="node_exporter", arguments=()),
    "postgresql": Image(
        program="/bin/start-postgresql",
        arguments=("-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp"),
        health=("pg_isready", "--quiet", "--host=127.0.0.1"),
        environment={"PGDATA": f"{DATA}/cluster", "TZ": "GMT"},
        files=(
            # initdb starts the server through a shell.
            Link(path="/bin/sh", target="usr/bin/busybox"),
            Script(path="/bin/start-postgresql", text=_POSTGRESQL),
        ),
    ),
}
