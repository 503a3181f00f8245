"""Annotations: marks in time on dashboards. The only thing that the viewer keeps."""

import json
import sqlite3
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = 10_000
"""The oldest go."""

LONGEST_TEXT = 10_000
LONGEST_TAG = 100
"""Characters, as `LONGEST_TEXT`."""
MOST_TAGS = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS annotation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dashboard TEXT NOT NULL,
    panel INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_time ON annotation (until);
"""

_COLUMNS = "id, dashboard, panel, since, until, text, tags, created, updated"
_LARGEST = 2**62


class BadAnnotation(ValueError):
    """What was sent is no annotation."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which are asked for; times in milliseconds since the epoch."""

    since: int | None = None
    until: int | None = None
    tags: tuple[str, ...] = ()
    any_tag: bool = False
    """One of the tags is enough."""
    dashboard: str | None = None
    panel: int | None = None
    limit: int = 100


class Annotations:
    """The annotations in the file `database`, which is made if it is not there."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None)
        with ExitStack() as failing:
            failing.callback(self._connection.close)
            self._connection.executescript(_SCHEMA)
            failing.pop_all()

    def close(self) -> None:
        self._connection.close()

    def add(self, sent: object) -> int:
        """Keep what was sent; its id. Raises BadAnnotation."""
        fields = _checked(sent)
        now = time.time_ns() // 1_000_000
        since = fields.get("time", now)
        until = fields.get("timeEnd") or since
        if until < since:
            raise BadAnnotation("`timeEnd` is before `time`")
        if not fields.get("text"):
            raise BadAnnotation("`text` is missing or empty")
        cursor = self._connection.execute(
            "INSERT INTO annotation (dashboard, panel, since, until, text, tags, created, "
            "updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fields.get("dashboardUID", ""), fields.get("panelId", 0), since, until,
                fields["text"], json.dumps(fields.get("tags", [])), now, now,
            ),
        )  # fmt: skip
        self._connection.execute(
            "DELETE FROM annotation WHERE id <= (SELECT max(id) FROM annotation) - ?", (KEPT,)
        )
        return int(cursor.lastrowid or 0)

    def change(self, id: int, sent: object) -> bool:
        """Change the fields that were sent; False if there is none. Raises BadAnnotation."""
        fields = _checked(sent)
        before = self.get(id)
        if before is None:
            return False
        after = {**before, **fields}
        if not after["text"]:
            raise BadAnnotation("`text` is empty")
        if after["timeEnd"] < after["time"]:
            raise BadAnnotation("`timeEnd` is before `time`")
        self._connection.execute(
            "UPDATE annotation SET since = ?, until = ?, text = ?, tags = ?, updated = ? "
            "WHERE id = ?",
            (
                after["time"], after["timeEnd"], after["text"], json.dumps(after["tags"]),
                time.time_ns() // 1_000_000, id,
            ),
        )  # fmt: skip
        return True

    def remove(self, id: int) -> bool:
        """False if there is none."""
        return self._connection.execute("DELETE FROM annotation WHERE id = ?", (id,)).rowcount > 0

    def get(self, id: int) -> dict[str, Any] | None:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM annotation WHERE id = ?", (id,)
        ).fetchall()
        return _as_json(rows[0]) if rows else None

    def find(self, wanted: Wanted) -> list[dict[str, Any]]:
        """Those that touch the time asked for, the newest first."""
        where, values = ["1"], []
        for condition, value in (
            ("until >= ?", wanted.since),
            ("since <= ?", wanted.until),
            ("dashboard = ?", wanted.dashboard),
            ("panel = ?", wanted.panel),
        ):
            if value is not None:
                where.append(condition)
                values.append(value)
        if wanted.tags:
            marks = " + ".join(
                "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)" for _ in wanted.tags
            )
            where.append(f"({marks}) >= {1 if wanted.any_tag else len(wanted.tags)}")
            values.extend(wanted.tags)
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM annotation WHERE {' AND '.join(where)} "
            "ORDER BY until DESC, since DESC, id DESC LIMIT ?",
            (*values, wanted.limit),
        )
        return [_as_json(row) for row in rows]


def _as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    id, dashboard, panel, since, until, text, tags, created, updated = row
    return {
        "id": id, "alertId": 0, "alertName": "", "dashboardUID": dashboard, "panelId": panel,
        "userId": 1, "newState": "", "prevState": "", "created": created, "updated": updated,
        "time": since, "timeEnd": until, "text": text, "tags": json.loads(tags),
        "login": "admin", "email": "", "avatarUrl": "", "data": {},
    }  # fmt: skip


def _checked(sent: object) -> dict[str, Any]:
    """The fields that count, each of its type. Raises BadAnnotation that names the first that is
    not."""
    if not isinstance(sent, dict):
        raise BadAnnotation("the body is not a JSON object")
    fields: dict[str, Any] = {}
    for key in ("time", "timeEnd", "panelId"):
        value = sent.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
            raise BadAnnotation(f"`{key}` is not a whole number from 0 on")
        fields[key] = value
    for key in ("text", "dashboardUID"):
        value = sent.get(key)
        if value is None:
            continue
        if not _is_text(value, LONGEST_TEXT):
            raise BadAnnotation(f"`{key}` is not text of at most {LONGEST_TEXT} characters")
        fields[key] = value
    if (tags := sent.get("tags")) is not None:
        good = isinstance(tags, list) and len(tags) <= MOST_TAGS
        if not good or not all(_is_text(tag, LONGEST_TAG) for tag in tags):
            raise BadAnnotation(
                f"`tags` is not a list of at most {MOST_TAGS} texts of at most {LONGEST_TAG} "
                "characters"
            )
        fields["tags"] = tags
    return fields


def _is_text(value: object, longest: int) -> bool:
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        value.encode()  # JSON can hold half a character
    except UnicodeEncodeError:
        return False
    return True
