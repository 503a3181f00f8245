"""Wrong use of the command line: a sentence with the nearest names, never a dump, always 2."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO
from tests.waiting import eventually


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stack.tasks", *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said", "cure"),
    [
        ("verify-alerts --only", "`doit verify-alerts`: `--only` needs a value", "--only ALERT"),
        ("verify-alerts A --ony B", "there is no option `--ony`.", "Did you mean --only or"),
        ("verify-alerts --speed 0.5", "`--speed`: 0.5 is out of range: 1 or more.", "--help"),
        ("quiet-day --speed 2000", "`--speed`: 2000 is out of range: 1 to 1440.", "--help"),
        ("up --sped 3", "`doit up`: there is no option `--sped`.", "Did you mean --speed?"),
        ("up -s 3", "`doit up`: there is no option `-s`.", "`doit up --help`"),
        ("up --speed fast", "`--speed`: `fast` is not a number.", "`doit up --help`"),
        ("up --speed nan", "`--speed`: `nan` is not a number", "`doit up --help`"),
        ("up --speed 1e999", "`--speed`: `1e999` is not a number", "`doit up --help`"),
        ("up --port-offset 1.5", "`--port-offset`: `1.5` is not a whole number.", "--help"),
        ("status --instance", "`--instance` needs a value: `--instance NAME`.", "--help"),
        ("down --wipe=yes", "`doit down`: `--wipe` takes no value.", "`doit down --help`"),
        ("incident A --for 5", "`--for`: `5` is not a duration such as 90s, 5m", "--help"),
        ("incident A --for 0s", "`--for`: `0s` is not a duration", "--help"),
        ("logql x --since soon", "`--since`: `soon` is not a duration", "--help"),
        ("logql x --output xml", "`xml` is none of default, jsonl, raw.", "--help"),
        ("build --system mips", "`--system`: `mips` is none of amd64, arm64.", "--help"),
        ("chek", "there is no task `chek`.", "Did you mean check?"),
        ("verify_alerts", "there is no task `verify_alerts`.", "Did you mean verify-alerts"),
        ("forget", "there is no task `forget`.", "`doit list`"),
        ("tabcompletion", "there is no task `tabcompletion`.", "Did you mean completion?"),
        ("up nonsense", "there is no task `nonsense`.", "`doit list`"),
        ("up -- nonsense", "`doit up` takes no plain arguments.", "`doit up --help`"),
        ("help nonsense", "there is no task `nonsense`.", "`doit list`"),
        ("--nonsense", "there is no option `--nonsense` before a task.", "doit help"),
        ("list --nonsense", "there is no option `--nonsense`.", "`doit list --help`"),
        ("completion tcsh", "there is no completion for `tcsh`.", "bash, zsh, fish"),
        ("verify-alerts PostgresDown", "there is no alert `PostgresDown`.", "PostgreSQLDown"),
        ("verify-alerts 'x*' routing/q", "no alert `'x*'`, nor `routing/q`.", "Areas are"),
        ("verify-dashboards overvew", "no dashboard or panel `overvew`.", "mean overview, "),
        ("build promtheus", "there is no package `promtheus`.", "Did you mean prometheus?"),
        ("images bakend", "there is no service `bakend`.", "Did you mean backend?"),
        ("why libicu", "there is no package or artifact `libicu`.", "mean libicu76"),
        ("list-faults DiskFil", "there is no fault `DiskFil`.", "disk.DiskFilled"),
        ("capacity schedular", "there is no capacity of `schedular`.", "mean scheduler?"),
        ("incident --seed 7", "--seed repeats a day of incidents.", "--schedule"),
        ("incident --for 5m", "--for says how long one incident lasts.", "Name the one"),
        ("incident --schedule A", "draws the incidents itself, so A would do nothing.", "--seed"),
        ("incident --end --schedule", "--end and --schedule do not go together.", "one of them"),
        ("status --instance defalt", "there is no instance `defalt`", "`doit up --instance"),
        ("list-users Residnt", "there is no kind of user `Residnt`.", "Did you mean Resident?"),
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
from stack.tasks.declaration import plain, task
def task_wait():
    "wait until it is stopped"
    return task("waits:wait", pos_arg=plain("place", "FOLDER", "where"))
"""


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "the terminal is closed"])
def test_task_that_is_ended_stops_what_it_began(tmp_path: Path, how: str) -> None:
    (tmp_path / "dodo.py").write_text(TASKS)
    (tmp_path / "waits.py").write_text(WAITS)
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
         "import runpy; runpy.run_module('stack.tasks', run_name='__main__', alter_sys=True)",
         "wait", str(tmp_path)],
        cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env={"PYTHONPATH": f"{REPO}:{tmp_path}", "PATH": "/usr/bin:/bin"},
    ) as process, os.fdopen(master, "rb") as screen:  # fmt: skip
        os.close(terminal)
        try:
            eventually((tmp_path / "begun").exists, "the task to begin")
            if how.startswith("SIG"):
                process.send_signal(signal.Signals[how])
            else:
                screen.close()
            process.wait(30)
        finally:
            process.kill()
    assert (tmp_path / "stopped").exists()
    assert process.returncode == 130
