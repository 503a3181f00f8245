"""The cluster that `up` makes: what is said when that fails."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT
from stack.run import secrets
from stack.run.instance import Record, instances_dir, layout_of
from stack.run.ports import free
from stack.run.service import Layout
from stack.run.services import SERVICES, postgresql
from stack.store.disk import make_folder
from stack.store.packageset import realise


@pytest.fixture
def layout(state_dir: Path) -> Iterator[Layout]:
    packages = {name: str(path) for name, path in realise(["postgresql"]).items()}
    record = Record(
        name="cluster", speed=1.0, ports=free(SERVICES.values()), config_root=str(CONFIG_ROOT),
        packages=packages, hash="", created=0.0,
    )  # fmt: skip
    made = layout_of(record, instances_dir() / "cluster")
    make_folder(made.data("postgresql").parent)
    secrets.generate(made)
    yield made
    shutil.rmtree(made.directory)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE postgres LOGIN PASSWORD 'hunter2'",  # there is one
        "ALTER ROLE nobody PASSWORD 'hunter2'",
        "ALTER ROLE postgres PASSWRD 'hunter2'",
        "CREATE ROLE x PASSWORD 'hunter2",  # never closed
    ],
)
def test_failed_statement_is_named_without_its_password(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(postgresql, "_sql", lambda layout: f"{statement}\n")
    with pytest.raises(HostCannot, match="`postgres` failed") as caught:
        postgresql.init(layout)
    assert "hunter2" not in str(caught.value)
    assert "ERROR:" in str(caught.value)
    assert not layout.data("postgresql").exists()


def test_full_disk_is_called_that(layout: Layout, state_dir: Path) -> None:
    program = state_dir / "initdb"
    program.write_text(
        "#!/bin/sh\necho 'FATAL:  could not write to file \"pg_wal/x\": No space left on device'\n"
        "for line in 1 2 3 4 5; do echo removing contents; done\nexit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(HostCannot, match=r"the disk of `.*/cluster` is full") as caught:
        postgresql._run(["/bin/sh", str(program)], layout.data("postgresql").parent)
    assert "STACK_STATE" in caught.value.cure


def test_older_cluster_gets_the_extension_that_it_lacks_once_it_is_at_rest(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(postgresql, "_EXTENSIONS", "SELECT 1\n")
        postgresql.init(layout)
    cluster = layout.data("postgresql")
    (cluster / postgresql._EXTENDED).unlink()

    def has_it() -> bool:
        try:
            postgresql._single(layout, cluster, "residency", "CREATE EXTENSION pg_stat_statements")
        except HostCannot as error:
            return "already exists" in str(error)
        postgresql._single(layout, cluster, "residency", "DROP EXTENSION pg_stat_statements")
        return False

    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n")
    postgresql.renew(layout)
    (cluster / "postmaster.pid").unlink()
    assert not has_it()
    postgresql.renew(layout)
    assert has_it()
    before = (cluster / postgresql._EXTENDED).stat().st_mtime_ns
    postgresql.renew(layout)
    assert (cluster / postgresql._EXTENDED).stat().st_mtime_ns == before
