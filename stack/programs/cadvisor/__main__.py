"""Export the processes of an instance as containers: `--port P --instance DIR`."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from stack.errors import BadInput, LabError
from stack.loopback import HOST
from stack.programs.cadvisor.census import Census, Usage
from stack.programs.cadvisor.exposition import Declared, Machine, render
from stack.programs.cadvisor.fresh import Fresh
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.serving import PLAIN, listen, pages

_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="stack.programs.cadvisor", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help=f"port to listen on, at {HOST}")
    parser.add_argument("--instance", type=Path, required=True, help="the instance's folder")
    options = parser.parse_args()
    try:
        _serve(options.port, options.instance.absolute())
    except LabError as error:
        print(f"cadvisor: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _serve(port: int, directory: Path) -> None:
    known = declared(directory / "config/cadvisor/containers.json")
    exporter = Exporter(directory, known, lambda: pids(directory))
    text = Fresh(exporter)
    listening = pages(
        listen(HOST, port, option="--port"),
        {
            "/metrics": lambda: (200, _EXPOSITION, text().encode()),
            "/healthz": lambda: (200, PLAIN, b"ok"),
        },
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this handler interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=listening.shutdown).start())
    say("info", "cadvisor", "listening", address=f"{HOST}:{port}")
    with listening:
        listening.serve_forever()


class Exporter:
    """The text of one scrape. `pids` asks supervisord, see `Census`."""

    def __init__(
        self,
        directory: Path,
        declared: Mapping[str, Declared],
        pids: Callable[[], Mapping[str, int]],
    ) -> None:
        self._directory, self._declared = directory, declared
        self._said = ""
        self._census = Census(pids, self._supervisor_pid)
        self._machine = Machine(
            cpu_cores=psutil.cpu_count() or 0,
            memory_bytes=psutil.virtual_memory().total,
            kernel=os.uname().release,
        )

    def __call__(self) -> str:
        used: list[Usage] = []
        failure = ""
        try:
            used = self._census.take()
        except (psutil.Error, OSError, ValueError) as error:
            failure = f"supervisord of `{self._directory}` cannot be observed: {error}"
        if failure and failure != self._said:
            say("error", "cadvisor", failure)
        self._said = failure
        return render(
            used, self._declared, self._machine,
            instance=self._directory.name, now=time.time(), failed=bool(failure),
        )  # fmt: skip

    def _supervisor_pid(self) -> int:
        return int((self._directory / "supervisord.pid").read_text())


def pids(directory: Path) -> dict[str, int]:
    """Service name → PID, 0 when it does not run; empty when supervisord does not answer."""
    transport = SupervisorTransport(None, None, f"unix://{directory / 'supervisor.sock'}")
    try:
        # The address is only for show: the transport goes to the socket.
        server: Any = ServerProxy(f"http://{HOST}", transport=transport)
        found = server.supervisor.getAllProcessInfo()
    except (OSError, HTTPException):
        return {}
    finally:
        transport.close()
    return {info["name"]: info["pid"] for info in found}


def declared(path: Path) -> dict[str, Declared]:
    """Image and limits of each service, as its instance wrote them. Raises BadInput."""
    try:
        return {name: Declared(**about) for name, about in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"`{path}` cannot be read: {error}.", cure="Start the instance again: `doit up`."
        ) from error


if __name__ == "__main__":
    sys.exit(within("cadvisor", main))
