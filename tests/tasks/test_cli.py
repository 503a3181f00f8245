"""Messages and exit codes between doit and the lab's functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stack.paths import REPO

TASKS = """
from stack.tasks.declaration import option, plain, task

def task_speak():
    "say a word"
    word = option("word", str, "quiet", "what to do")
    more = option("add", list, [], "more")
    return task("deeds:speak", params=[word, more], pos_arg=plain("add", "[WORD]...", "more"))

def task_whisper():
    "say it quietly"
    return task("deeds:whisper", params=[option("word", str, "hush", "what to say")])

def task_shout():
    "say what is given as it is"
    return task("deeds:shout", pos_arg=plain("words", "[X]...", "as is", passed_on=True))

def task_dig():
    "dig until there is a hole"
    return task("deeds:dig", shows_progress=True)
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

def whisper(word):
    print(f"({word})")

def shout(words):
    print(*words)

def dig():
    from stack import progress
    with progress.shown() as report, report.doing("digging"):
        pass
    progress.result("a hole", "dug", holes=1)
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
            timeout=120,
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


@pytest.mark.parametrize("between", [["--"], []])
def test_cli_options_of_others_are_passed_on(doit, between: list[str]) -> None:
    assert doit("shout", *between, "-k", "name", "--x=1").stdout == "-k name --x=1\n"


def test_cli_what_follows_two_dashes_is_plain(doit) -> None:
    assert doit("speak", "--", "--word", "-1", "").stdout == "quiet --word -1 \n"


@pytest.mark.parametrize("query", ['{a="b"} |= "c"', "x=y", "-1"])
def test_cli_plain_argument_is_taken_as_it_is(doit, query: str) -> None:
    assert doit("speak", query).stdout == f"quiet {query}\n"


def test_cli_tasks_run_in_a_row_until_one_fails(doit) -> None:
    done = doit("whisper", "--word", "a", "whisper", "speak", "--word", "check")
    assert (done.returncode, done.stdout) == (1, "(a)\n(hush)\n")
    assert doit("whisper", "shout", "whisper").stdout == "(hush)\nwhisper\n"


def test_cli_wrong_use_of_a_later_task_runs_none(doit) -> None:
    done = doit("whisper", "speek")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`doit whisper` takes no arguments, and there is no task `speek`." in done.stderr


def test_cli_shows_progress_in_the_way_that_is_asked_for(doit) -> None:
    plain, quiet, events = doit("dig"), doit("dig", "--quiet"), doit("dig", "--json")
    assert (plain.stdout, plain.stderr) == ("a hole\n", "digging …\n")
    assert (quiet.stdout, quiet.stderr) == ("a hole\n", "")
    told = [json.loads(line) for line in events.stdout.splitlines()]
    assert [one["event"] for one in told] == ["began", "ended", "dug"]
    assert events.stderr == ""
    both = doit("dig", "--quiet", "--json")
    assert (both.returncode, both.stdout) == (2, "")
    assert "do not go together" in both.stderr


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
    assert "deeds.py:15: a defect" in done.stderr
    assert "Traceback" not in done.stderr


def test_cli_verbose_shows_the_traceback(doit) -> None:
    assert "Traceback" in doit("speak", "--word", "host", "--verbose").stderr


def test_cli_unknown_task_ends_with_2_and_suggests(doit) -> None:
    done = doit("speek")
    assert done.returncode == 2
    assert "Did you mean speak?" in done.stderr
    assert "Traceback" not in done.stderr


def test_cli_unknown_option_ends_with_2(doit) -> None:
    done = doit("speak", "--wrod", "x")
    assert done.returncode == 2
    assert "--wrod" in done.stderr


@pytest.mark.parametrize("word", ["full", "denied"])
def test_cli_what_the_machine_refuses_ends_with_3(doit, word: str) -> None:
    done = doit("speak", "--word", word)
    assert done.returncode == 3
    assert "bug" not in done.stderr
    assert "/srv/x" in done.stderr or "is full" in done.stderr


def test_cli_broken_tasks_file_is_told_in_a_sentence(doit, tmp_path: Path) -> None:
    (tmp_path / "dodo.py").write_text("def task_x(:\n")
    done = doit("list")
    assert done.returncode == 2
    assert done.stderr.startswith("`dodo.py` cannot be read: SyntaxError: ")
    assert "dodo.py, line 1" in done.stderr
    assert "Traceback" not in done.stderr
