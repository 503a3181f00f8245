"""What of each service goes into a backup while it runs, and how it gets back into one that is at
rest.

Prometheus: its snapshot API (prometheus.io/docs/prometheus/latest/querying/api, TSDB Admin APIs).
PostgreSQL: pg_dump, of the moment of an exported snapshot. SQLite: its own backup. Alertmanager
writes its silences and its log of notifications anew every few seconds. The log store's files are
never changed once they are whole, and its log of writes is read up to where it is whole.
"""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from stack.errors import HostCannot
from stack.loopback import HOST
from stack.run import guard
from stack.run.instance import Instance
from stack.run.service import Layout

DATABASE = "residency"

_MAINTAINED_WITHIN_S = 15.0
"""Alertmanager writes every five seconds; on a busy machine, a little later."""

_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Part:
    """Of one service, which is at rest when `put` is called, unless it `runs` then."""

    service: str
    take: Callable[[Instance, Path], None]
    put: Callable[[Path, Layout], None]
    runs: bool = False


def _take_prometheus(instance: Instance, into: Path) -> None:
    snapshots = instance.layout.data("prometheus") / "snapshots"
    shutil.rmtree(snapshots, ignore_errors=True)  # what a killed backup left
    answer = guard.asked(instance.layout, "prometheus", "POST", "/api/v1/admin/tsdb/snapshot")
    try:
        _copy(snapshots / answer["data"]["name"], into)
    finally:
        shutil.rmtree(snapshots)


def _put_folder(service: str) -> Callable[[Path, Layout], None]:
    def put(source: Path, layout: Layout) -> None:
        data = layout.data(service)
        shutil.rmtree(data)
        data.mkdir(mode=0o700)
        _copy(source, data)

    return put


def _take_alertmanager(instance: Instance, into: Path) -> None:
    data = instance.layout.data("alertmanager")
    asked = time.time()
    give_up = asked + _MAINTAINED_WITHIN_S
    for name in ("silences", "nflog"):
        while not (data / name).exists() or (data / name).stat().st_mtime < asked:
            if time.time() > give_up:
                raise HostCannot(
                    f"`alertmanager` has not written `{data / name}` for {_MAINTAINED_WITHIN_S:g}"
                    " s.",
                    cure="`doit health` says whether it is well.",
                )
            time.sleep(0.1)
        shutil.copyfile(data / name, into / name)


def _take_logs(instance: Instance, into: Path) -> None:
    """Its log of writes first: what becomes a segment meanwhile is in both, and counts once."""
    data = instance.layout.data("loki")
    for left in range(_TRIES, -1, -1):
        try:
            for folder in ("logstore/wal", "logstore/segments"):
                _copy(data / folder, into / folder)
            shutil.copyfile(data / "logstore/ruler.json", into / "logstore/ruler.json")
            return
        except (FileNotFoundError, shutil.Error):
            # A segment was merged into another one, or a log was done with.
            if not left:
                raise
            shutil.rmtree(into / "logstore")


def _take_sqlite(file: Path, into: Path) -> None:
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(into)) as target:
        source.backup(target)


def _take_inbox(instance: Instance, into: Path) -> None:
    _take_sqlite(instance.layout.data("inbox") / "inbox.sqlite", into / "inbox.sqlite")


def _take_annotations(instance: Instance, into: Path) -> None:
    _take_sqlite(
        instance.layout.data("grafana") / "annotations.sqlite", into / "annotations.sqlite"
    )


def connected(layout: Layout, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
    """As the server's superuser."""
    return psycopg.connect(
        host=HOST, port=layout.port("postgresql"), dbname=database, user="postgres",
        password=layout.secret("postgres_password").read_text(), connect_timeout=10,
    )  # fmt: skip


def dump(layout: Layout, into: Path, snapshot: str) -> None:
    """The database as a transaction sees it that exported its snapshot."""
    _tool(layout, "pg_dump", "--format=custom", "--compress=zstd:1", f"--snapshot={snapshot}",
          f"--file={into}", DATABASE)  # fmt: skip


def _take_database(instance: Instance, into: Path) -> None:
    """Nothing: it is taken with its answers, so that both are of one moment."""


def _put_database(source: Path, layout: Layout) -> None:
    with connected(layout, "postgres") as server:
        server.autocommit = True
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE} OWNER scheduler")
    _tool(layout, "pg_restore", f"--dbname={DATABASE}", "--exit-on-error", str(source / "dump"))


def _tool(layout: Layout, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [layout.program("postgresql", name), *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={
            "PGHOST": HOST, "PGPORT": str(layout.port("postgresql")), "PGUSER": "postgres",
            "PGPASSWORD": layout.secret("postgres_password").read_text(), "LC_ALL": "C",
        },
    )  # fmt: skip
    if done.returncode:
        said = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise HostCannot(f"`{name}` failed: {said}", cure="`doit logs postgresql` may say more.")


def _copy(source: Path, into: Path) -> None:
    shutil.copytree(source, into, dirs_exist_ok=True, copy_function=_copy_file)


def _copy_file(source: str, into: str) -> str:
    """Its contents alone: those of a backup may not be written to, and live ones may."""
    return str(shutil.copyfile(source, into))


PARTS = (
    Part(service="prometheus", take=_take_prometheus, put=_put_folder("prometheus")),
    Part(service="alertmanager", take=_take_alertmanager, put=_put_folder("alertmanager")),
    Part(service="loki", take=_take_logs, put=_put_folder("loki")),
    Part(service="inbox", take=_take_inbox, put=_put_folder("inbox")),
    Part(service="grafana", take=_take_annotations, put=_put_folder("grafana")),
    Part(service="postgresql", take=_take_database, put=_put_database, runs=True),
)
