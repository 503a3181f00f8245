"""Signals, and a terminal that is closed, against real processes."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO
from tests.waiting import eventually

WAITS = """
import signal, sys, threading
from pathlib import Path
from scenarios.proof.endings import ended_by
{before}
seen, out = [], Path(sys.argv[1])
stop = threading.Event()
with ended_by(lambda number: (seen.append(number.name), stop.set())):
    out.with_suffix(".ready").write_text("")
    stop.wait({within_s})
    for _ in range(3):
        print("still undoing faults", flush=True)  # to a terminal that is gone
        sys.stderr.write("still\\n")
        sys.stderr.flush()
out.write_text(" ".join(seen))
"""


def script(before: str = "", within_s: float = 60) -> list[str]:
    return [sys.executable, "-c", WAITS.format(before=before, within_s=within_s)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "seen"
    with subprocess.Popen([*script(), str(out)], cwd=REPO, stdout=subprocess.DEVNULL) as process:
        eventually(out.with_suffix(".ready").exists, "the handlers")
        process.send_signal(number)
        assert process.wait(30) == 0
    assert out.read_text() == number.name


def test_closed_terminal_ends_in_order(tmp_path: Path) -> None:
    """The kernel sends SIGHUP to whoever had it, and refuses all that is written to it."""
    out = tmp_path / "seen"
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(REPO)
        os.execv(sys.executable, [*script(), str(out)])
    try:
        eventually(out.with_suffix(".ready").exists, "the handlers")
    finally:
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert out.read_text() == "SIGHUP"


def test_whoever_ignores_a_hangup_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "seen"
    ignored = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    command = [*script(before=ignored, within_s=1), str(out)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL) as process:
        eventually(out.with_suffix(".ready").exists, "the handlers")
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 0
    assert out.read_text() == ""
