"""Keeps every message in one SQLite file; each is written on arrival, so a kill loses none."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from stack.errors import HostCannot
from stack.programs.inbox.message import Channel, Kind, Message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at REAL NOT NULL,
    channel TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    alerts TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    problems TEXT NOT NULL,
    answer INTEGER NOT NULL,
    raw BLOB NOT NULL
) STRICT
"""
_HEARTBEATS = """
CREATE TABLE IF NOT EXISTS heartbeats (
    name TEXT PRIMARY KEY,
    alerts TEXT NOT NULL,
    missing INTEGER NOT NULL
) STRICT
"""
_ALIKE = "ALTER TABLE messages ADD COLUMN alike INTEGER REFERENCES messages (id)"
"""Of a mail to several, the first message keeps what came, and the others say which that is."""

_RAW = "coalesce((SELECT first.raw FROM messages first WHERE first.id = messages.alike), raw)"
_COLUMNS = "received_at, channel, destination, kind, alerts, subject, body, problems, answer, raw"


class MessageStore:
    """All messages, in order of arrival. Ids increase and are never reused."""

    def __init__(self, file: Path) -> None:
        """Open or create the file. Raises HostCannot if it cannot be used."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(file, isolation_level=None)
            with ExitStack() as failing:
                failing.callback(self._connection.close)
                # A write-ahead log survives this process; only a crash of the machine could lose
                # the last messages, and it would end their senders as well.
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute(_SCHEMA)
                self._connection.execute(_HEARTBEATS)
                names = self._connection.execute("SELECT name FROM pragma_table_info('messages')")
                if ("alike",) not in names.fetchall():
                    self._connection.execute(_ALIKE)
                failing.pop_all()
        except (sqlite3.Error, OSError) as error:
            raise HostCannot(
                f"`{file}`: {error}; expected a writable SQLite file",
                cure="Move the file away, or choose another one with --database.",
            ) from error

    def add(self, message: Message) -> int:
        """Keep one message and return its id. Raises sqlite3.Error, for example on a full disk."""
        row = (
            message.received_at,
            message.channel.value,
            _clean(message.destination),
            message.kind.value,
            json.dumps(message.alerts),
            _clean(message.subject),
            _clean(message.body),
            json.dumps([_clean(problem) for problem in message.problems]),
            message.answer,
            message.raw,
        )
        marks = ", ".join("?" * len(row))
        cursor = self._connection.execute(
            f"INSERT INTO messages ({_COLUMNS}) VALUES ({marks})", row
        )
        return cursor.lastrowid or 0

    def add_alike(self, messages: Sequence[Message]) -> None:
        """Keep messages that differ in their destination alone, all or none. Raises
        sqlite3.Error."""
        with self._all_or_nothing():
            first = self.add(messages[0])
            for message in messages[1:]:
                other = self.add(replace(message, raw=b""))
                self._connection.execute(
                    "UPDATE messages SET alike = ? WHERE id = ?", (first, other)
                )

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def after(self, after: int, *, limit: int = -1, raw: bool = False) -> list[Message]:
        """Return the messages with a higher id, oldest first; all if limit < 0. Only with `raw`
        do they have theirs."""
        columns = _COLUMNS.replace("raw", _RAW if raw else "x''")
        rows = self._connection.execute(
            f"SELECT id, {columns} FROM messages WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        )
        return [_message(row) for row in rows]

    def get(self, id: int) -> Message | None:
        """Return one message, `raw` included; None if there is none of that id."""
        columns = _COLUMNS.replace("raw", _RAW)
        row = self._connection.execute(
            f"SELECT id, {columns} FROM messages WHERE id = ?", (id,)
        ).fetchone()
        return _message(row) if row else None

    def newest(self) -> int:
        """Return the highest id; 0 when there is no message."""
        found = self._connection.execute("SELECT max(id) FROM messages").fetchone()
        return found[0] or 0

    def heartbeats(self) -> list[tuple[str, str, bool]]:
        """Return name, alerts (a JSON list) and whether it is missing for every known heartbeat."""
        rows = self._connection.execute("SELECT name, alerts, missing FROM heartbeats")
        return [(name, alerts, bool(missing)) for name, alerts, missing in rows]

    def keep_heartbeat(
        self, name: str, alerts: str, missing: bool, message: Message | None
    ) -> None:
        """Keep one heartbeat and the message about it, both or neither.

        Raises sqlite3.Error.
        """
        with self._all_or_nothing():
            self._connection.execute(
                "INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?)", (name, alerts, missing)
            )
            if message:
                self.add(message)

    def close(self) -> None:
        self._connection.close()


def _clean(text: str) -> str:
    """Replace lone surrogates, which JSON can express and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _message(row: tuple[int, float, str, str, str, str, str, str, str, int, bytes]) -> Message:
    id, received_at, channel, destination, kind, alerts, subject, body, problems, answer, raw = row
    return Message(
        id=id,
        received_at=received_at,
        channel=Channel(channel),
        destination=destination,
        kind=Kind(kind),
        alerts=tuple(json.loads(alerts)),
        subject=subject,
        body=body,
        problems=tuple(json.loads(problems)),
        answer=answer,
        raw=raw,
    )
