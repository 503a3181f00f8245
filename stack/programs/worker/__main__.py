"""Run the stub of the background worker.

`python -m stack.programs.worker --control FILE [--beat FILE]`. The control file is missing or `{}`
when healthy: `{"cpu_cores": 0.09}` burns that share of a core, `{"memory_bytes": 60000000}` grows
to that resident size, `{"crash_after_s": 0.5}` exits with an error half a second after each start.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from stack.errors import HostCannot, LabError
from stack.programs.control import ControlFile
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.worker.strain import Ballast, Burner
from stack.programs.worker.wishes import wishes

_ROUND_S = 0.05
_JOB_EVERY_S = 0.5
_LOGGED_EVERY = 2
"""Jobs for each line in the log, which is never silent for longer: an alert relies on that."""
_RESIDENTS, _WEEKS = 60, 4


class Crashed(Exception):
    """The crash that the control file asks for."""


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0, 1 after a crash, or the error's."""
    parser = argparse.ArgumentParser(prog="stack.programs.worker", description=__doc__)
    parser.add_argument("--control", type=Path, required=True, help="JSON file, see above")
    parser.add_argument("--beat", type=Path, help="file to touch after each job")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        _live(options.control, options.beat)
    except Crashed as error:
        say("error", "worker", "job `count_open_shifts` failed", error=error)
        return 1
    except LabError as error:
        print(f"worker: {error}", file=sys.stderr)
        return error.exit_code


def _live(control_path: Path, beat: Path | None) -> NoReturn:
    born = time.monotonic()
    control = ControlFile(control_path, wishes, who="worker")
    burner, ballast, jobs = Burner(), Ballast(), _jobs(beat)
    while True:
        wished = control.value()
        now = time.monotonic()
        if wished.crash_after_s is not None and now - born >= wished.crash_after_s:
            raise Crashed(f"told to crash {wished.crash_after_s:g} s after the start")
        next(jobs)
        ballast.grow_to(wished.memory_bytes)
        burner.burn(wished.cpu_cores, at_most_s=_ROUND_S)
        time.sleep(max(0.0, _ROUND_S - (time.monotonic() - now)))


def _jobs(beat: Path | None) -> Iterator[int]:
    """Count the open shifts of a made-up roster now and then; yields the last count each round."""
    due, count, done = time.monotonic(), 0, 0
    while True:
        if time.monotonic() >= due:
            due += _JOB_EVERY_S
            count = sum((person * 7 + day) % 5 == 0
                        for person in range(_RESIDENTS) for day in range(7 * _WEEKS))  # fmt: skip
            _touch(beat)
            if done % _LOGGED_EVERY == 0:
                say("info", "worker", "job `count_open_shifts` done", open_shifts=count)
            done += 1
        yield count


def _touch(beat: Path | None) -> None:
    try:
        if beat:
            beat.touch()
    except OSError as error:
        raise HostCannot(
            f"cannot write `{beat}`: {error.strerror}.",
            cure="Free disk space, or make its folder writable.",
        ) from error


if __name__ == "__main__":
    sys.exit(within("worker", main))
