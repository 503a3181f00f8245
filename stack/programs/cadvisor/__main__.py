"""Export the processes of an instance as containers (`--port P --instance DIR`), or this machine's
containers of images of the lab's own (`--containers`)."""

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
from stack.programs.cadvisor.containers import Containers
from stack.programs.cadvisor.exposition import Declared, Machine, render
from stack.programs.cadvisor.fresh import Fresh
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.serving import PLAIN, listen, pages

_PROJECT = "residency-monitoring"
"""Name of the Compose project, which containers do not know."""

_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="stack.programs.cadvisor", description=__doc__)
    parser.add_argument(
        "--listen", default=HOST, metavar="ADDRESS", help="of the port (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--instance", type=Path, help="the instance's folder")
    which.add_argument("--containers", action="store_true", help="those of this machine")
    options = parser.parse_args()
    try:
        exporter = of_containers() if options.containers else of_instance(options.instance)
        _serve(options.listen, options.port, exporter)
    except LabError as error:
        print(f"cadvisor: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def of_instance(directory: Path) -> "Exporter":
    """The exporter of an instance. Raises BadInput if it has not been told of its services."""
    directory = directory.absolute()
    census = Census(
        lambda: pids(directory), lambda: int((directory / "supervisord.pid").read_text())
    )
    known = declared(directory / "config/cadvisor/containers.json")
    return Exporter(directory.name, known, census.take)


def of_containers() -> "Exporter":
    """The exporter of this machine's containers. It knows no limits."""
    return Exporter(_PROJECT, {}, Containers().take)


def _serve(address: str, port: int, exporter: "Exporter") -> None:
    text = Fresh(exporter)
    listening = pages(
        listen(address, port, option="--port"),
        {
            "/metrics": lambda: (200, _EXPOSITION, text().encode()),
            "/healthz": lambda: (200, PLAIN, b"ok"),
        },
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this handler interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=listening.shutdown).start())
    say("info", "cadvisor", "listening", address=f"{address}:{port}")
    with listening:
        listening.serve_forever()


class Exporter:
    """The text of one scrape. `take` looks at what runs, as `Census` does."""

    def __init__(
        self, name: str, declared: Mapping[str, Declared], take: Callable[[], list[Usage]]
    ) -> None:
        self._name, self._declared, self._take = name, declared, take
        self._said = ""
        self._machine = Machine(
            cpu_cores=psutil.cpu_count() or 0,
            memory_bytes=psutil.virtual_memory().total,
            kernel=os.uname().release,
        )

    def __call__(self) -> str:
        used: list[Usage] = []
        failure = ""
        try:
            used = self._take()
        except (psutil.Error, OSError, ValueError) as error:
            failure = f"what `{self._name}` runs cannot be observed: {error}"
        if failure and failure != self._said:
            say("error", "cadvisor", failure)
        self._said = failure
        return render(
            used, self._declared, self._machine,
            instance=self._name, now=time.time(), failed=bool(failure),
        )  # fmt: skip


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
