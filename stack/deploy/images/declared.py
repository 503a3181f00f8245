"""How each service runs in a container: one entry for each that has an image.

Configuration is not part of an image: the checked-in files are mounted, under Compose's names. An
image writes to its volume alone, and, where it is mounted, to the folder of logs that the shipper
reads. Each has a health check, and busybox for those that nothing of their own could ask.
"""

from dataclasses import dataclass, field

DATA = "/data"


@dataclass(frozen=True, kw_only=True)
class Script:
    """A program for /bin/sh, which is busybox."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """What the image of a service adds to its closure."""

    program: str
    """In the `bin/` of the service's package, or an absolute path in the image. Of the lab's own
    programs: the module in `stack.programs`."""
    packages: tuple[str, ...] = ()
    """More packages that it needs."""
    started_by: tuple[str, ...] = ()
    """Arguments that it always gets, before those below. `{NAME}` is the folder of a package."""
    arguments: tuple[str, ...]
    """What `docker run IMAGE` passes unless other arguments are given."""
    health: tuple[str, ...]
    """A program in the package's `bin/`, or an absolute path, and its arguments; it ends with 0
    while all is well."""
    data: str = DATA
    """Its volume."""
    folders: tuple[str, ...] = ()
    """More that it has: a tmpfs takes over the mode of what it is mounted on."""
    environment: dict[str, str] = field(default_factory=dict)
    files: tuple[Script, ...] = ()


LOGS = "/var/log/residency"
"""Where the shipper reads, and services that are told to write."""

_BUSYBOX = "/bin/busybox"


def _asks(port: int, path: str) -> tuple[str, ...]:
    """Whether it answers 200."""
    url = f"http://127.0.0.1:{port}{path}"
    return (_BUSYBOX, "wget", "-q", "-T", "4", "-O", "/dev/null", url)


LOGGED = Script(
    path="/bin/logged",
    text=f"""\
#!/bin/sh
# Runs a program and passes signals on. What it says goes to Docker and, where a volume for logs is
# mounted, to a file that the shipper reads, which is emptied before it gets too large.
file={LOGS}/$SERVICE.log
( : >> "$file" ) 2> /dev/null || exec "$@"
rm -f /tmp/said && mkfifo /tmp/said || exec "$@"
tee -a "$file" < /tmp/said &
tee=$!
"$@" > /tmp/said 2>&1 &
program=$!
for signal in HUP INT QUIT TERM USR1; do
    trap "kill -$signal $program 2> /dev/null" "$signal"
done
(
    exec > /dev/null 2>&1
    while sleep 60; do
        [ "$(stat -c %s "$file")" -lt 10000000 ] || : > "$file"
    done
) &
while :; do
    wait "$program"
    code=$?
    kill -0 "$program" 2> /dev/null || break
done
wait "$tee"
exit "$code"
""",
)
"""Starts each program. The images' PID 1 is this shell, which collects orphans, too."""

_POSTGRESQL = """\
#!/bin/sh
# Makes the cluster at the first start, with what /docker-entrypoint-initdb.d has for it, as the
# upstream image does; then becomes the server. The cluster has its name once all of it is there.
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    new="$PGDATA.part"
    busybox rm -rf "$new"
    initdb --pgdata="$new" --username=postgres --auth=scram-sha-256 --no-instructions \\
        --pwfile="${POSTGRES_PASSWORD_FILE:?must name a file with the password of postgres}" \\
        --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8
    echo "host all all all scram-sha-256" >> "$new/pg_hba.conf"
    read -r PGPASSWORD < "$POSTGRES_PASSWORD_FILE" || [ -n "$PGPASSWORD" ]
    export PGPASSWORD
    pg_ctl --pgdata="$new" --wait --silent start --log=/tmp/first-start.log \\
        --options="-c listen_addresses='' -c unix_socket_directories=/tmp $FIRST_START"
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ -e "$file" ] || continue
        psql --host=/tmp --username=postgres --quiet --no-psqlrc --set=ON_ERROR_STOP=1 \\
            --file="$file"
    done
    unset PGPASSWORD
    pg_ctl --pgdata="$new" --wait --silent stop --mode=fast
    busybox mv "$new" "$PGDATA"
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
        program="blackbox_exporter",
        arguments=("--config.file=/etc/blackbox/blackbox.yml",),
        health=_asks(9115, "/-/healthy"),
    ),
    "postgres-exporter": Image(program="postgres_exporter", arguments=(), health=_asks(9187, "/")),
    "node-exporter": Image(program="node_exporter", arguments=(), health=_asks(9100, "/")),
    "postgresql": Image(
        program="/bin/start-postgresql",
        arguments=("-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp"),
        health=("pg_isready", "--quiet", "--host=127.0.0.1"),
        environment={
            "PGDATA": f"{DATA}/cluster",
            "TZ": "GMT",
            "FIRST_START": "-c shared_preload_libraries=pg_stat_statements",
        },
        folders=("/var/run/postgresql",),
        # initdb starts the server through a shell.
        files=(Script(path="/bin/start-postgresql", text=_POSTGRESQL),),
    ),
    "cadvisor": Image(
        program="cadvisor",
        arguments=("--listen", "0.0.0.0", "--port", "8080", "--containers"),
        health=_asks(8080, "/healthz"),
    ),
    "proxy": Image(
        program="nginx",
        started_by=("-e", "stderr"),
        arguments=("-p", f"{DATA}/", "-c", "/etc/nginx/nginx.conf"),
        # Whether the certificate is to be trusted is not asked.
        health=(
            _BUSYBOX,
            "wget",
            "-q",
            "--no-check-certificate",
            "-T",
            "4",
            "-O",
            "/dev/null",
            "https://127.0.0.1:8443/-/healthy",
        ),
    ),
    "backend": Image(
        program="scheduler",
        arguments=("--host", "0.0.0.0", "--port", "8000"),
        health=_asks(8000, "/health"),
    ),
    "worker": Image(
        program="worker",
        arguments=("--control", f"{DATA}/control.json", "--beat", f"{DATA}/beat"),
        # It touches the file twice a second.
        health=(_BUSYBOX, "sh", "-c", f"test $(($(date +%s) - $(stat -c %Y {DATA}/beat))) -lt 5"),
    ),
    "inbox": Image(
        program="inbox",
        arguments=(
            *("--listen", "0.0.0.0", "--http-port", "8025", "--smtp-port", "1025"),
            *("--database", f"{DATA}/inbox.sqlite", "--control", f"{DATA}/control.json"),
        ),
        health=_asks(8025, "/health"),
    ),
    "loki": Image(
        program="logstore",
        arguments=("--config", "/config/loki-config.yml"),
        health=_asks(3100, "/ready"),
        data="/loki",
    ),
    "promtail": Image(
        program="logship",
        arguments=("--config", "/etc/promtail/promtail-config.yml"),
        health=_asks(9080, "/ready"),
        data="/var/lib/promtail",
    ),
    "grafana": Image(
        program="viewer",
        packages=("viewer",),
        started_by=("--page", "{viewer}/share/viewer"),
        arguments=(
            *("--listen", "0.0.0.0", "--port", "3001", "--host", "grafana"),
            *("--provisioning", "/etc/grafana/provisioning"),
            *("--annotations", f"{DATA}/annotations.sqlite", "--control", f"{DATA}/control.json"),
            *("--reach", "prometheus:9090", "--reach", "loki:3100"),
            *("--reach", "alertmanager:9093"),
        ),
        health=_asks(3001, "/api/health"),
    ),
}
