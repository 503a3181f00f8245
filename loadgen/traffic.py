"""Locust as a process: a scenario file drives its traffic against one instance."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadgen.faults.base import Target
from stack.paths import REPO

LEASH = REPO / "loadgen" / "leash.py"
PASSWORD = "SCHEDULER_PASSWORD"
"""Variable in which the users of `loadgen.users` find the password of the seeded people."""

_STOP_S = 3.0


def command(file: Path, url: str, run_time_s: float) -> list[str]:
    """Locust without its page; it stops by itself after `run_time_s`, or when we are gone."""
    words = [sys.executable, "-m", "locust", "-f", f"{file},{LEASH}", "--headless"]
    words += ["--only-summary", "--loglevel", "WARNING"]
    return [*words, "--host", url, "--run-time", f"{run_time_s:.0f}s"]


@contextmanager
def driving(
    file: Path,
    instance: Target,
    *,
    run_time_s: float,
    log: Path,
    heard: Callable[[Mapping[str, Any]], None],
) -> Iterator["subprocess.Popen[str]"]:
    """Traffic for the length of a `with` block; `heard` gets locust's figures twice a second.

    Locust's own words go to `log`. It runs in a session of its own, so that Ctrl-C reaches only
    whoever started it.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
    environment[PASSWORD] = instance.layout.secret("scheduler_password").read_text().strip()
    with log.open("w") as said:
        locust = subprocess.Popen(
            command(file, instance.layout.url("backend"), run_time_s),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, cwd=REPO,
            env=environment, start_new_session=True,
        )  # fmt: skip
    listener = threading.Thread(target=_listen, args=(locust, heard), daemon=True)
    listener.start()
    try:
        yield locust
    finally:
        locust.terminate()
        try:
            locust.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            locust.kill()
            locust.wait(_STOP_S)
        listener.join(_STOP_S)
        if locust.stdout:
            locust.stdout.close()


def _listen(locust: "subprocess.Popen[str]", heard: Callable[[Mapping[str, Any]], None]) -> None:
    for line in locust.stdout or ():
        if not line.startswith("{"):
            continue  # locust's summary
        heard(json.loads(line))
