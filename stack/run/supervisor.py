"""supervisord runs the processes of an instance: this module writes its settings and speaks to it.

Supervisor (supervisord.org) restarts with back-off, rotates logs and stops process groups. It
outlives the `doit` that started it, and answers on a socket in the instance's folder.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from configparser import RawConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from stack.errors import HostCannot
from stack.paths import REPO
from stack.programs import memory, peers
from stack.run.moved import renamed
from stack.run.service import Layout, Service
from stack.store.disk import said
from stack.users import unprivileged

MARK = "STACK_INSTANCE"
"""Environment variable that every process of an instance inherits; its value is the folder."""

After = Mapping[str, Collection[str]]
"""Service → those that it comes after when it is started, and before when it is stopped."""

SETTINGS = "supervisord.conf"
"""Name of the file, in an instance's folder, with the command and environment of every service."""

_SERVICE = "SUPERVISOR_PROCESS_NAME"
"""Environment variable in which supervisord tells each process the name of its service."""

_PROGRAM = "program:"

_ANSWERS_WITHIN_S = 60.0
"""On a busy machine starting Python alone takes long."""

_STOP_S = 8.0
"""Seconds that a process has between its stop signal and SIGKILL."""

_AGAIN_S = 0.5
"""After so many seconds the stop signal is sent again: one that comes between a process' fork and
its exec is lost. Those that are on their way out take no harm."""

_LOOK_EVERY_S = 0.02

_started: list[subprocess.Popen[bytes]] = []
"""Each supervisord that this process started and has not seen end: it is to outlive us, and until
then somebody has to wait for it."""

_HELD = {"STOPPED", "FATAL"}
"""Supervisor's words for what it does not start by itself."""

_SOCKET_LENGTH = 100
"""Longest socket path in bytes; Linux allows 107 (man 7 unix), supervisor adds a suffix."""


@dataclass(frozen=True, kw_only=True)
class State:
    """One process as supervisord sees it."""

    name: str
    status: str
    """Supervisor's word: RUNNING, STARTING, STOPPED, BACKOFF, FATAL, EXITED …"""
    pid: int
    """0 when it does not run."""
    started: float
    """Unix seconds of the last start."""


class Supervisor:
    """The supervisord of one instance, whether it runs or not."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._socket = directory / "supervisor.sock"

    def write_settings(self, layout: Layout, services: dict[str, Service]) -> None:
        """Write supervisord.conf."""
        if len(str(self._socket)) > _SOCKET_LENGTH:
            raise HostCannot(
                f"`{self._socket}` is too long for a socket ({_SOCKET_LENGTH} bytes at most).",
                cure="Set STACK_STATE to a shorter path.",
            )
        settings = RawConfigParser()
        settings.read_dict(_own_settings(self.directory, self._socket))
        for service in services.values():
            settings[f"{_PROGRAM}{service.name}"] = _program(layout, service)
        _write(settings, self.directory)

    def start(self) -> None:
        """Start supervisord, detached from this process, and wait until it answers. Should it ever
        end by itself, its keeper starts all again (`stack.run.keeper`)."""
        command = [sys.executable, "-m", "stack.run.keeper", str(self.directory)]
        environment = {**os.environ, MARK: str(self.directory), "PYTHONPATH": str(REPO)}
        output = self.directory / "logs" / "supervisord.out"
        _forget_ended()
        with output.open("w") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, env=environment, cwd=REPO,
            )  # fmt: skip
        _started.append(process)
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while not self.running():
            if process.poll() is not None or time.monotonic() > deadline:
                words = output.read_text().strip()
                late = f"no answer within {_ANSWERS_WITHIN_S:g} s"
                raise said(words, self.directory) or HostCannot(
                    f"supervisord did not start: {' '.join(words.splitlines()[-1:]) or late}",
                    cure=f"See {self.directory / 'logs'}.",
                )
            time.sleep(0.02)

    def running(self) -> bool:
        try:
            with self._call() as server:
                return bool(server.getState()["statename"])
        except (OSError, HTTPException):
            return False

    def states(self) -> dict[str, State]:
        """Service name → state; empty when supervisord does not run."""
        try:
            with self._call() as server:
                found = server.getAllProcessInfo()
        except (OSError, HTTPException):
            return {}
        return {
            info["name"]: State(
                name=info["name"], status=info["statename"], pid=info["pid"], started=info["start"]
            )
            for info in found
        }

    def start_process(self, name: str) -> None:
        """Start it unless it runs; does not wait until it is ready. One that is dead again at once
        is BACKOFF, as one that dies a moment later."""
        with self._call() as server, _allowing("ALREADY_STARTED", "SPAWN_ERROR"):
            server.startProcess(name, False)

    def stop_process(self, name: str) -> None:
        """Stop it and wait until it is gone. It stays stopped until it is started.

        One that has just died is not running for supervisord, which will start it again: it is
        stopped once that has happened. Raises HostCannot when it cannot be held.
        """
        stop_signal = programs(self.directory)[name]["stopsignal"]
        begun = asked = time.monotonic()
        while (state := self.states().get(name)) and state.status not in _HELD:
            now = time.monotonic()
            if now - begun > _STOP_S + _AGAIN_S:
                raise HostCannot(f"supervisord cannot hold `{name}` down: it is {state.status}.")
            with self._call() as server, _allowing("NOT_RUNNING"):
                if state.status != "STOPPING":
                    asked = now
                    server.stopProcess(name, False)
                elif now - asked > _AGAIN_S:
                    asked = now
                    server.signalProcess(name, stop_signal)
            time.sleep(_LOOK_EVERY_S)

    def find_moved(self, name: str) -> None:
        """Take over where the program lies today, if it has moved since; it must be stopped."""
        settings, section = _read(self.directory), f"{_PROGRAM}{name}"
        if renamed(settings[section]) == dict(settings[section]):
            return
        # This one alone: the file says of the others what supervisord still runs.
        settings[section] = renamed(settings[section])
        _write(settings, self.directory)
        with self._call() as server:
            server.reloadConfig()
            server.removeProcessGroup(name)
            server.addProcessGroup(name)

    def reload(self) -> None:
        """Take over the settings as they are now. What they change or drop must be stopped."""
        with self._call() as server:
            ((added, changed, removed),) = server.reloadConfig()
            for name in (*changed, *removed):
                server.removeProcessGroup(name)
            for name in (*added, *changed):
                server.addProcessGroup(name)

    def shutdown(self, after: After) -> None:
        """Stop all processes, each once those that come `after` it are gone, then supervisord, then
        whatever is left of a killed one.
        """
        try:
            with self._call() as server:
                deadline = time.monotonic() + _STOP_S + 2
                while alive := _alive(server.getAllProcessInfo()):
                    if time.monotonic() > deadline:
                        break
                    for name in last(alive, after):
                        if alive[name] != "STOPPING":
                            with _allowing("NOT_RUNNING"):
                                server.stopProcess(name, False)
                    time.sleep(_LOOK_EVERY_S)
                else:
                    # Nothing is left for it to do, and its own shutdown takes over a second; it is
                    # for a supervisord whose environment, and so its mark, may not be read.
                    server.shutdown()
                    _signal(processes(self.directory), signal.SIGKILL)
        except (OSError, HTTPException, Fault):
            pass  # it does not run, or went away meanwhile: the sweep finds what it left
        self.sweep(after)
        for name in ("supervisor.sock", "supervisord.pid"):
            (self.directory / name).unlink(missing_ok=True)
        _forget_ended()

    def sweep(self, after: After) -> None:
        """End every process that carries this instance's mark, in that order as well: SIGTERM, then
        SIGKILL."""
        deadline = time.monotonic() + _STOP_S
        while (found := _named(self.directory)) and time.monotonic() < deadline:
            # supervisord, which has no name, goes first: it would start again what ends.
            going = {"", *last(set(found.values()) - {""}, after)}
            ending = [process for process, name in found.items() if name in going]
            _signal(ending, signal.SIGTERM)
            psutil.wait_procs(ending, timeout=_AGAIN_S)
        left = list(found)
        _signal(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=5)

    @contextmanager
    def _call(self) -> Iterator[Any]:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()


def _forget_ended() -> None:
    _started[:] = [one for one in _started if one.poll() is None]


def last(running: Collection[str], after: After) -> set[str]:
    """Of services that run, those that no other one comes after: they may be stopped now."""
    needed = {name for other in running for name in after.get(other, ())}
    return set(running) - needed or set(running)


def _alive(infos: list[dict[str, Any]]) -> dict[str, str]:
    """Name → state of what runs, or will soon run again."""
    coming = {"STARTING", "BACKOFF", "EXITED"}
    return {
        info["name"]: info["statename"]
        for info in infos
        if info["pid"] or info["statename"] in coming
    }


def programs(directory: Path) -> dict[str, dict[str, str]]:
    """Service name → its settings, as they stand in an instance's or a generation's folder."""
    settings = _read(directory)
    return {name.removeprefix(_PROGRAM): dict(settings[name]) for name in _programs_of(settings)}


def copy_settings(source: Path, target: Path) -> None:
    """Copy the settings from one such folder to another, with programs where they are now."""
    settings = _read(source)
    for name in _programs_of(settings):
        settings[name] = renamed(settings[name])
    _write(settings, target)


def _read(directory: Path) -> RawConfigParser:
    settings = RawConfigParser()
    settings.read(directory / SETTINGS)
    return settings


def _write(settings: RawConfigParser, directory: Path) -> None:
    """They hold passwords, so they are for their owner alone."""
    partial = directory / f"{SETTINGS}.part"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        settings.write(file)
    partial.replace(directory / SETTINGS)


def _programs_of(settings: RawConfigParser) -> list[str]:
    return [section for section in settings.sections() if section.startswith(_PROGRAM)]


def processes(directory: Path) -> list[psutil.Process]:
    """All processes of the instance in `directory`, found by the mark that they inherited.

    PostgreSQL's children overwrite their environment; they count by their parent.
    """
    return list(_named(directory))


def _named(directory: Path) -> dict[psutil.Process, str]:
    """The same, with the name of its service: empty for supervisord."""
    mine = os.getpid()
    found: dict[int, tuple[psutil.Process, str]] = {}
    for process in psutil.process_iter():
        try:
            environment = process.environ() if process.pid != mine else {}
            if environment.get(MARK) == str(directory):
                name = environment.get(_SERVICE, "")
                found[process.pid] = process, name
                for child in process.children(recursive=True):
                    if not _lives(child):
                        continue
                    # supervisord's own are services, which have names when their turn comes.
                    if child.pid not in found or not found[child.pid][1]:
                        found[child.pid] = child, name
        except (psutil.Error, OSError):
            continue
    found.pop(mine, None)
    return dict(found.values())


def _lives(process: psutil.Process) -> bool:
    """And is not a zombie, which only waits for its parent to ask how it ended."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def owner(pid: int) -> tuple[str, str] | None:
    """Service and instance to which a process belongs, by the mark on it or on one above it; None
    for one of nobody's."""
    try:
        process = psutil.Process(pid)
        for one in (process, *process.parents()):
            environment = one.environ()
            folder, service = Path(environment.get(MARK, "")), environment.get(_SERVICE, "")
            # `doit shell` gives it the instance's name alone: what is run there is no service.
            if service and folder.is_absolute():
                return service, folder.name
    except (psutil.Error, OSError):
        return None
    return None


def _signal(found: list[psutil.Process], number: signal.Signals) -> None:
    for process in found:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


@contextmanager
def _allowing(*faults: str) -> Iterator[None]:
    try:
        yield
    except Fault as error:
        if not str(error.faultString).startswith(faults):
            raise HostCannot(f"supervisord refuses: {error.faultString}.") from None


def _own_settings(directory: Path, socket: Path) -> dict[str, dict[str, str]]:
    supervisord = {
        "nodaemon": "true",
        "umask": "077",
        "logfile": str(directory / "logs" / "supervisord.log"),
        "pidfile": str(directory / "supervisord.pid"),
        "childlogdir": str(directory / "logs"),
    }
    if os.geteuid() == 0:
        supervisord["user"] = "root"
    factory = "supervisor.rpcinterface:make_main_rpcinterface"
    return {
        "supervisord": supervisord,
        "unix_http_server": {"file": str(socket), "chmod": "0700"},
        "rpcinterface:supervisor": {"supervisor.rpcinterface_factory": factory},
    }


def _users() -> set[int]:
    """Those that the instance's programs run as, and root, who can do anything anyway."""
    other = unprivileged()
    return {0, os.geteuid(), *([other.pw_uid] if other else [])}


def _program(layout: Layout, service: Service) -> dict[str, str]:
    environment = {"PYTHONUNBUFFERED": "1", **service.environment(layout)}
    if service.memory_limit_bytes:
        environment[memory.VARIABLE] = str(service.memory_limit_bytes)
    if layout.profile.is_production:
        environment[peers.VARIABLE] = ",".join(map(str, sorted(_users())))
    settings = {
        "command": shlex.join(service.command(layout)),
        "directory": str(REPO),
        "environment": ",".join(f'{key}="{value}"' for key, value in environment.items()),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(service.steady_after_s),
        "startretries": "1000",
        "stopsignal": service.stop_signal,
        "stopwaitsecs": f"{_STOP_S:g}",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(layout.log(service.name)),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }
    user = unprivileged() if service.unprivileged else None
    if user:
        settings["user"] = user.pw_name
        settings["directory"] = str(layout.data(service.name).parent)
    return {key: value.replace("%", "%%") for key, value in settings.items()}
