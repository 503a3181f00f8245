"""Where the output goes: closed pipes, full disks, closed streams, odd terminals."""

import os
import pty
import re
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from stack.paths import REPO

DOIT = f"{sys.executable} -m stack.tasks"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("task", ["list", "verify-alerts --help", "closure", "list-faults"])
def test_closed_pipe_ends_quietly_as_others_do(task: str, buffered: bool) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "stack.tasks", *task.split()],
            cwd=REPO, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"},
        )  # fmt: skip
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("task", ["list", "why glibc", "list-users"])
def test_full_disk_is_said_in_one_line(task: str, unbuffered: str) -> None:
    done = shell(f"{DOIT} {task} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 3
    assert done.stderr == "the output cannot be written: No space left on device.\n"


def test_full_disk_for_errors_leaves_the_exit_code() -> None:
    done = shell(f"{DOIT} chek > /dev/full 2> /dev/full")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closed: str) -> None:
    assert shell(f"{DOIT} list {closed}").returncode == 0
    assert shell(f"{DOIT} chek {closed}").returncode == 2


def on_terminal(task: str, columns: int) -> list[str]:
    """The lines that a terminal of so many columns is given."""
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    without = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-m", "stack.tasks", *task.split()],
        cwd=REPO, stdin=terminal, stdout=terminal, stderr=terminal, env=without,
    ) as process, os.fdopen(master, "rb", 0) as screen:  # fmt: skip
        os.close(terminal)
        said = b""
        with suppress(OSError):  # how Linux says that nobody has the terminal any more
            while read := screen.read(65536):
                said += read
        process.wait(60)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode()).splitlines()


@pytest.mark.parametrize("columns", [44, 60, 80, 120])
@pytest.mark.parametrize(
    "task",
    ["list", "help restart", "list-users Planner", "incident", "why nosuch",
     "restart"],
)  # fmt: skip
def test_terminal_gets_lines_of_whole_words_that_fit(
    task: str, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    lines = on_terminal(task, columns)
    assert len(lines) > 1
    assert max(map(len, lines)) <= columns
    # Written for this width, not for a narrower one.
    assert max(map(len, lines)) > columns / 2 or columns > 80


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"LANG": "C", "LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "40"},
        {"COLUMNS": "1"},
    ],
    ids=lambda environment: " ".join(environment),
)
def test_odd_terminals_are_answered(environment: dict[str, str]) -> None:
    for task in ("list", "help", "reproduce --help"):
        done = shell(f"{DOIT} {task}", **environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout


INTERRUPTED_EARLY = """
import sys
from stack.tasks import front
class Late:
    def find_spec(self, name, *_):
        if name == "doit":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Late())
raise SystemExit(front.main(["status"]))
"""


def test_interrupt_before_the_task_has_begun_is_one_word() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_EARLY],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
