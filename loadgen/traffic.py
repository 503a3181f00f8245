"""Locust as a process: a scenario file drives its traffic against one instance."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

from loadgen.faults.base import Target
from stack.paths import REPO

LEASH = REPO / "loadgen" / "leash.py"
PASSWORD = "SCHEDULER_PASSWORD"
"""The variable from which the users of `loadgen.users` read the seeded users' password."""

_STOP_S = 3.0

Listener = Callable[[Mapping[str, Any]], None]


def command(file: Path, url: str) -> list[str]:
    """Locust without its web page; it ends when we do."""
    words = [sys.executable, "-m", "locust", "-f", f"{file},{LEASH}", "--headless"]
    return [*words, "--only-summary", "--loglevel", "WARNING", "--host", url]


class Locust:
    """One locust process, and the listeners that get its figures twice a second.

    Its own output goes to `log`. It runs in its own process group, so that Ctrl-C reaches only
    whoever started it; but not in its own session: Linux would give that as much of a busy machine
    as all services of an instance together (autogroups, man 7 sched).
    """

    def __init__(self, file: Path, instance: Target, log: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
        environment[PASSWORD] = instance.layout.secret("scheduler_password").read_text().strip()
        with log.open("w") as said:
            self._process = subprocess.Popen(
                command(file, instance.layout.url("backend")),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, cwd=REPO,
                env=environment, process_group=0,
            )  # fmt: skip
        self.trouble = ""
        """Why its figures are no longer heard; empty while they are."""
        self._last: Mapping[str, Any] = {}
        self._since = 0.0
        self._listeners: list[Listener] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def subscribe(self, listener: Listener) -> None:
        """From now on `listener` gets the figures as well."""
        self._listeners.append(listener)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def healthy(self) -> bool:
        """It runs and no request has failed, so its users are logged in and at work."""
        return self.exit_code is None and bool(self._last) and not self._last["failures"]

    def start_over(self) -> None:
        """Forget the listeners and count the figures from now on. Only for a healthy one."""
        self._listeners.clear()
        self._since = time.time()
        self._process.send_signal(signal.SIGUSR1)

    def end(self) -> None:
        """Returns when it is gone."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._thread.join(_STOP_S)
        if self._process.stdout:
            self._process.stdout.close()

    def _listen(self) -> None:
        try:
            self._hear()
        except Exception as error:  # a thread of its own: nobody else would see it
            self.trouble = f"locust is no longer heard: {type(error).__name__}: {error}"

    def _hear(self) -> None:
        for line in self._process.stdout or ():
            if not line.startswith("{"):
                continue  # locust's summary
            figures = json.loads(line)
            if figures.pop("since") >= self._since:
                self._last = figures
                for listener in list(self._listeners):
                    listener(figures)


class Crew:
    """The traffic of one instance: one locust per kind, shared by all scenarios that want the same
    and kept from one group to the next, since starting one costs a second of CPU."""

    def __init__(self, instance: Target, folder: Path) -> None:
        """Logs go to `folder`."""
        self._instance, self._folder = instance, folder
        self._locusts: dict[Hashable, Locust] = {}

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.start_over(())

    def start_over(self, wanted: "tuple[Hashable, ...] | list[Hashable]") -> None:
        """Keep the healthy locusts of the wanted kinds, with figures reset; end the others."""
        for kind, locust in list(self._locusts.items()):
            if kind in wanted and locust.healthy:
                locust.start_over()
            else:
                locust.end()
                del self._locusts[kind]

    def join(self, kind: Hashable, file: Path, listener: Listener) -> Locust:
        """The locust of this kind, started with `file` if there is none; `listener` gets its
        figures."""
        if kind not in self._locusts:
            log = self._folder / f"locust-{self._instance.layout.name}-{file.stem}.log"
            self._locusts[kind] = Locust(file, self._instance, log)
        self._locusts[kind].subscribe(listener)
        return self._locusts[kind]
