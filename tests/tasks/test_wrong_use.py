"""Wrong use of the command line: a sentence with the nearest names, never a dump, always 2."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stack.tasks", *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["clean", "dumpdb", "forget", "ignore", "reset-dep", "strace"])
@pytest.mark.parametrize("more", [[], ["up"], ["--help"]])
def test_commands_of_doit_that_mean_nothing_here_say_so(name: str, more: list[str]) -> None:
    done = run(name, *more)
    assert done.returncode == 2
    assert done.stderr.startswith(f"there is nothing to `{name}` here")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said", "cure"),
    [
        ("verify-alerts --only", "`doit verify-alerts`: `--only` needs a value.", "--only VALUE"),
        ("verify-alerts A --only", "`doit verify-alerts`: `--only` needs a value.", "doit help"),
        ("verify-alerts A --ony B", "there is no option `--ony`.", "Did you mean: --only?"),
        ("up --sped 3", "`doit up`: there is no option `--sped`.", "Did you mean: --speed?"),
        ("up --speed fast", "--speed: `fast` is not a number.", "`doit help up`"),
        ("up --port-offset 1.5", "--port-offset: `1.5` is not a whole number.", "`doit help up`"),
        ("status --instance", "`doit status`: `--instance` needs a value.", "`doit help status`"),
        ("down --wipe=yes", "`doit down`: option `--wipe` must not have an argument", "doit help"),
        ("chek", "there is no task `chek`.", "Did you mean: check"),
        ("up nonsense", "there is no task `nonsense`.", "`doit list`"),
        ("--nonsense", "there is no option `--nonsense`.", "doit help"),
        ("list --nonsense", "there is no option `--nonsense`.", "doit help"),
    ],
)
def test_wrong_use_is_a_sentence(arguments: str, said: str, cure: str) -> None:
    done = run(*arguments.split())
    assert done.returncode == 2
    assert said in done.stderr
    assert cure in done.stderr
    for dump in ("CmdOption", "Traceback", "<class", "ERROR"):
        assert dump not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) == 2


WAITS = """
import sys, threading
from pathlib import Path

def wait(place):
    Path(place[0], "begun").touch()
    try:
        threading.Event().wait()
    finally:
        print("stopping")
        Path(place[0], "stopped").touch()
"""
TASKS = """
from stack.tasks.declaration import Reporter, task
DOIT_CONFIG = {"reporter": Reporter, "backend": "sqlite3", "dep_file": ":memory:"}
def task_wait():
    "wait until it is stopped"
    return task("waits:wait", pos_arg="place")
"""


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "the terminal is closed"])
def test_task_that_is_ended_stops_what_it_began(tmp_path: Path, how: str) -> None:
    (tmp_path / "dodo.py").write_text(TASKS)
    (tmp_path / "waits.py").write_text(WAITS)
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
         "import runpy; runpy.run_module('stack.tasks', run_name='__main__', alter_sys=True)",
         "wait", str(tmp_path)],
        cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env={"PYTHONPATH": f"{REPO}:{tmp_path}", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    os.close(terminal)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
    if how.startswith("SIG"):
        process.send_signal(signal.Signals[how])
        process.wait(30)
        os.close(master)
    else:
        os.close(master)
        process.wait(30)
    assert (tmp_path / "stopped").exists()
    assert process.returncode == 130
