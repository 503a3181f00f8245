"""`doit load`: Locust against an instance or an address, for as long as one likes."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgen import host as hosts
from loadgen import whose
from loadgen.arrivals import sources
from loadgen.ended import Ended
from loadgen.traffic import PASSWORD
from scenarios.proof.endings import ended_by
from scenarios.tasks import load_part as parts
from scenarios.tasks.load_part import MASTER_PORT, Part, Worker, free_port
from stack import durations, paths
from stack.errors import BadInput, CheckFailed, HostCannot, LabError
from stack.loopback import HOST
from stack.paths import REPO
from stack.run.instance import Instance, names
from stack.run.naming import option

USERS = 10
LASTS = "5m"
LONGEST_S = 24 * 3600.0
SPAWN_PER_S = 100
WEB_PORT = 8089
"""Locust's own; another one when it is taken."""

LOOK_EVERY_S = 0.5
KILL_AFTER_S = 30.0
"""Seconds that Locust has for its report once it was asked to end."""

NO_ANSWER = 255
"""Locust's exit code when it cannot talk to its master."""

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
    part: Part
    password: str = ""
    """Of the people; empty when locust finds it by itself."""

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
        words += [*self.part.words(), "--leashed"]
        if self.web:
            words += ["--autostart", "--web-host", HOST, "--web-port", f"{free_port(WEB_PORT)}"]
        else:
            words += ["--headless"]
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
    lasts: str | None,
    host: str,
    yes_this_host: bool,
    web: bool,
    csv: str,
    html: str,
    processes: int,
    master: bool,
    expect_workers: int | None,
    master_bind_host: str,
    worker: bool,
    master_host: str,
    master_port: int | None,
    password_file: str,
) -> None:
    """Run Locust until its time is over or somebody ends it.

    Raises BadInput for a host that may not be loaded or what does not go together, HostCannot when
    the instance is down, a master cannot listen or is not there, CheckFailed when requests failed,
    the scheduler died meanwhile or no worker was left.
    """
    _together(
        {"--users": users is not None, "--rate": rate is not None},
        "--users are people who wait for their answers, --rate are requests that do not.",
    )
    _together(
        {"--master": master, "--worker": worker},
        "A master tells workers what to do; each is a command of its own.",
    )
    _needs(
        "--master",
        master,
        {
            "--expect-workers": expect_workers is not None,
            "--master-bind-host": bool(master_bind_host),
        },
    )
    _needs("--worker", worker, {"--master-host": bool(master_host)})
    _needs("--master or --worker", master or worker, {"--master-port": master_port is not None})
    password = _password(password_file)
    port = MASTER_PORT if master_port is None else master_port
    if worker:
        for name, given in {
            "--users": users is not None, "--rate": rate is not None, "--shape": shape,
            "--for": lasts, "--host": host, "--web": web, "--csv": csv, "--html": html,
        }.items():  # fmt: skip
            if given:
                raise BadInput(f"{name} is the master's to say, not a worker's.")
        if not master_host:
            raise BadInput("--worker needs --master-host: where is its master?")
        _work(parts.worker(master_host, port, processes, even_foreign=yes_this_host), password)
        return
    if master and processes > 1:
        raise BadInput("--master does no work that --processes could share.",
                       cure="Give --processes to its workers.")  # fmt: skip
    lasts = lasts or LASTS
    lasts_s = durations.seconds(lasts)
    if not 1 <= lasts_s <= LONGEST_S:
        raise BadInput(f"--for is {lasts}, expected 1s to 1d: load always ends.")
    url, stack = _where(instance, host, yes_this_host, needs_password=not (master or password))
    part = (parts.master(master_bind_host or HOST, port, expect_workers or 1, url) if master
            else parts.Alone(processes=processes))  # fmt: skip
    count, pace_s = (users or USERS, 0.0) if rate is None else sources(rate)
    asked = Asked(
        url=url, instance=stack, users=count, open_pace_s=pace_s, shape=shape, lasts_s=lasts_s,
        web=web, csv=_file(csv), html=_file(html), part=part, password=password,
    )  # fmt: skip
    what = f"{count} people who wait for their answers" if rate is None else \
        f"{rate:g} requests a second, whatever becomes of them"  # fmt: skip
    print(f"{url}: {f'at most {what}, as {shape}' if shape else what}, for {lasts};"
          " Ctrl-C ends it", flush=True)  # fmt: skip
    if said := part.said():
        print(said, flush=True)
    _run(asked)


def _together(given: Mapping[str, bool], cure: str) -> None:
    if all(given.values()):
        raise BadInput(f"{' and '.join(given)} do not go together.", cure=cure)


def _needs(what: str, is_given: bool, given: Mapping[str, bool]) -> None:
    for name, is_there in given.items():
        if is_there and not is_given:
            raise BadInput(f"{name} means nothing without {what}.")


def _password(word: str) -> str:
    """What the file holds; empty without one."""
    if not word:
        return ""
    file = paths.given(word)
    try:
        found = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadInput(f"--password-file: `{file}`: {why}.") from None
    if not found or "\n" in found:
        raise BadInput(f"--password-file: `{file}` is not one line, the password alone.")
    return found


def _file(word: str) -> str:
    return str(paths.given(word)) if word else ""


def _where(
    name: str, host: str, even_foreign: bool, *, needs_password: bool
) -> tuple[str, Instance | None]:
    """The address, and the instance that it is of."""
    if host:
        url = hosts.checked(host, even_foreign=even_foreign)
        found = whose.at(url)
        if found is None and needs_password and PASSWORD not in os.environ:
            raise BadInput(
                f"{url} is no instance's scheduler, so that nobody knows its people's password.",
                cure=f"Set {PASSWORD} to it, or give --password-file.",
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
    """Locust until its time is over; raises what came of it."""
    watch = _Watch(asked.instance)
    try:
        code = _locust(asked.command(), asked.password, watch.look)
    finally:
        if asked.targets:
            asked.targets.unlink(missing_ok=True)
    if watch.died and asked.instance:
        raise CheckFailed(
            f"instance `{asked.instance.name}`: {watch.died}.",
            cure=f"`doit logs {SCHEDULER}{option(asked.instance.name)}` may say why.",
        )
    if code == Ended.NOT_ENOUGH_WORKERS:
        raise HostCannot(
            "not all workers came: nothing was sent.",
            cure="Start them meanwhile, or give fewer to --expect-workers.",
        )
    if code == Ended.WORKERS_GONE:
        raise CheckFailed("no worker was left: the load ended before its time.")
    if code:
        raise CheckFailed("requests failed: Locust's report names them.")


def _work(part: Worker, password: str) -> None:
    """A worker until its master ends it or is gone."""
    print(part.said(), flush=True)
    words = [sys.executable, "-m", "locust", "-f", "loadgen/clinic.py", *part.words(), "--leashed"]
    code = _locust(words, password, lambda: True)
    if code == NO_ANSWER:
        raise parts.unreached(part.host, part.port, "who listens there is none")
    if code == Ended.MASTER_GONE:
        raise CheckFailed(f"the master at {part.host}:{part.port} is gone.")
    if code == Ended.REFUSED:
        raise BadInput("this worker does not load what its master wants; it says above why.")
    if code < 0:
        raise CheckFailed(f"the worker was ended from outside, by signal {-code}.")
    if code:
        raise CheckFailed(f"the worker failed: locust ended with {code}.")


def _locust(words: list[str], password: str, look: Callable[[], bool]) -> int:
    """Locust's exit code. On the same terminal, whose keys it obeys as ever; elsewhere in a group
    of its own. Raises KeyboardInterrupt when it was asked to end, once it has."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
    if password:
        environment[PASSWORD] = password
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    asked_to_end: list[signal.Signals] = []
    locust = subprocess.Popen(
        words, cwd=REPO, env=environment, stdin=None if on_terminal else subprocess.DEVNULL,
        process_group=None if on_terminal else 0,
    )  # fmt: skip

    def end(number: signal.Signals) -> None:
        asked_to_end.append(number)
        # Ctrl-C reaches all who share the terminal; twice would cost Locust's report.
        if len(asked_to_end) == 1 and not (on_terminal and number == signal.SIGINT):
            locust.send_signal(signal.SIGINT)

    try:
        with ended_by(end):
            code = _waited(locust, look, asked_to_end)
    finally:
        if locust.poll() is None:
            locust.kill()
            locust.wait()
    if asked_to_end:
        raise KeyboardInterrupt
    return code


def _waited(
    locust: "subprocess.Popen[bytes]", look: Callable[[], bool], asked_to_end: list[signal.Signals]
) -> int:
    """Locust's exit code, once it has written its report."""
    give_up = math.inf
    while True:
        try:
            return locust.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            pass
        if not asked_to_end and give_up == math.inf and not look():
            locust.send_signal(signal.SIGINT)
            give_up = time.monotonic() + KILL_AFTER_S
        if asked_to_end and give_up == math.inf:
            give_up = time.monotonic() + KILL_AFTER_S
        if time.monotonic() > give_up:
            locust.kill()
