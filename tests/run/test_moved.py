"""What an older commit started is found where its programs lie today."""

from pathlib import Path

import pytest

from stack.paths import REPO
from stack.run.moved import renamed

TODAY = [
    ("scheduler --port 1", "programs.scheduler --port 1"),
    ("simhost.enter --root /r -- x", "programs.simhost.enter --root /r -- x"),
    ("containers --port 1", "programs.cadvisor --port 1"),
    ("programs.inbox --http-port 1", "programs.inbox --http-port 1"),
    ("schedulers --port 1", "schedulers --port 1"),
]


@pytest.mark.parametrize(("before", "after"), TODAY)
def test_renamed_command(before: str, after: str) -> None:
    program = {"command": f"/p/python -m stack.{before}", "directory": str(REPO), "user": "u"}
    assert renamed(program) == {**program, "command": f"/p/python -m stack.{after}"}


def test_renamed_leaves_a_checkout_alone_that_is_as_old_as_the_command(tmp_path: Path) -> None:
    program = {"command": "/p/python -m stack.scheduler --port 1", "directory": str(tmp_path)}
    assert renamed(program) == program


def test_every_program_is_where_it_is_said_to_be() -> None:
    for _, after in TODAY[:4]:
        module = after.split(" ")[0].removesuffix(".enter").replace(".", "/")
        assert (REPO / "stack" / module / "__main__.py").is_file()
