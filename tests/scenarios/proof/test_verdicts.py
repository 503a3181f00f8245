"""Verdicts that are kept: whatever happens to a record, it never says *proven* wrongly."""

import errno
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.proof import sealed
from scenarios.proof.reuse import reason
from scenarios.proof.verdicts import KEPT, Record, Verdicts, key_of

A, B = "a" * 64, "b" * 64
INPUTS = {"rule": A, "route": A, "stack/programs/inbox": A}


def record(alert: str = "DiskFull", **changes: object) -> Record:
    made = Record(
        alert=alert, key="", inputs=dict(INPUTS), proven="2026-03-01T14:05:00+00:00",
        commit="0123456789ab", report="/nowhere/reports/one", took_s=12.5,
    )  # fmt: skip
    made = replace(made, **changes)  # type: ignore[arg-type]
    return made if made.key else replace(made, key=key_of(made.alert, made.inputs))


@pytest.fixture
def verdicts(tmp_path: Path) -> Verdicts:
    return Verdicts(tmp_path / "verdicts")


def file_of(verdicts: Verdicts) -> Path:
    [file] = verdicts.folder.rglob("*.json")
    return file


def test_a_record_is_found_by_exactly_its_inputs(verdicts: Verdicts) -> None:
    verdicts.keep(record())
    assert verdicts.proven("DiskFull", INPUTS) == record()
    assert verdicts.proven("DiskFull", {**INPUTS, "rule": B}) is None
    assert verdicts.proven("DiskFull", {**INPUTS, "more": A}) is None
    assert verdicts.proven("DiskFull", {"rule": A}) is None
    assert verdicts.proven("Another", INPUTS) is None


def test_an_edit_that_is_taken_back_is_proven_before(verdicts: Verdicts) -> None:
    verdicts.keep(record())
    verdicts.keep(record(inputs={**INPUTS, "rule": B}))
    assert verdicts.proven("DiskFull", INPUTS)


def test_names_with_a_slash_have_a_folder_of_their_own(verdicts: Verdicts) -> None:
    verdicts.keep(record("routing/critical"))
    assert verdicts.proven("routing/critical", INPUTS)
    assert [one.name for one in verdicts.folder.iterdir()] == ["routing%2Fcritical"]


def rewritten(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """With a seal that fits, as another version, or a liar, would write it."""

    def damage(file: Path) -> None:
        content = sealed.read(file)
        assert isinstance(content, dict)
        change(content)
        sealed.write(file, content)

    return damage


def edited(file: Path) -> None:
    file.write_text(file.read_text().replace(A, B))


def moved(file: Path) -> None:
    """To where the record of other inputs would be."""
    file.rename(file.with_name(f"{key_of('DiskFull', {**INPUTS, 'rule': B})}.json"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda file: os.truncate(file, file.stat().st_size // 2),
    "empty": lambda file: os.truncate(file, 0),
    "zeros, as a crash leaves them": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "no text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "another document": lambda file: file.write_text("[]"),
    "deep": lambda file: file.write_text("[" * 100_000),
    "edited by hand": edited,
    "outcome edited": lambda file: file.write_text(file.read_text().replace("proven", "failed")),
    "without a seal": lambda file: file.write_text(json.dumps(sealed.read(file))),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a link to nothing": lambda file: (file.unlink(), file.symlink_to("nothing")),
    "moved": moved,
    "of another version": rewritten(lambda content: content.update(version=2)),
    "of another alert": rewritten(lambda content: content.update(alert="Another")),
    "failed": rewritten(lambda content: content.update(outcome="failed")),
    "blocked": rewritten(lambda content: content.update(outcome="blocked")),
    "other inputs": rewritten(lambda content: content.update(inputs={"rule": B})),
    "no date": rewritten(lambda content: content.update(proven="yesterday")),
    "a field too few": rewritten(lambda content: content.pop("commit")),
    "a field too many": rewritten(lambda content: content.update(more=1)),
    "another type": rewritten(lambda content: content.update(took_s="long")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_as_if_it_were_not_there(
    verdicts: Verdicts, damage: Callable[[Path], object]
) -> None:
    verdicts.keep(record())
    damage(file_of(verdicts))
    for inputs in (INPUTS, {**INPUTS, "rule": B}, {"rule": B}):
        assert verdicts.proven("DiskFull", inputs) is None
        assert verdicts.proven("Another", inputs) is None
    assert list(verdicts.of("DiskFull")) == []


def test_every_byte_counts(verdicts: Verdicts) -> None:
    verdicts.keep(record())
    file = file_of(verdicts)
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = verdicts.proven("DiskFull", INPUTS)
        assert found in (None, record())  # a blank between two words may be another one


def test_a_full_disk_leaves_what_was_there(
    verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts.keep(record(commit="first"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        verdicts.keep(record(commit="second"))
    found = verdicts.proven("DiskFull", INPUTS)
    assert found
    assert found.commit == "first"
    assert len(list(verdicts.folder.rglob("*"))) == 2, "nothing half written is left"


def test_two_proofs_at_once_leave_a_whole_record(verdicts: Verdicts) -> None:
    def keep(commit: str) -> None:
        for _ in range(20):
            verdicts.keep(record(commit=commit))

    threads = [threading.Thread(target=keep, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found = verdicts.proven("DiskFull", INPUTS)
        assert found is None or found.commit in ("one", "two", "three")
    assert verdicts.proven("DiskFull", INPUTS)


def test_the_oldest_of_too_many_go(verdicts: Verdicts) -> None:
    for number in range(KEPT + 5):
        verdicts.keep(record(inputs={"rule": f"{number:064x}"}))
    assert len(list(verdicts.folder.rglob("*.json"))) == KEPT
    assert verdicts.proven("DiskFull", {"rule": f"{KEPT + 4:064x}"})


def test_it_says_when_from_where_and_whether_its_report_is_kept(tmp_path: Path) -> None:
    assert record().told == ("proven before: 2026-03-01 14:05 UTC, commit 0123456789ab,"
                             " /nowhere/reports/one (no longer kept)")  # fmt: skip
    assert record(report=str(tmp_path), commit="").told.endswith(f"UTC, {tmp_path}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rule": B}, "rule edited"),
        ({"route": B}, "route edited"),
        ({"stack/programs/inbox": B}, "stack/programs/inbox changed"),
        ({"rule": B, "route": B}, "rule edited, route edited"),
        ({"rule": B, "route": B, "speed": B, "machine": B}, "rule edited, route edited and 2 more"),
        ({"receiver slack-database": B}, "receiver slack-database new"),
    ],
)
def test_the_reason_names_what_changed(change: dict[str, str], said: str) -> None:
    assert reason({**INPUTS, **change}, [record()]) == said


def test_the_reason_is_how_it_differs_from_the_nearest_record() -> None:
    far = record(inputs={"rule": B, "route": B, "stack/programs/inbox": B})
    assert reason({**INPUTS, "rule": B}, [far, record()]) == "rule edited"
    assert reason({"rule": A, "route": A}, [record()]) == "stack/programs/inbox gone"
    assert reason(INPUTS, []) == "never proven"
