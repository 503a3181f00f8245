"""`doit load`: Locust against an instance or an address, for as long as one likes."""

import math
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from loadgen import host as hosts
from loadgen import whose
from loadgen.arrivals import sources
from loadgen.traffic import PASSWORD
from scenarios.proof.endings import ended_by
from stack import durations, paths
from stack.errors import BadInput, CheckFailed, HostCannot, LabError
from stack.loopback import HOST
from stack.paths import REPO
from stack.run.instance import Instance, names
from stack.run.naming import option

USERS = 10
LONGEST_S = 24 * 3600.0
SPAWN_PER_S = 100
WEB_PORT = 8089
"""Locust's own; another one when it is taken."""

LOOK_EVERY_S = 0.5
KILL_AFTER_S = 30.0
"""Seconds that Locust has for its report once it was asked to end."""

SCHEDULER = "backend"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to send where."""

    url: str
    instance: Instance | None
    """Whose scheduler that is; None when it is nobody's."""
    users: int
    open_pace_s: float
    """0 for people who wait."""
    shape: str
    lasts_s: float
    web: bool
    csv: str
    html: str
    processes: int

    def command(self) -> list[str]:
        """Locust with its own options, and the few of `loadgen.clinic`."""
        files = ["loadgen/clinic.py", *(["loadgen/profiled.py"] if self.shape else [])]
        words = [sys.executable, "-m", "locust", "-f", ",".join(files), "--host", self.url,
                 "--users", f"{self.users}", "--spawn-rate", f"{SPAWN_PER_S}",
                 "--run-time", f"{math.ceil(self.lasts_s)}s"]  # fmt: skip
        words += ["--load-profile", self.shape] if self.shape else []
        words += ["--open-pace", f"{self.open_pace_s!r}"] if self.open_pace_s else []
        words += ["--csv", self.csv] if self.csv else []
        words += ["--html", self.html] if self.html else []
        words += ["--tell", str(self.targets)] if self.targets else []
        if self.web:
            words += ["--autostart", "--web-host", HOST, "--web-port", f"{_port(WEB_PORT)}"]
        else:
            words += ["--headless"]
        if self.processes > 1:
            port = f"{_port()}"
            words += ["--processes", f"{self.processes}", "--master-host", HOST,
                      "--master-port", port, "--master-bind-host", HOST,
                      "--master-bind-port", port]  # fmt: skip
        return words

    @property
    def targets(self) -> Path | None:
        """The file by which the instance's Prometheus finds Locust's figures."""
        return self.instance.control_file("load") if self.instance else None


def load(
    instance: str,
    users: int | None,
    rate: float | None,
    shape: str,
    lasts: str,
    host: str,
    yes_this_host: bool,
    web: bool,
    csv: str,
    html: str,
    processes: int,
) -> None:
    """Run Locust until its time is over or somebody ends it.

    Raises BadInput for a host that may not be loaded or what does not go together, HostCannot when
    the instance is down, CheckFailed when requests failed or the scheduler died meanwhile.
    """
    if users is not None and rate is not None:
        raise BadInput(
            "--users and --rate do not go together.",
            cure="--users are people who wait for their answers, --rate are requests that do not.",
        )
    lasts_s = durations.seconds(lasts)
    if not 1 <= lasts_s <= LONGEST_S:
        raise BadInput(f"--for is {lasts}, expected 1s to 1d: load always ends.")
    url, stack = _where(instance, host, yes_this_host)
    count, pace_s = (users or USERS, 0.0) if rate is None else sources(rate)
    asked = Asked(
        url=url, instance=stack, users=count, open_pace_s=pace_s, shape=shape, lasts_s=lasts_s,
        web=web, csv=_file(csv), html=_file(html), processes=processes,
    )  # fmt: skip
    what = f"{count} people who wait for their answers" if rate is None else \
        f"{rate:g} requests a second, whatever becomes of them"  # fmt: skip
    print(f"{url}: {f'at most {what}, as {shape}' if shape else what}, for {lasts};"
          " Ctrl-C ends it", flush=True)  # fmt: skip
    _run(asked)


def _file(word: str) -> str:
    return str(paths.given(word)) if word else ""


def _where(name: str, host: str, even_foreign: bool) -> tuple[str, Instance | None]:
    """The address, and the instance that it is of."""
    if host:
        url = hosts.checked(host, even_foreign=even_foreign)
        found = whose.at(url) if hosts.is_loopback(urlsplit(url).hostname or "") else None
        if found is None and PASSWORD not in os.environ:
            raise BadInput(
                f"{url} is no instance's scheduler, so that nobody knows its people's password.",
                cure=f"Set {PASSWORD} to it.",
            )
        name = found.name if found else ""
        return url, Instance.open(name) if name in names() else None
    stack = Instance.open(name)
    if not stack.is_running():
        raise HostCannot(
            f"instance `{name}` is down: there is nothing to load.",
            cure=f"`{stack.up}` starts it.",
        )
    return stack.url(SCHEDULER), stack


def _port(wanted: int = 0) -> int:
    """That port if nobody listens there, else any free one."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return _port()
        port: int = probe.getsockname()[1]
        return port


class _Watch:
    """Whether the scheduler that is loaded lives on."""

    def __init__(self, instance: Instance | None) -> None:
        self._instance = instance
        self._pid = instance.pid(SCHEDULER) if instance else 0
        self.died = ""
        """When, in words; empty while all is well."""

    def look(self) -> bool:
        """False when there is nothing left to load."""
        if not self._instance:
            return True
        try:
            up = self._instance.is_running()
            pid = self._instance.pid(SCHEDULER) if up else 0
        except LabError:
            up, pid = False, 0
        if not up or pid != self._pid:
            at = time.strftime("%H:%M:%S")
            what = "its scheduler" if up else "it"
            if self._pid:
                self.died = self.died or f"{what} died under the load at {at}"
                print(f"instance `{self._instance.name}`: {what} died under the load at {at}",
                      file=sys.stderr, flush=True)  # fmt: skip
            self._pid = pid
        return up


def _run(asked: Asked) -> None:
    """Locust on the same terminal, whose keys it obeys as ever; elsewhere in a group of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    watch = _Watch(asked.instance)
    asked_to_end: list[signal.Signals] = []
    locust = subprocess.Popen(
        asked.command(), cwd=REPO, env=environment,
        stdin=None if on_terminal else subprocess.DEVNULL, process_group=None if on_terminal else 0,
    )  # fmt: skip

    def end(number: signal.Signals) -> None:
        asked_to_end.append(number)
        # Ctrl-C reaches all who share the terminal; twice would cost Locust's report.
        if len(asked_to_end) == 1 and not (on_terminal and number == signal.SIGINT):
            locust.send_signal(signal.SIGINT)

    try:
        with ended_by(end):
            code = _waited(locust, watch, asked_to_end)
    finally:
        if locust.poll() is None:
            locust.kill()
            locust.wait()
        if asked.targets:
            asked.targets.unlink(missing_ok=True)
    if asked_to_end:
        raise KeyboardInterrupt
    if watch.died and asked.instance:
        raise CheckFailed(
            f"instance `{asked.instance.name}`: {watch.died}.",
            cure=f"`doit logs {SCHEDULER}{option(asked.instance.name)}` may say why.",
        )
    if code:
        raise CheckFailed("requests failed: Locust's report names them.")


def _waited(
    locust: "subprocess.Popen[bytes]", watch: _Watch, asked_to_end: list[signal.Signals]
) -> int:
    """Locust's exit code, once it has written its report."""
    give_up = math.inf
    while True:
        try:
            return locust.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            pass
        if not asked_to_end and give_up == math.inf and not watch.look():
            locust.send_signal(signal.SIGINT)
            give_up = time.monotonic() + KILL_AFTER_S
        if asked_to_end and give_up == math.inf:
            give_up = time.monotonic() + KILL_AFTER_S
        if time.monotonic() > give_up:
            locust.kill()
