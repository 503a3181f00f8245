"""Which part a `doit load` has: it does all of it, or is master or worker of several."""

import socket
import time
from dataclasses import dataclass
from typing import Protocol

from loadgen import host as hosts
from stack.errors import BadInput, HostCannot
from stack.loopback import HOST

MASTER_PORT = 5557
"""Locust's own."""

REACHED_WITHIN_S = 5.0
"""A master may still be starting when its worker is."""
EVERY_S = 0.2


class Part(Protocol):
    """What locust is told of it, and what a person is."""

    def words(self) -> list[str]:
        """Of locust's command line."""

    def said(self) -> str:
        """In a line; empty when there is nothing to say."""


@dataclass(frozen=True, kw_only=True)
class Alone:
    """One machine; with several processes, locust is their master."""

    processes: int

    def words(self) -> list[str]:
        if self.processes == 1:
            return []
        port = f"{free_port()}"
        return ["--processes", f"{self.processes}", "--enable-rebalancing", "--master-host", HOST,
                "--master-port", port, "--master-bind-host", HOST,
                "--master-bind-port", port]  # fmt: skip

    def said(self) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class Master:
    """Tells workers what to do, and does nothing itself."""

    bind: str
    port: int
    workers: int
    """That it waits for."""

    def words(self) -> list[str]:
        return ["--master", "--enable-rebalancing", "--master-bind-host", self.bind,
                "--master-bind-port", f"{self.port}",
                "--expect-workers", f"{self.workers}"]  # fmt: skip

    def said(self) -> str:
        port = f" --master-port {self.port}" if self.port != MASTER_PORT else ""
        at = "ADDRESS" if self.bind == "0.0.0.0" else self.bind
        many = f"{self.workers} workers" if self.workers > 1 else "one worker"
        return (f"waiting for {many} at {self.bind}:{self.port}; on each machine:"
                f" `doit load --worker --master-host {at}{port}`")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Does what its master says, until that ends it or is gone."""

    host: str
    port: int
    processes: int
    even_foreign: bool

    def words(self) -> list[str]:
        words = ["--worker", "--master-host", self.host, "--master-port", f"{self.port}"]
        words += ["--processes", f"{self.processes}"] if self.processes > 1 else []
        return words + (["--even-foreign"] if self.even_foreign else [])

    def said(self) -> str:
        return f"works for the master at {self.host}:{self.port}; Ctrl-C ends it"


def master(bind: str, port: int, workers: int, url: str) -> Master:
    """Raises BadInput for an address that cannot be listened on or workers that could not reach
    `url`, HostCannot for a port that is taken."""
    listening = bind == "0.0.0.0" or hosts.is_here(bind)
    if not listening:
        raise BadInput(
            f"--master-bind-host is `{bind}`, which is not an address of this machine.",
            cure="Give one that `ip address` shows, or 0.0.0.0 for all of them.",
        )
    if hosts.is_loopback_url(url) and not hosts.is_loopback(bind):
        raise BadInput(
            f"--master-bind-host {bind} is for workers on other machines, for which {url} is they"
            " themselves.",
            cure="Give --host with an address of the scheduler that they reach.",
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise HostCannot(
                f"a master cannot listen on {bind}:{port}: {error.strerror}.",
                cure="Give another --master-port, to its workers as well.",
            ) from None
    return Master(bind=bind, port=port, workers=workers)


def worker(host: str, port: int, processes: int, *, even_foreign: bool) -> Worker:
    """Raises HostCannot when nobody listens there."""
    give_up = time.monotonic() + REACHED_WITHIN_S
    while True:
        try:
            socket.create_connection((host, port), timeout=REACHED_WITHIN_S).close()
            return Worker(host=host, port=port, processes=processes, even_foreign=even_foreign)
        except OSError as error:
            why = error
        if time.monotonic() >= give_up or isinstance(why, socket.gaierror):
            raise unreached(host, port, _words(why)) from None
        time.sleep(EVERY_S)


def unreached(host: str, port: int, why: str) -> HostCannot:
    return HostCannot(
        f"no master at {host}:{port}: {why}.",
        cure="Start it first: `doit load --master --master-bind-host ADDRESS …`; ADDRESS is one of"
        " its machine that this one reaches, and no firewall may be between.",
    )


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "that name is not found"
    if isinstance(error, TimeoutError):
        return "nothing answers"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return error.strerror or str(error)


def free_port(wanted: int = 0) -> int:
    """That port of loopback if nobody listens there, else any free one."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return free_port()
        port: int = probe.getsockname()[1]
        return port
