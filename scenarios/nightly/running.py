"""One stage, within its time; whatever happens, nothing of it is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import psutil

from scenarios.nightly.ledger import Outcome, Verdict
from scenarios.nightly.stages import NIGHTS, Stage
from scenarios.nightly.summary import length
from stack.paths import REPO

TASKS = (sys.executable, "-m", "stack.tasks")

GRACE_S = 60.0
"""For a stage that is ended: so long it may take to stop what it began."""

_HOST_CANNOT = 3
_INTERRUPTED = "ended by Ctrl-C, or a signal"
_LOG = "log.txt"
_SHOWN = 200
_LOOK_EVERY_S = 0.1


def run(stage: Stage, folder: Path, reports: Path, *, program: Sequence[str] = TASKS,
        grace_s: float = GRACE_S) -> Outcome:  # fmt: skip
    """Run a stage; what it says and reports goes into `folder`. On Ctrl-C it is ended, and that is
    its outcome."""
    folder.mkdir()
    with (folder / _LOG).open("ab") as log:
        began = time.monotonic()
        running = _Running(stage, folder, reports, program, grace_s, log.fileno())
        verdict, said = running.all()
        seconds = time.monotonic() - began
    good = verdict is Verdict.PASSED
    if verdict in (Verdict.FAILED, Verdict.BLOCKED):
        said = _last_words(folder / _LOG) or said
    return Outcome(
        stage=stage.name, verdict=verdict, seconds=round(seconds, 1), said="" if good else said,
        report=str(_report(stage, folder)),
    )  # fmt: skip


class _Running:
    def __init__(
        self, stage: Stage, folder: Path, reports: Path, program: Sequence[str], grace_s: float,
        log: int,
    ) -> None:  # fmt: skip
        self._stage, self._program, self._log = stage, program, log
        self._grace_s = grace_s
        night = date.today().toordinal() % NIGHTS + 1
        self._places = {"folder": str(folder), "reports": str(reports), "night": str(night)}
        self._environment = {**stage.environment, **os.environ, "STACK_REPORTS": str(folder)}
        self._allow(stage.limit_s)

    def _allow(self, limit_s: float) -> None:
        self._limit_s, self._give_up = limit_s, time.monotonic() + limit_s

    def all(self) -> tuple[Verdict, str]:
        """The verdict, and why."""
        try:
            found = self._until_one_fails()
        except KeyboardInterrupt:
            found = Verdict.INTERRUPTED, _INTERRUPTED
        if self._stage.afterwards:
            self._allow(self._grace_s)
            try:
                after = self._one(self._stage.afterwards)
            except KeyboardInterrupt:
                return Verdict.INTERRUPTED, _INTERRUPTED
            found = found if found[0] is not Verdict.PASSED else after
        return found

    def _until_one_fails(self) -> tuple[Verdict, str]:
        for command in self._stage.commands:
            found = self._one(command)
            if found[0] is not Verdict.PASSED:
                return found
        return Verdict.PASSED, ""

    def _one(self, command: Sequence[str]) -> tuple[Verdict, str]:
        words = [word.format_map(self._places) for word in command]
        # A group of its own: Ctrl-C reaches this program, which ends it in order.
        process = subprocess.Popen(
            [*self._program, *words], cwd=REPO, env=self._environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        try:
            code = process.wait(max(0.0, self._give_up - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._end(process)
            return Verdict.TOO_LONG, f"`{words[0]}` was ended: {length(self._limit_s)} are over"
        except KeyboardInterrupt:
            self._end(process)
            raise
        finally:
            _signal(process, signal.SIGKILL)  # what it left behind
        if code == 0:
            return Verdict.PASSED, ""
        bad = Verdict.BLOCKED if code == _HOST_CANNOT else Verdict.FAILED
        return bad, f"`{words[0]}` ended with {code}"

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        """In order if it can within its grace: all of it, for what it began may still put things
        in order when it is gone itself. A second Ctrl-C does not wait."""
        _signal(process, signal.SIGINT)
        give_up = time.monotonic() + self._grace_s
        while (process.poll() is None or _lives(process.pid)) and time.monotonic() < give_up:
            time.sleep(_LOOK_EVERY_S)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _lives(group: int) -> bool:
    """Whether a process group has members that run."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def _last_words(log: Path) -> str:
    """The last line that is not the continuation of another one."""
    lines = log.read_text(errors="replace").splitlines()
    found = next((one for one in reversed(lines) if one[:1].strip()), "")
    return found if len(found) <= _SHOWN else f"{found[: _SHOWN - 1]}…"


def _report(stage: Stage, folder: Path) -> Path:
    found = sorted(folder.glob(stage.report)) if stage.report else []
    return found[-1] if found else folder / _LOG
