import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from stack.errors import HostCannot
from stack.programs.inbox.message import Channel, Kind, Message
from stack.programs.inbox.store import MessageStore

MESSAGE = Message(
    received_at=1234.5678,
    channel=Channel.SLACK,
    destination="#alerts-database",
    kind=Kind.FIRING,
    alerts=("A", "B"),
    subject="[FIRING:1] A",
    body="text \x00 ☃",
    problems=("one", "two"),
    answer=200,
    raw=b"\x00\xff",
)


@pytest.fixture
def store(tmp_path):
    with closing(MessageStore(tmp_path / "new" / "inbox.db")) as made:
        yield made


def test_store_gives_back_what_it_took(store):
    assert (store.newest(), store.after(0), store.get(1)) == (0, [], None)
    assert store.add(MESSAGE) == 1
    got = store.get(1)
    assert got is not None
    assert got.id == store.newest() == 1
    assert (got.received_at, got.alerts, got.body, got.problems, got.raw) == (
        MESSAGE.received_at,
        MESSAGE.alerts,
        MESSAGE.body,
        MESSAGE.problems,
        MESSAGE.raw,
    )


def test_store_lists_after_a_cursor_oldest_first(store):
    for _ in range(5):
        store.add(MESSAGE)
    assert [message.id for message in store.after(0)] == [1, 2, 3, 4, 5]
    assert [message.id for message in store.after(3)] == [4, 5]
    assert [message.id for message in store.after(1, limit=2)] == [2, 3]
    assert store.after(5) == store.after(99) == []
    assert store.after(0)[0].raw == b""


def test_mail_to_many_is_kept_once_and_given_to_each(store, tmp_path):
    large = replace(MESSAGE, raw=b"x" * 1_000_000)
    store.add_alike([replace(large, destination=f"p{number}@x") for number in range(50)])
    assert [one.destination for one in store.after(0)] == [f"p{number}@x" for number in range(50)]
    assert {one.raw for one in store.after(0, raw=True)} == {large.raw}
    assert store.get(50).raw == large.raw
    assert sum(path.stat().st_size for path in (tmp_path / "new").iterdir()) < 5_000_000


def test_mail_to_many_is_kept_for_all_or_for_none(store, monkeypatch):
    add, left = store.add, iter(range(3))

    def full(message):
        if next(left, None) is None:
            raise sqlite3.OperationalError("database or disk is full")
        return add(message)

    monkeypatch.setattr(store, "add", full)
    with pytest.raises(sqlite3.OperationalError):
        store.add_alike([MESSAGE] * 10)
    assert store.after(0) == []


def test_store_of_an_earlier_version_is_taken_over(tmp_path):
    file = tmp_path / "inbox.db"
    with closing(MessageStore(file)) as made:
        made.add(MESSAGE)
    with closing(sqlite3.connect(file)) as older:
        older.execute("ALTER TABLE messages DROP COLUMN alike")
    with closing(MessageStore(file)) as taken:
        taken.add_alike([MESSAGE, MESSAGE])
        assert [one.raw for one in taken.after(0, raw=True)] == [MESSAGE.raw] * 3


def test_store_takes_text_that_utf8_cannot_spell(store):
    store.add(
        Message(
            received_at=0.0,
            channel=Channel.EMAIL,
            destination="\ud800",
            subject="a\udfff",
            problems=("\ud800",),
            answer=250,
        )
    )
    assert store.after(0)[0].subject == "a?"


@pytest.mark.parametrize("content", [b"this is no database, not at all" * 100])
def test_store_says_what_is_wrong_with_its_file(tmp_path, content):
    file = tmp_path / "inbox.db"
    file.write_bytes(content)
    with pytest.raises(HostCannot, match=r"inbox\.db.*file is not a database"):
        MessageStore(file)
    assert file.read_bytes() == content


def test_store_in_a_place_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HostCannot, match="file"):
        MessageStore(tmp_path / "file" / "inbox.db")


def test_store_raises_when_it_cannot_write(store):
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.Error):
        store.add(MESSAGE)
