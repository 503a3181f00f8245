"""A builder that lets in all that an output must not depend on: a file for each of it."""

import datetime
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stack.store import builder
from stack.store.artifact import Artifact
from stack.store.derivation import Derivation


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def _listed(folder: Path) -> str:
    folder.mkdir()
    for number in range(50):
        (folder / str(number)).touch()
    return " ".join(os.listdir(folder))  # noqa: PTH208 (as careless code does)


def build(derivation: Derivation, read: Callable[[Artifact], bytes], into: Path) -> None:
    builder.build(derivation, read, into)
    if derivation.name != "tool":
        return
    leaks = {
        "place": len(str(into)) > 600,
        "user": (os.geteuid(), os.environ.get("USER")),
        "umask": _umask(),
        "zone": time.localtime(0).tm_min,
        "locale": sys.getfilesystemencoding(),
        "host": socket.gethostname(),
        "clock": datetime.datetime.now(datetime.UTC).year // 5,
        "order": hash("word"),
        "files": _listed(into / "many"),
    }
    for name, value in leaks.items():
        (into / f"leaks-{name}").write_text(f"{value}\n")
