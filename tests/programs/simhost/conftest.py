"""A simulated host in a folder, its process, and the real node_exporter in it."""

import re
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import HostCannot
from stack.paths import REPO
from stack.programs.simhost import disk, node_exporter_arguments
from tests import waiting


class Host:
    """A simulated host in `folder`, and the processes that a test starts for it.

    `user` and `python` are those of every process, `before` stands before every command.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the host"
        self.control = folder / "control.json"
        self.user: str | None = None
        self.python = sys.executable
        self.before: list[str] = []
        self.exporter_port = 0
        self._log = folder / "log"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*self.before, *command],
                cwd=REPO,
                stdout=log,
                stderr=log,
                user=self.user,
                extra_groups=[] if self.user else None,
            )
        self._started.append(process)
        return process

    def live(self) -> subprocess.Popen[bytes]:
        """Start the process that keeps the files alive and wait for them."""
        arguments = ["--root", str(self.root), "--control", str(self.control)]
        process = self.start(self.python, "-m", "stack.programs.simhost", *arguments)
        waiting.eventually((self.root / "proc/net/dev").exists, "its files")
        return process

    def enter(self, *program: str) -> subprocess.Popen[bytes]:
        """Start a program that sees the disks."""
        arguments = ["--root", str(self.root), "--", *program]
        return self.start(self.python, "-m", "stack.programs.simhost.enter", *arguments)

    def export(self, program: Path) -> subprocess.Popen[bytes]:
        """Start node_exporter and wait until it answers."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.exporter_port = int(server.getsockname()[1])
        listening = f"--web.listen-address=127.0.0.1:{self.exporter_port}"
        process = self.enter(str(program), *node_exporter_arguments(self.root), listening)
        waiting.eventually(self._answers, "node_exporter to answer")
        return process

    def wait_for_disk(self, pid: int) -> tuple[int, int]:
        """Size and available bytes of /data, once `enter` has made it."""

        def usage() -> tuple[int, int] | None:
            try:
                return disk.usage(pid, self.root)
            except HostCannot:
                return None

        return waiting.eventually(usage, "its disk") or (0, 0)

    def metrics(self) -> dict[str, float]:
        """What node_exporter says now: value by series as written."""
        url = f"http://127.0.0.1:{self.exporter_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        lines = re.findall(r"^(node_.*) (\S+)$", text, re.MULTILINE)
        return {series: float(value) for series, value in lines}

    def logged(self, text: str) -> str:
        """Wait until the log of all processes holds `text`, and return the log."""
        return waiting.eventually(
            lambda: self.log() if text in self.log() else "", f"`{text}` in its log"
        )

    def log(self) -> str:
        return self._log.read_text()

    def set(self, text: str) -> None:
        aside = self.control.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.control)

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        try:
            return bool(self.metrics())
        except urllib.error.URLError:
            return False


@pytest.fixture
def host() -> Iterator[Host]:
    # Not in pytest's own folder, which only its owner may enter. A blank in the name on purpose.
    with tempfile.TemporaryDirectory(prefix="simhost test ", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Host(folder)
        yield made
        made.stop()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object], str], object]:
    return waiting.eventually


@pytest.fixture(scope="session")
def node_exporter() -> Path:
    from stack.store.packageset import realise

    return realise(["node_exporter"])["node_exporter"] / "bin/node_exporter"
