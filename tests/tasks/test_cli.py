"""Messages and exit codes between doit and the lab's functions."""

import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO

TASKS = """
from stack.tasks.declaration import Reporter, option, task

DOIT_CONFIG = {"reporter": Reporter, "backend": "sqlite3", "dep_file": ":memory:"}

def task_speak():
    "say a word"
    word = option("word", str, "quiet", "what to do")
    return task("deeds:speak", params=[word, option("add", list, [], "more")], pos_arg="add")
"""

DEEDS = """
from stack.errors import BadInput, CheckFailed, HostCannot

def speak(word, add):
    errors = {"check": CheckFailed, "input": BadInput, "host": HostCannot}
    if word in errors:
        raise errors[word]("`it` is wrong.", cure="Fix it.")
    if word == "interrupt":
        raise KeyboardInterrupt
    if word == "full":
        raise OSError(28, "No space left on device")
    if word == "denied":
        raise PermissionError(13, "Permission denied", "/srv/x")
    if word == "defect":
        raise ZeroDivisionError("a defect")
    print(word, *add)
"""


@pytest.fixture
def doit(tmp_path: Path):
    (tmp_path / "dodo.py").write_text(TASKS)
    (tmp_path / "deeds.py").write_text(DEEDS)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stack.tasks", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{REPO}:{tmp_path}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def test_cli_success_prints_only_what_the_task_prints(doit) -> None:
    done = doit("speak", "--word", "hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_cli_plain_arguments_follow_those_of_the_option(doit) -> None:
    assert doit("speak", "--add", "a", "--add", "b", "c", "d").stdout == "quiet a b c d\n"


def test_cli_options_may_follow_plain_arguments(doit) -> None:
    assert doit("speak", "a", "--word", "loud", "b", "--add", "c").stdout == "loud c a b\n"


def test_cli_options_of_others_are_passed_on(doit) -> None:
    assert doit("speak", "--", "-k", "name").stdout == "quiet -k name\n"


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("check", 1, "`it` is wrong.\n  Fix it.\n"),
        ("input", 2, "`it` is wrong.\n  Fix it.\n"),
        ("host", 3, "`it` is wrong.\n  Fix it.\n"),
        ("interrupt", 130, "interrupted\n"),
    ],
)
def test_cli_failure_is_two_lines_and_its_exit_code(doit, word: str, code: int, said: str) -> None:
    done = doit("speak", "--word", word)
    assert (done.returncode, done.stderr) == (code, said)


def test_cli_defect_names_the_place_without_a_traceback(doit) -> None:
    done = doit("speak", "--word", "defect")
    assert done.returncode == 1
    assert "unexpected ZeroDivisionError at" in done.stderr
    assert "deeds.py:15" in done.stderr
    assert "Traceback" not in done.stderr


def test_cli_verbose_shows_the_traceback(doit) -> None:
    assert "Traceback" in doit("speak", "--word", "host", "--verbose").stderr


def test_cli_unknown_task_ends_with_2_and_suggests(doit) -> None:
    done = doit("speek")
    assert done.returncode == 2
    assert "Did you mean: speak?" in done.stderr
    assert "Traceback" not in done.stderr


def test_cli_unknown_option_ends_with_2(doit) -> None:
    done = doit("speak", "--wrod", "x")
    assert done.returncode == 2
    assert "--wrod" in done.stderr


def test_every_task_has_a_line_worth_reading() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack.tasks", "list"],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) >= 11
    for line in lines:
        assert len(line.split()) > 4, line


@pytest.mark.parametrize("word", ["full", "denied"])
def test_cli_what_the_machine_refuses_ends_with_3(doit, word: str) -> None:
    done = doit("speak", "--word", word)
    assert done.returncode == 3
    assert "bug" not in done.stderr
    assert "/srv/x" in done.stderr or "is full" in done.stderr
