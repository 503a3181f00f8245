"""What a person at a terminal needs to work on one instance: the stack's own programs, its
addresses, its passwords. The runbooks' commands are written for it.
"""

import os
import shlex
import sys
from pathlib import Path

from stack.loopback import HOST
from stack.paths import REPO
from stack.run import secrets
from stack.run.service import Layout
from stack.run.services import ALL

DATABASE = "residency"

_PASSWORDS = {
    "postgres": "postgres_password",
    "scheduler": "scheduler_database_password",
    "exporter": "exporter_database_password",
}
"""Role of the database → secret."""


def environment(layout: Layout) -> dict[str, str]:
    """The variables of a shell for this instance, beside those that it inherits.

    `PATH` begins with psql, amtool, promtool and doit. Each service that speaks HTTP has its
    address under its own name: `PROMETHEUS`, `BACKEND`, `POSTGRES_EXPORTER` … `INSTANCE` is the
    instance's folder; `STACK_INSTANCE` makes it the one that `doit` speaks of. psql finds host,
    port, user, database and password by its own variables (postgresql.org/docs/17/libpq-envars).
    No password is among them: other processes can read an environment.
    """
    programs = [_written(layout), *(path / "bin" for path in layout.packages.values())]
    return {
        "PATH": os.pathsep.join([*map(str, programs), os.environ.get("PATH", "/usr/bin:/bin")]),
        "INSTANCE": str(layout.directory),
        "STACK_INSTANCE": layout.name,
        "PGHOST": HOST,
        "PGPORT": str(layout.port("postgresql")),
        "PGUSER": "postgres",
        "PGDATABASE": DATABASE,
        "PGPASSFILE": str(_folder(layout) / "pgpass"),
        "PGCONNECT_TIMEOUT": "5",
        # A table longer than the screen would wait for a key in a pager.
        "PSQL_PAGER": "",
        **{
            name.upper().replace("-", "_"): layout.url(name, "http")
            for name, service in ALL.items()
            if name in layout.ports and "http" in service.ports
        },
    }


def _folder(layout: Layout) -> Path:
    return layout.directory / "shell"


def _written(layout: Layout) -> Path:
    """The folder of this instance's own commands, with the files that programs look into."""
    folder = _folder(layout)
    (folder / "bin").mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    at = f"{HOST}:{layout.port('postgresql')}"
    lines = [
        f"{at}:*:{role}:{layout.secret(name).read_text()}\n" for role, name in _PASSWORDS.items()
    ]
    secrets.write(folder / "pgpass", "".join(lines))
    # amtool knows no variable for its server, only a flag and a file in the user's own home.
    amtool = [layout.program("alertmanager", "amtool")]
    _command(
        folder / "bin" / "amtool", [*amtool, f"--alertmanager.url={layout.url('alertmanager')}"]
    )
    # doit itself works only in the checkout.
    _command(folder / "bin" / "doit", [sys.executable, str(REPO / "dodo.py")])
    return folder / "bin"


def _command(file: Path, begins: list[str]) -> None:
    secrets.write(file, f'#!/bin/sh\nexec {shlex.join(begins)} "$@"\n', 0o700)


def startup_file(layout: Layout) -> Path:
    """What an interactive bash reads: the user's own settings, then what they must not undo."""
    file = _folder(layout) / "bashrc"
    path = shlex.quote(environment(layout)["PATH"])
    prompt = f"({layout.name}) "
    lines = [
        "[ -r ~/.bashrc ] && . ~/.bashrc",
        f"PATH={path}",
        f"PS1={shlex.quote(prompt)}$PS1",
        # What was asked of one instance is nothing for the user's other shells.
        f"HISTFILE={shlex.quote(str(_folder(layout) / 'history'))}",
    ]
    secrets.write(file, "\n".join([*lines, ""]))
    return file
