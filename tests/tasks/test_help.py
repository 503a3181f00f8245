"""Help: what a newcomer reads of a task, and of all of them."""

import ast
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.tasks import shelves
from stack.paths import REPO
from stack.tasks import helping
from stack.tasks.commandline import calls
from stack.tasks.declaration import PROGRESS, duration, named, option, plain, task
from stack.tasks.dodofile import declared

TASKS, GROUPS = declared()

MADE = named(
    "brew",
    task(
        "x:y",
        params=[
            option("cups", int, 2, "of water", low=1, high=9),
            option("heat", float, 60.5, "in degrees", low=0),
            option("steep", duration, "5m", "in hot water"),
            option("with", list, [], "what goes in", shown="THING"),
            option("strong", bool, False, "more leaves"),
            option("pot", str, "", "if not the blue one", choices=("red", "green")),
        ],
        pos_arg=plain("leaves", "[LEAF]...", "names of teas"),
    ),
    """make tea

    It takes a while, in
    which nothing else is done.

    $ brew assam
    $ brew assam --cups 3  # for three
    """,
)

HELP = """\
Usage: doit brew [OPTIONS] [LEAF]...

  Make tea.

  It takes a while, in which nothing else is done.

Arguments:
  [LEAF]...  names of teas

Options:
  --cups N           of water  [default: 2, 1 to 9]
  --heat K           in degrees  [default: 60.5, 0 or more]
  --steep DURATION   in hot water  [default: 5m]
  --with THING       what goes in  [repeatable]
  --strong           more leaves
  --pot red|green    if not the blue one
  --verbose          show the traceback behind an error
  -h, --help         show this

Examples:
  brew assam
  # for three
  brew assam --cups 3

Exit codes: 0 good, 1 a verdict or check failed, 2 wrong use or bad input, 3
this machine cannot do it, 130 interrupted.
"""


def run(*arguments: str, columns: int = 80) -> str:
    done = subprocess.run(
        [sys.executable, "dodo.py", *arguments],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "COLUMNS": f"{columns}"},
    )  # fmt: skip
    return done.stdout


def test_help_of_a_task_has_the_usual_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = "\n".join(helping.help_of(MADE)) + "\n"
    assert re.sub(r"(?m)^(  -\S+(?: \S+)*?) {2,}", r"\1  ", said) == re.sub(
        r"(?m)^(  -\S+(?: \S+)*?) {2,}", r"\1  ", HELP
    )


@pytest.mark.parametrize("words", ["up --help", "up -h", "help up", "up --speed 60 --help"])
def test_help_is_asked_for_in_the_usual_ways(words: str) -> None:
    assert run(*words.split()).startswith("Usage: doit up [OPTIONS]\n")


@pytest.mark.parametrize("words", ["help", "--help", "-h"])
def test_help_of_everything_lists_the_tasks(words: str) -> None:
    said = run(*words.split())
    assert said.startswith("Usage: doit TASK [OPTIONS] [ARGUMENTS]\n")
    assert run("list") in said


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_keeps_within_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", f"{columns}")
    lines = [*helping.overview(TASKS, GROUPS)]
    for one in TASKS.values():
        lines += [line for line in helping.help_of(one) if line.strip() not in one.examples]
    assert max(map(len, lines)) <= columns


def test_help_begins_with_a_sentence() -> None:
    begins = {name: helping.help_of(one) for name, one in TASKS.items()}
    ends = {name: re.findall(r"[.?]+$", [*lines][2])[0] for name, lines in begins.items()}
    assert set(ends.values()) == {".", "?"}


def test_every_task_is_in_one_group_and_every_name_is_a_task() -> None:
    named_ones = list(itertools.chain(*GROUPS.values()))
    assert sorted(named_ones) == sorted(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_does_with_two_examples_that_can_be_typed(name: str) -> None:
    one = TASKS[name]
    assert len(one.summary.split()) >= 3
    assert len(one.summary) <= 80 - 21, "it is one line of `doit list` on 80 columns"
    assert len(one.examples) >= 2
    assert all(each.text for each in one.options)
    for example in one.examples:
        words = list(itertools.takewhile(lambda word: word not in "|>", shlex.split(example)))
        if "&&" not in words and words[0] != "source":
            assert words[:2] == ["doit", name]
            assert len(calls(words[1:], TASKS)) == 1


@pytest.mark.parametrize("name", ["list-faults", "list-users"])
def test_examples_show_something(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for example in TASKS[name].examples:
        [call] = calls(shlex.split(example)[1:], TASKS)
        getattr(shelves, name.replace("-", "_"))(call.values["names"])
        assert capsys.readouterr().out


def test_functions_behind_tasks_are_there_and_take_what_is_declared() -> None:
    """By their source: importing them all takes long."""
    for one in TASKS.values():
        module, name = one.function.split(":")
        file = REPO.joinpath(*module.split(".")).with_suffix(".py")
        functions = {
            node.name: node
            for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)
        }  # fmt: skip
        given = functions[name].args
        takes = {argument.arg for argument in (*given.args, *given.kwonlyargs)}
        wants = {each.key for each in one.options} - {"verbose", *(own.key for own in PROGRESS)}
        wants |= {one.plain.key} if one.plain else set()
        assert wants <= takes, f"{one.function} does not take {wants - takes}"


def test_help_needs_no_environment(tmp_path: Path) -> None:
    """On a bare machine: any Python, no site packages, nothing made."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", BARE, str(tmp_path)],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: doit up [OPTIONS]")
    assert list(tmp_path.iterdir()) == []


BARE = """
import sys
from pathlib import Path
from stack import bootstrap
bootstrap.VENV = Path(sys.argv[1], ".venv")
bootstrap.STAMP = bootstrap.VENV / "made-from"
bootstrap.main(["up", "--help"])
"""
