"""PostgreSQL server. Settings: postgresql.org/docs/17, "Server Configuration"."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psutil

from stack.errors import HostCannot
from stack.loopback import HOST
from stack.run import probes
from stack.run.service import Layout, Service
from stack.store.disk import said
from stack.users import unprivileged

PORT = 5432

_SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
hba_file = '{hba}'
# Room beyond what the alerts on connections call too many; the last ones are kept for those who
# watch and repair: a server that is full can still say so.
max_connections = 120
reserved_connections = 3
# Who connects and says nothing takes one of them for no longer.
authentication_timeout = 10s
shared_buffers = 32MB
{durability}# No time zone files are needed for GMT, so none of the host's are read.
timezone = 'GMT'
log_timezone = 'GMT'
# Time, process and SQLSTATE, and nothing that a client chooses: names of users and databases may
# hold anything, also a newline. In the message itself the server puts a tab after each newline.
log_line_prefix = '%m [%p] %e '
log_lock_waits = on
# Counts each kind of statement: calls, time, rows. The exporter reads it, and whoever looks for
# what makes the database slow. Its text is kept without values.
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.max = 1000
"""

_LOSES = """\
# The rows can be made again from the seed, so a crash of the host may lose them.
fsync = off
synchronous_commit = off
full_page_writes = off
"""

_EXTENSIONS = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements\n"
"""In the scheduler's database; one statement a line, each harmless where it was done before."""

_EXTENDED = "lab.extensions"
"""File in a cluster with the statements that were done."""

_COMPLAINT = re.compile(r"\b(ERROR|FATAL|PANIC|error|fatal):")

_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


def config(layout: Layout) -> dict[str, str]:
    hba = layout.config(SERVICE.name) / "pg_hba.conf"
    settings = _SETTINGS.format(
        host=HOST,
        port=layout.port(SERVICE.name),
        hba=hba,
        durability="" if layout.profile.is_production else _LOSES,
    )
    return {"postgresql.conf": settings, "pg_hba.conf": _HBA}


def command(layout: Layout) -> list[str]:
    settings = layout.config(SERVICE.name) / "postgresql.conf"
    return [layout.program("postgresql", "postgres"), "-D", str(layout.data(SERVICE.name)),
            "-c", f"config_file={settings}"]  # fmt: skip


def init(layout: Layout) -> None:
    """Make the cluster, its roles, the database and its extension, aside and then renamed into
    place.

    Raises HostCannot with PostgreSQL's own words when it fails.
    """
    data = layout.data(SERVICE.name)
    partial = data.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    if user := unprivileged():
        os.chown(partial, user.pw_uid, user.pw_gid)
    initdb = [layout.program("postgresql", "initdb"), "-D", str(partial), "--username=postgres"]
    initdb += ["--auth=reject", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-c", "timezone=GMT"]
    _run(initdb, partial)
    _single(layout, partial, "postgres", _sql(layout))
    _extend(layout, partial)
    partial.rename(data)


def renew(layout: Layout) -> None:
    """Make in an older cluster what it lacks. One that runs is left alone until its next start.

    Raises HostCannot with PostgreSQL's own words when it fails.
    """
    data = layout.data(SERVICE.name)
    if _read(data / _EXTENDED) != _EXTENSIONS and not _runs(data):
        _extend(layout, data)


def _extend(layout: Layout, cluster: Path) -> None:
    _single(layout, cluster, "residency", _EXTENSIONS)
    (cluster / _EXTENDED).write_text(_EXTENSIONS)


def _runs(cluster: Path) -> bool:
    """Whether a server works on it; one that was killed leaves its file behind."""
    first = _read(cluster / "postmaster.pid").partition("\n")[0]
    return first.isdecimal() and psutil.pid_exists(int(first))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def _single(layout: Layout, cluster: Path, database: str, statements: str) -> None:
    command = [layout.program("postgresql", "postgres"), "--single", "-D", str(cluster)]
    # Its log would quote a statement that fails, and with it the password.
    command += ["-c", "log_min_error_statement=panic", "-c", "log_statement=none"]
    command += ["-c", "fsync=off", "-c", "log_timezone=GMT"]
    _run([*command, database], cluster, statements)


def _sql(layout: Layout) -> str:
    """Roles and database; one statement a line, as single-user mode reads them."""

    def password(name: str) -> str:
        return layout.secret(name).read_text()

    return "\n".join(
        [
            f"ALTER ROLE postgres PASSWORD '{password('postgres_password')}'",
            f"CREATE ROLE scheduler LOGIN PASSWORD '{password('scheduler_database_password')}'",
            f"CREATE ROLE exporter LOGIN PASSWORD '{password('exporter_database_password')}'",
            "GRANT pg_monitor TO exporter",
            "GRANT pg_use_reserved_connections TO exporter",
            "CREATE DATABASE residency OWNER scheduler",
            "",
        ]
    )


def _run(command: list[str], directory: Path, text: str = "") -> None:
    user = unprivileged()
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=directory,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "GMT"},
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode or "ERROR" in done.stderr or "FATAL" in done.stderr:
        words = _without_literals(done.stdout + done.stderr, text)
        if trouble := said(words, directory.parent):
            raise trouble
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        shown = [line for line in lines if _COMPLAINT.search(line)] or lines
        raise HostCannot(
            f"postgresql: `{Path(command[0]).name}` failed in {directory}: "
            f"{' / '.join(shown[-3:]) or f'it ended with {done.returncode}'}",
            cure="Fix what it names, then run `doit up` again.",
        )


def _without_literals(words: str, statements: str) -> str:
    """What PostgreSQL said, which may quote the statements: what they have in quotes is secret."""
    for literal in re.findall(r"'([^'\n]+)", statements):
        words = words.replace(literal, "…")
    return words


def ready(layout: Layout) -> str | None:
    port = str(layout.port(SERVICE.name))
    check = layout.program("postgresql", "pg_isready")
    return probes.succeeds([check, "-q", "-h", HOST, "-p", port, "-d", "residency"])


SERVICE = Service(
    name="postgresql",
    about="the scheduler's database",
    ports={"tcp": PORT},
    package="postgresql",
    config=config,
    command=command,
    init=init,
    renew=renew,
    ready=ready,
    unprivileged=True,
    stop_signal="INT",  # "fast shutdown": disconnects clients; TERM would wait for them
)
