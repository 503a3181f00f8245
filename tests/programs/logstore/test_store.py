"""What was acknowledged is there once, in order, whatever happens in between."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.errors import HostCannot
from stack.programs.logstore import segment
from stack.programs.logstore.database import Unreadable
from stack.programs.logstore.snapshot import StoreFull
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.wal import Wal
from tests.programs.logstore.conftest import SMALL, T0, entries, opened, part

A, B = {"service": "a"}, {"service": "b"}


def test_store_keeps_nothing_when_nothing_comes(store):
    assert store.commit([]) == []
    assert entries(store) == []


def test_store_hands_out_lines_of_all_streams_in_order_of_time(store):
    store.commit([part(A, (T0, "1"), (T0 + 2, "3")), part(B, (T0 + 1, "2"))])
    assert [line for *_, line in entries(store)] == ["1", "2", "3"]
    assert [line for *_, line in entries(store, backward=True)] == ["3", "2", "1"]


def test_store_keeps_equal_timestamps_in_order_of_arrival(store):
    store.commit([part(A, (T0, "first"), (T0, "second"))])
    store.commit([part(A, (T0, "third"))])
    assert [line for *_, line in entries(store)] == ["first", "second", "third"]
    assert [line for *_, line in entries(store, backward=True)] == ["third", "second", "first"]


@pytest.mark.parametrize("settled", [False, True], ids=["in memory", "in a segment"])
def test_store_keeps_a_duplicate_once(store, settled):
    store.commit([part(A, (T0, "same"), (T0 + 1, "other"))])
    if settled:
        store.seal()
        assert store.settled(20)
    again = store.commit([part(A, (T0, "same"), (T0, "new"), (T0, "same"))])
    assert [tuple(kept.lines) for kept in again] == [("new",)]
    assert [line for *_, line in entries(store)] == ["same", "new", "other"]


def test_store_keeps_streams_apart(store):
    store.commit([part(A, (T0, "same")), part(B, (T0, "same"))])
    assert len(entries(store)) == 2


@pytest.mark.parametrize(
    "line", ["", "a\0b", "\n", "'; --", "🩺" * 3, "x" * 1_000_000, '{"a": "\\u0000"}'],
    ids=["empty", "nul", "newline", "quote", "emoji", "1 MB", "escaped nul"],
)  # fmt: skip
def test_store_gives_any_line_back_as_it_was(tmp_path, line):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, line))])
        assert [found for *_, found in entries(store)] == [line]
        store.seal()
        assert store.settled(20)
        assert [found for *_, found in entries(store)] == [line]
    with opened(tmp_path / "s") as store:
        assert [found for *_, found in entries(store)] == [line]


@settings(max_examples=15)
@given(
    commits=st.lists(
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.sampled_from("xyz")),
                 max_size=20),
        max_size=12,
    ),
    seed=st.integers(),
)  # fmt: skip
def test_store_is_a_set_of_entries_whatever_is_settled_and_reopened(
    tmp_path_factory, commits, seed
):
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("set") / "store"
    wanted = set()
    store = LogStore(folder, sizes=SMALL)
    try:
        for commit in commits:
            parts = [
                part(
                    {"service": name}, *((T0 + at, line) for who, at, line in commit if who == name)
                )
                for name in "ab"
            ]
            new = {(name, T0 + at, line) for name, at, line in commit} - wanted
            assert sum(len(kept.lines) for kept in store.commit(parts)) == len(new)
            wanted |= new
            match chance.randrange(4):
                case 0:
                    store.seal()
                case 1:
                    store.seal()
                    assert store.settled(20)
                case 2:
                    store.close()
                    store = LogStore(folder, sizes=SMALL)
        found = entries(store)
        assert sorted(found) == sorted(
            (f'{{"service":"{name}"}}', at, line) for name, at, line in wanted
        )
        assert [at for _, at, _ in found] == sorted(at for _, at, _ in found)
        backwards = entries(store, backward=True)
        assert [at for _, at, _ in backwards] == sorted((at for _, at, _ in found), reverse=True)
        for name in {name for name, *_ in found}:  # which of two streams is first, nobody says
            own = [one for one in found if one[0] == name]
            assert [one for one in backwards if one[0] == name] == own[::-1]
    finally:
        store.close()


def test_store_merges_small_segments_and_loses_nothing(store):
    for count in range(9):
        store.commit([part(A, (T0 + count, str(count)))])
        store.seal()
        assert store.settled(20)
    assert store.figures().segments < 9
    assert [line for *_, line in entries(store)] == [str(count) for count in range(9)]


def test_store_drops_what_retention_says_and_forgets_its_streams(store):
    store.commit([part(A, (T0, "old"))])
    store.seal()
    assert store.settled(20)
    store.commit([part(B, (T0 + 10, "young"))])
    store.tend(T0 + 5)
    assert [line for *_, line in entries(store)] == ["young"]
    assert [stream.text for stream in store.streams] == ['{service="b"}']
    assert not list(store.folder.glob("segments/00000001*"))
    store.commit([part(A, (T0 + 11, "back"))])
    assert len(entries(store)) == 2


def test_store_keeps_a_segment_on_the_disk_while_it_is_read(store):
    store.commit([part(A, (T0, "old"))])
    store.seal()
    assert store.settled(20)
    with store.snapshot() as snapshot:
        store.tend(T0 + 5)
        assert snapshot.segments[0].path.exists()
    assert not list(store.folder.glob("segments/00000001*"))


def test_store_is_open_in_one_process_only(tmp_path):
    with opened(tmp_path / "s"), pytest.raises(HostCannot, match=r"open in another process \(PID"):
        LogStore(tmp_path / "s")


def test_store_leaves_out_a_torn_last_record(tmp_path):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "whole"))])
        store.commit([part(A, (T0 + 1, "torn"))])
    (log,) = (tmp_path / "s/wal").glob("*.wal")
    for cut in (1, 10, 20):
        log.write_bytes(log.read_bytes()[:-cut])
        with opened(tmp_path / "s") as store:
            assert [line for *_, line in entries(store)] == ["whole"]
            store.commit([part(A, (T0 + 2, "after"))])
            assert [line for *_, line in entries(store)] == ["whole", "after"]


def test_store_names_a_corrupt_record_that_is_not_the_last(tmp_path):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "first"))])
        store.commit([part(A, (T0 + 1, "second"))])
    (log,) = (tmp_path / "s/wal").glob("*.wal")
    log.write_bytes(log.read_bytes().replace(b"first", b"fIrst"))
    with pytest.raises(HostCannot, match=r"00000001\.wal` is corrupt: the record at byte 0"):
        LogStore(tmp_path / "s")


def test_store_names_a_log_whose_first_record_is_gone(tmp_path):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "first"))])
        (log,) = (tmp_path / "s/wal").glob("*.wal")
        first = log.stat().st_size
        store.commit([part(A, (T0 + 1, "second"))])
    log.write_bytes(log.read_bytes()[first:])
    with pytest.raises(HostCannot, match=r"00000001\.wal` is corrupt: a record is gone"):
        LogStore(tmp_path / "s")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[:-7], r"it has \d+ bytes, not \d+"),
        (lambda data: b"XXXX" + data[4:], "it is not a Parquet file"),
    ],
    ids=["cut", "overwritten"],
)
def test_store_names_a_corrupt_segment(tmp_path, damage, why):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "line"))])
        store.seal()
        assert store.settled(20)
    (path,) = (tmp_path / "s/segments").glob("*.parquet")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(HostCannot, match=rf"{path.name}` is corrupt: {why}"):
        LogStore(tmp_path / "s")


@pytest.mark.parametrize(
    "index",
    ["{", "[]", '{"streams": [], "disk_bytes": 5}', '{"streams": {"a": {}}, "disk_bytes": 5}',
     '{"streams": {"5": {"labels": {"a": 5}, "rows": 1, "size_bytes": 1, "oldest_ns": 1, '
     '"newest_ns": 1}}, "disk_bytes": 5}'],
)  # fmt: skip
def test_store_names_a_segment_whose_index_is_none(tmp_path, index):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "line"))])
        store.seal()
        assert store.settled(20)
    (path,) = (tmp_path / "s/segments").glob("*.json")
    path.write_text(index)
    with pytest.raises(HostCannot, match="is corrupt: its index cannot be read"):
        LogStore(tmp_path / "s")


def test_store_names_a_segment_that_turns_out_corrupt_when_it_is_read(store):
    lines = [(T0 + count, f"line {count} {hash(str(count))}") for count in range(100)]
    store.commit([part(A, *lines)])
    assert store.settled(20)
    (path,) = store.folder.glob("segments/*.parquet")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=path.name):
        entries(store)


def test_store_does_not_replay_a_log_that_a_segment_holds(tmp_path):
    with opened(tmp_path / "s") as store:
        store.commit([part(A, (T0, "once"))])
        log = tmp_path / "s/wal/00000001.wal"
        kept = log.read_bytes()
        store.seal()
        assert store.settled(20)
    log.write_bytes(kept)  # as if it was killed between the two
    with opened(tmp_path / "s") as store:
        assert [line for *_, line in entries(store)] == ["once"]


def test_store_clears_away_what_a_merge_left_half_done(tmp_path):
    with opened(tmp_path / "s") as store:
        for count in range(2):
            store.commit([part(A, (T0 + count, str(count)))])
            store.seal()
            assert store.settled(20)
        with store.snapshot() as snapshot:
            segment.merge(store.database, snapshot.segments)  # killed before it deleted the two
    with opened(tmp_path / "s") as store:
        assert [line for *_, line in entries(store)] == ["0", "1"]
        assert [path.stem for path in store.folder.glob("segments/*.parquet")] == [
            "00000001-00000002"
        ]


def test_store_keeps_nothing_of_a_commit_that_the_disk_refused(store, monkeypatch):
    store.commit([part(A, (T0, "kept"))])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Wal, "append", full)
        with pytest.raises(StoreFull, match="No space left"):
            store.commit([part(A, (T0 + 1, "refused"), (T0 + 1, "too")), part(B, (T0, "b"))])
    assert [line for *_, line in entries(store)] == ["kept"]
    assert store.commit([part(A, (T0 + 1, "refused"))])
    assert [line for *_, line in entries(store)] == ["kept", "refused"]


def test_store_keeps_running_when_a_segment_could_not_be_written(store, monkeypatch):
    real = segment.write

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segment, "write", full)
    store.commit([part(A, (T0, "kept"))])
    store.seal()
    assert not store.settled(0.5)
    assert "cannot be written to a segment" in store.trouble
    assert [line for *_, line in entries(store)] == ["kept"]
    monkeypatch.setattr(segment, "write", real)
    assert store.settled(20)
    assert [line for *_, line in entries(store)] == ["kept"]
