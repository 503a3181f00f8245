"""A real PostgreSQL that is set up as the stack's own."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from loadgen.faults.postgres import connected
from stack.paths import CONFIG_ROOT
from stack.run import secrets
from stack.run.service import Layout
from stack.run.services import postgresql
from stack.store.packageset import realise
from stack.users import unprivileged
from tests.leftovers import fresh
from tests.waiting import eventually


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def target() -> Iterator[SimpleNamespace]:
    """An instance of which only the database runs. Not below pytest's folder: as root the server
    runs as another user, who may not enter that."""
    folder = fresh("postgres-faults-")
    folder.chmod(0o755)
    layout = Layout(
        name="t", directory=folder, config_root=CONFIG_ROOT, speed=1.0,
        ports={"postgresql": {"tcp": free_port()}, "inbox": {"http": free_port()}},
        addresses={}, packages=realise(["postgresql"]),
    )  # fmt: skip
    layout.data("").mkdir()
    layout.config("postgresql").mkdir(parents=True)
    for name, text in postgresql.config(layout).items():
        (layout.config("postgresql") / name).write_text(text)
    secrets.generate(layout)
    postgresql.init(layout)
    user = unprivileged()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            postgresql.command(layout), stdout=log, stderr=log, cwd="/",
            user=user.pw_uid if user else None, group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )  # fmt: skip
    made = SimpleNamespace(layout=layout)
    try:
        eventually(lambda: postgresql.ready(layout) is None)
        with connected(made, "set-up") as session:
            session.execute("CREATE TABLE people (id integer PRIMARY KEY)")
            session.execute("INSERT INTO people VALUES (1), (2)")
        yield made
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(20)
        shutil.rmtree(folder)
