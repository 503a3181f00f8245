"""Export the processes of an instance as containers: `--port P --instance DIR`."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

from stack.errors import BadInput, HostCannot, LabError
from stack.loopback import HOST
from stack.programs.cadvisor.census import Census, Usage
from stack.programs.cadvisor.exposition import Declared, Machine, render
from stack.programs.cadvisor.server import Fresh, server
from stack.programs.logfmt import say
from stack.run.supervisor import Supervisor


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="stack.programs.cadvisor", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help=f"to listen on, at {HOST}")
    parser.add_argument("--instance", type=Path, required=True, help="the instance's folder")
    options = parser.parse_args()
    try:
        _serve(options.port, options.instance.absolute())
    except LabError as error:
        print(f"cadvisor: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _serve(port: int, directory: Path) -> None:
    exporter = Exporter(directory, declared(directory / "config/cadvisor/containers.json"))
    try:
        listening = server((HOST, port), Fresh(exporter))
    except OSError as error:
        raise HostCannot(
            f"port `{HOST}:{port}` cannot be listened on: {error.strerror}.",
            cure="Choose another with --port.",
        ) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this handler interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=listening.shutdown).start())
    say("info", "cadvisor", "listening", address=f"{HOST}:{port}")
    with listening:
        listening.serve_forever()


class Exporter:
    """The text of one scrape."""

    def __init__(self, directory: Path, declared: dict[str, Declared]) -> None:
        self._directory, self._declared = directory, declared
        self._said = ""
        self._census = Census(Supervisor(directory).states, self._supervisor_pid)
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
            failure = f"supervisord of `{self._directory}` is not seen: {error}"
        if failure and failure != self._said:
            say("error", "cadvisor", failure)
        self._said = failure
        return render(
            used, self._declared, self._machine,
            instance=self._directory.name, now=time.time(), failed=bool(failure),
        )  # fmt: skip

    def _supervisor_pid(self) -> int:
        return int((self._directory / "supervisord.pid").read_text())


def declared(path: Path) -> dict[str, Declared]:
    """Image and limits of each service, as `stack.run.services.cadvisor` wrote them."""
    try:
        return {name: Declared(**about) for name, about in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"`{path}` cannot be read: {error}.", cure="Start the instance anew: `doit up`."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
