"""`doit outdated` lists what is behind and changes nothing."""

from typing import Any

import pytest

from stack.tasks.outdated import show_outdated


def test_outdated_lists_what_is_behind_and_changes_nothing(
    world: Any, ahead: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.lock.file.read_text()
    show_outdated(world.package_set)
    assert capsys.readouterr().out == "base 1.0 -> 2.0\ntool\n    libtool 1.0 -> 2.0\n"
    assert world.lock.file.read_text() == before


def test_outdated_with_nothing_behind_says_so(
    world: Any, suite: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    show_outdated(world.package_set)
    assert capsys.readouterr().out == "nothing from Debian is behind\n"
