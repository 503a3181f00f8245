"""What came up once is kept, numbered, and no more of it than is useful."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.run import generations
from stack.run.instance import FILE, Instance, Record
from stack.run.supervisor import SETTINGS

RECORD = Record(
    name="made-up", speed=1, ports={"inbox": {"http": 1, "smtp": 2}}, packages={},
    config_root="/", hash="a", created=0,
)  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "config" / "inbox").mkdir(parents=True)
    return tmp_path


def came_up(
    directory: Path, record: Record, *, settings: str = "[x]", config: str = ""
) -> Instance:
    """An instance that has just come up with this record."""
    (directory / SETTINGS).write_text(settings)
    (directory / "config" / "inbox" / "some.yml").write_text(config)
    record.write(directory)
    return generations.keep(Instance(record, directory))


def numbers(directory: Path) -> list[int]:
    return [generation.number for generation in generations.generations(directory)]


def test_nothing_came_up_yet(directory: Path) -> None:
    assert numbers(directory) == []
    with pytest.raises(BadInput, match="no generation before this one"):
        generations.previous(Instance(RECORD, directory))


def test_another_hash_makes_a_generation(directory: Path) -> None:
    first = came_up(directory, RECORD, config="first")
    second = came_up(directory, replace(RECORD, hash="b"), config="second")
    assert (first.record.generation, second.record.generation) == (1, 2)
    assert Record.read(directory) == second.record
    kept = generations.previous(second)
    assert kept.record == first.record
    assert (kept.contents.config / "inbox/some.yml").read_text() == "first"


def test_the_same_makes_none(directory: Path) -> None:
    first = came_up(directory, RECORD)
    assert came_up(directory, first.record).record == first.record
    assert numbers(directory) == [1]


def test_another_command_under_the_same_hash_makes_a_generation(directory: Path) -> None:
    first = came_up(directory, RECORD, settings="[program:x]\ncommand=old")
    came_up(directory, first.record, settings="[program:x]\ncommand=new")
    assert numbers(directory) == [1, 2]


def test_killed_before_the_number_was_written_makes_no_second_one(directory: Path) -> None:
    came_up(directory, RECORD)
    assert came_up(directory, RECORD).record.generation == 1
    assert numbers(directory) == [1]


def test_leftovers_of_a_killed_one_are_no_generation(directory: Path) -> None:
    came_up(directory, RECORD)
    for leftover in (".new", ".old"):
        (directory / "generations" / leftover).mkdir()
    assert numbers(directory) == [1]
    came_up(directory, replace(RECORD, hash="b"))
    assert sorted(at.name for at in (directory / "generations").iterdir()) == ["1", "2"]


def test_only_the_last_ones_are_kept_and_numbers_go_on(directory: Path) -> None:
    for nth in range(generations.KEPT + 3):
        came_up(directory, replace(RECORD, hash=str(nth)))
    assert numbers(directory) == list(range(4, generations.KEPT + 4))


def test_passwords_in_the_settings_are_for_the_owner_alone(directory: Path) -> None:
    came_up(directory, RECORD)
    kept = directory / "generations" / "1" / SETTINGS
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "generations").stat().st_mode) == 0o700


def test_unknown_number_names_those_that_there_are(directory: Path) -> None:
    with pytest.raises(BadInput, match=r"has no generation 7 \(it has: 1\)"):
        generations.chosen(came_up(directory, RECORD), 7)


def test_what_never_came_up_goes_back_to_the_newest(directory: Path) -> None:
    came_up(directory, RECORD)
    assert generations.previous(Instance(replace(RECORD, hash="b"), directory)).number == 1


def test_broken_generation_is_named(directory: Path) -> None:
    came_up(directory, RECORD)
    (directory / "generations" / "1" / FILE).write_text("{")
    with pytest.raises(BadInput, match=rf"generations/1/{FILE}` cannot be read"):
        numbers(directory)
