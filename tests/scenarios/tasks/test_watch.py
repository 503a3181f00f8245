"""`doit watch`: what it does after a save, and when it waits."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from scenarios.tasks.watch import Watch, state


class Stop(Exception):
    """Ends a watch."""


class Hands:
    """Saves files between looks, and records the tasks that are run."""

    def __init__(self, saves: Sequence[Path | None], code: int = 0) -> None:
        self.saves = list(saves)
        self.code = code
        self.ran: list[list[str]] = []

    def sleep(self, _: float) -> None:
        if not self.saves:
            raise Stop
        if file := self.saves.pop(0):
            file.write_text(f"{file.read_text() if file.exists() else ''}more\n")

    def run(self, words: Sequence[str]) -> int:
        self.ran.append(list(words))
        return self.code


CHECK, PROVE = ["check"], ["verify-alerts", "--changed"]


def watched(root: Path, hands: Hands, only: Sequence[str] = ()) -> list[list[str]]:
    with pytest.raises(Stop):
        Watch(root, only, hands.run).forever(hands.sleep)
    return hands.ran


def test_it_begins_with_what_has_changed_before(tmp_path: Path) -> None:
    assert watched(tmp_path, Hands([None, None])) == [CHECK, PROVE]


def test_a_save_is_checked_and_then_proven(tmp_path: Path) -> None:
    hands = Hands([tmp_path / "rules.yml", None, None, None, None])
    assert watched(tmp_path, hands, ["database"]) == [
        CHECK, [*PROVE, "database"], CHECK, [*PROVE, "database"]
    ]  # fmt: skip


def test_several_saves_in_a_row_are_one(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.yml", "b.yml", "c.yml")]
    assert watched(tmp_path, Hands([*files, None, None, None])) == [CHECK, PROVE] * 2


def test_what_the_check_refuses_is_not_proven(tmp_path: Path) -> None:
    assert watched(tmp_path, Hands([tmp_path / "a.yml", None, None, None], code=1)) == [CHECK] * 2


def test_an_editors_own_files_are_no_save(tmp_path: Path) -> None:
    own = [tmp_path / ".a.yml.swp", tmp_path / "a.yml~"]
    assert watched(tmp_path, Hands([*own, None, None])) == [CHECK, PROVE]


def test_a_file_that_is_gone_is_a_save(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("")
    before = state(tmp_path)
    (tmp_path / "a.yml").unlink()
    assert state(tmp_path) != before


def test_ctrl_c_ends_it_while_a_task_runs(tmp_path: Path) -> None:
    def interrupted(_: Sequence[str]) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Watch(tmp_path, [], interrupted).forever(lambda _: None)
