"""A backup is whole, or it is none: whatever happens while it is made, and to its files later."""

import json
import os
import random
from pathlib import Path

import pytest

from stack.deploy.backup import catalogue
from stack.deploy.backup.catalogue import Backup, backups, chosen, coming, one_at_a_time, read, seal
from stack.errors import BadInput

NAME = "default"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    return tmp_path


def made(files: dict[str, bytes], taken: float = 1.0) -> Backup:
    with one_at_a_time(NAME) as folder, coming(folder) as part:
        for path, content in files.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(content)
        before = next(reversed(backups(NAME)), None)
        return seal(part, before, instance=NAME, speed=1.0, taken=taken, hash="abc", answers={})


FILES = {"prometheus/01/chunks": b"a" * 5000, "prometheus/01/index": b"b" * 300, "inbox/x": b""}


def test_backup_is_what_was_put_into_it() -> None:
    backup = made(FILES)
    backup.verify()
    assert chosen("latest", NAME) == backup == chosen(backup.name, NAME) == read(backup.directory)
    assert backup.size_bytes == 5300
    assert {path: (backup.directory / path).read_bytes() for path in FILES} == FILES
    assert not os.access(backup.directory / "inbox/x", os.W_OK) or os.geteuid() == 0


def test_what_the_one_before_has_as_well_is_shared() -> None:
    first = made(FILES)
    second = made({**FILES, "inbox/x": b"new", "elsewhere": FILES["prometheus/01/index"]})

    def inode(backup: Backup, path: str) -> int:
        return (backup.directory / path).stat().st_ino

    assert inode(first, "prometheus/01/chunks") == inode(second, "prometheus/01/chunks")
    assert inode(first, "prometheus/01/index") == inode(second, "elsewhere")
    assert inode(first, "inbox/x") != inode(second, "inbox/x")
    catalogue.prune(NAME, 1)
    second.verify()


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_what_is_damaged_in_the_one_before_is_not_shared(damage: str) -> None:
    first = made(FILES)
    file = first.directory / "prometheus/01/chunks"
    file.chmod(0o600)
    file.write_bytes(b"b" * 5000)
    if damage == "gone":
        file.unlink()
    second = made(FILES)
    second.verify()
    assert (second.directory / "prometheus/01/chunks").read_bytes() == FILES["prometheus/01/chunks"]


def test_any_flipped_bit_is_noticed() -> None:
    chance = random.Random(7)
    for _ in range(200):
        backup = made({**FILES, "inbox/x": bytes([1])})
        files = [path for path in backup.directory.rglob("*") if path.is_file()]
        hit = chance.choices(files, [path.stat().st_size for path in files])[0]
        at, bit = chance.randrange(hit.stat().st_size), 1 << chance.randrange(8)
        data = bytearray(hit.read_bytes())
        data[at] ^= bit
        hit.unlink()  # it may be shared
        hit.write_bytes(data)
        with pytest.raises(BadInput, match=r"is damaged|is no backup that can be used"):
            read(backup.directory).verify()
        catalogue.prune(NAME, 1)
        for path in catalogue.folder_of(NAME).glob("2*"):
            catalogue.shutil.rmtree(path)


def test_missing_and_strange_files_are_named() -> None:
    backup = made(FILES)
    (backup.directory / "inbox/x").unlink()
    (backup.directory / "inbox/y").write_text("")
    with pytest.raises(BadInput, match="`inbox/x` is missing, `inbox/y` does not belong to it"):
        backup.verify()


def test_file_that_was_cut_short_is_damaged() -> None:
    backup = made(FILES)
    file = backup.directory / "prometheus/01/chunks"
    file.chmod(0o600)
    os.truncate(file, 4999)
    with pytest.raises(BadInput, match="`prometheus/01/chunks` is damaged"):
        backup.verify()


def test_broken_one_is_never_the_newest() -> None:
    good, bad = made(FILES), made(FILES)
    (bad.directory / catalogue.MANIFEST).chmod(0o600)
    (bad.directory / catalogue.MANIFEST).write_text("{}")
    assert chosen("latest", NAME) == good


def test_one_of_another_format_is_refused() -> None:
    backup = made(FILES)
    file = backup.directory / catalogue.MANIFEST
    document = {**json.loads(file.read_text()), "format": 99}
    document.pop("sha256")
    file.chmod(0o600)
    file.write_text(json.dumps({**document, "sha256": catalogue._seal(document)}))
    with pytest.raises(BadInput, match="it is of format 99, this is 1"):
        read(backup.directory)


def test_failure_leaves_the_earlier_ones_and_nothing_else() -> None:
    good = made(FILES)

    def fails() -> None:
        with one_at_a_time(NAME) as folder, coming(folder) as part:
            (part / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert [path.name for path in catalogue.folder_of(NAME).glob("[!.]*")] == [good.name]


def test_what_a_killed_one_left_goes_with_the_next() -> None:
    left = catalogue.folder_of(NAME) / "2026-01-01T00-00-00.part"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    backup = made(FILES)
    assert [one.name for one in backups(NAME)] == [backup.name]
    assert not left.exists()


def test_newest_is_the_last_made_also_when_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue.time, "gmtime", lambda: (2030, 1, 1, 0, 0, 0, 0, 1, 0))
    first, same = made(FILES), made({"a": b"1"})
    monkeypatch.setattr(catalogue.time, "gmtime", lambda: (2020, 1, 1, 0, 0, 0, 0, 1, 0))
    earlier = made({"a": b"2"})
    assert backups(NAME) == [first, same, earlier]
    assert chosen("latest", NAME) == earlier


def test_two_at_once_are_one_after_the_other() -> None:
    with (
        one_at_a_time(NAME),
        pytest.raises(BadInput, match="another backup of `default` is being taken"),
        one_at_a_time(NAME),
    ):
        pass


def test_so_many_are_kept() -> None:
    names = [made({"a": str(number).encode()}).name for number in range(5)]
    assert catalogue.prune(NAME, 2) == names[:3]
    assert [one.name for one in backups(NAME)] == names[3:]
    for one in backups(NAME):
        one.verify()


def test_there_is_none_yet() -> None:
    with pytest.raises(BadInput, match="there is no backup of instance `default`") as none:
        chosen("latest", NAME)
    assert "`doit backup` makes one" in none.value.cure
    with pytest.raises(BadInput, match="is no backup that can be used"):
        chosen("2026-01-01T00-00-00", NAME)
