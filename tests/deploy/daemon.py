"""A Docker daemon of a test's own, on a network of its own: its bridges, rules and published ports
are nobody else's, and gone with it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.leftovers import fresh

_NEEDED = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""Program → Debian's package."""

_STARTS_S = 60


class NoDaemon(Exception):
    """Why none can be had here."""


@dataclass(frozen=True, kw_only=True)
class Daemon:
    address: str
    pid: int

    def docker(self, *arguments: str) -> str:
        """What the command prints; fails with what it said if it does."""
        ran = subprocess.run(
            ["docker", "--host", self.address, *arguments],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def inside(self, *command: str) -> list[str]:
        """The command, run where the ports are published."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *command]


@contextmanager
def private_daemon() -> Iterator[Daemon]:
    """Raises NoDaemon where none can be started."""
    if os.geteuid() != 0:
        raise NoDaemon("only root can start a Docker daemon")
    lacking = sorted({package for name, package in _NEEDED.items() if not shutil.which(name)})
    if lacking:
        raise NoDaemon(f"no Docker daemon can be started without {', '.join(lacking)}")
    folder = fresh("lab-docker-", "/var/tmp")
    address = f"unix://{folder}/s"
    command = ["dockerd", "--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec"]
    command += ["--pidfile", f"{folder}/pid", "--host", address, "--bridge=none"]
    apart = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen([*apart, *command], stdout=log, stderr=log)
    try:
        if not _answers(address, running):
            said = (folder / "log").read_text().splitlines()[-1:]
            raise NoDaemon(f"dockerd does not start: {' '.join(said)}")
        yield Daemon(address=address, pid=running.pid)
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(address: str, running: "subprocess.Popen[bytes]") -> bool:
    give_up = time.monotonic() + _STARTS_S
    while running.poll() is None and time.monotonic() < give_up:
        ask = ["docker", "--host", address, "version"]
        if subprocess.run(ask, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.2)
    return False
