"""The unprivileged user for programs that refuse to run as root."""

import os
import pwd
import stat
from pathlib import Path

from stack.errors import HostCannot

_CANDIDATES = ("postgres", "nobody")


def unprivileged() -> pwd.struct_passwd | None:
    """The account to run as when we are root, else None: an ordinary user runs all as itself."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise HostCannot(
        f"PostgreSQL refuses to run as root, and there is no user `{'` or `'.join(_CANDIDATES)}`.",
        cure="Run as an ordinary user, or add one of these.",
    )


def check_reachable(folder: Path) -> None:
    """Raise HostCannot that names the folder which `unprivileged()` cannot enter, if any."""
    if unprivileged() is None:
        return
    for part in [folder, *folder.parents]:
        if part.exists() and not part.stat().st_mode & stat.S_IXOTH:
            raise HostCannot(
                f"PostgreSQL runs as an unprivileged user, who may not enter `{part}`.",
                cure="Set STACK_STATE and STACK_CACHE to folders that every user may enter.",
            )
