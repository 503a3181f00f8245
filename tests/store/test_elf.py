"""Which loader a program asks for is read and written in its own headers."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.store import elf
from stack.store.launcher import launcher


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of a program that is linked dynamically."""
    return Path(shutil.copy(Path(sys.executable).resolve(), tmp_path / "program"))


def test_linked_programs_ask_for_a_loader(program: Path, tmp_path: Path) -> None:
    text, static = tmp_path / "text", tmp_path / "static"
    text.write_bytes(b"#!/bin/sh\n")
    static.write_bytes(launcher("amd64", "static", ["/bin/true"]))
    assert not elf.asks_for_loader(text)
    assert not elf.asks_for_loader(static)
    assert elf.asks_for_loader(program)


def test_loader_is_looked_for_where_the_program_is_started(program: Path) -> None:
    before = program.read_bytes()
    asked = re.search(rb"/[\w/.-]*/ld-[\w.-]+", before)
    assert asked
    elf.ask_for_loader(program, "loader")
    program.with_name("loader").symlink_to(asked[0].decode())
    assert len(program.read_bytes()) == len(before)
    command = [program, "-S", "-E", "-c", ""]
    with pytest.raises(FileNotFoundError):
        subprocess.run(command, cwd=program.parent.parent, timeout=30)
    subprocess.run(command, cwd=program.parent, timeout=30)  # it starts


def test_path_that_does_not_fit_is_refused_and_nothing_is_written(program: Path) -> None:
    before = program.read_bytes()
    with pytest.raises(BadInput, match=r"no room for `x+`"):
        elf.ask_for_loader(program, "x" * 200)
    assert program.read_bytes() == before


def test_program_without_a_loader_gets_none(tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.write_bytes(launcher("amd64", "static", ["/bin/true"]))
    with pytest.raises(BadInput, match="`static` is linked statically"):
        elf.ask_for_loader(static, "loader")
