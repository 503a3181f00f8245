"""DuckDB, which writes and reads segments: loaded when first needed.

It holds no data itself. Its settings keep it small: a laptop runs a dozen stores in a proof.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.errors import LabError

if TYPE_CHECKING:
    import duckdb

_PARAMETER = re.compile(r"\$(\w+)")

MEMORY_LIMIT_MB = 96
THREADS = 2


class OutOfTime(Exception):
    """A statement was interrupted at its deadline."""


class TooLarge(Exception):
    """A statement needed more memory than the database may use."""


class Unreadable(LabError):
    """A file that cannot be read as what it is supposed to be."""


class Database:
    """Runs statements; safe in threads, each with a cursor of its own."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def _cursor(self) -> "duckdb.DuckDBPyConnection":
        with self._lock:
            if self._connection is None:
                import duckdb

                self._connection = duckdb.connect(
                    ":memory:",
                    config={
                        "threads": THREADS,
                        "memory_limit": f"{MEMORY_LIMIT_MB}MB",
                        "temp_directory": "",
                        "autoinstall_known_extensions": False,
                        "autoload_known_extensions": False,
                    },
                )
                self._connection.execute("SET parquet_metadata_cache = true")
            return self._connection.cursor()

    @contextmanager
    def cursor(self, deadline_s: float | None = None) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A cursor whose statements end after `deadline_s` seconds.

        Raises OutOfTime, TooLarge, Unreadable, or OSError for a file that cannot be written.
        """
        cursor = self._cursor()
        import duckdb

        timer = threading.Timer(deadline_s, cursor.interrupt) if deadline_s else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield cursor
        except duckdb.InterruptException as error:
            raise OutOfTime from error
        except duckdb.OutOfMemoryException as error:
            raise TooLarge(str(error)) from error
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException,
                duckdb.ConversionException, duckdb.InternalException) as error:  # fmt: skip
            raise Unreadable(str(error).splitlines()[0]) from error
        finally:
            if timer:
                timer.cancel()
            cursor.close()

    def rows(
        self, sql: str, values: Mapping[str, Any] | None = None, deadline_s: float | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """All rows of a query; `values` has its `$name` parameters, and possibly others."""
        used = {name: (values or {})[name] for name in _PARAMETER.findall(sql)}
        with self.cursor(deadline_s) as cursor:
            return cursor.execute(sql, used).fetchall()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def files(paths: Sequence[Path]) -> str:
    """Paths as a list in SQL."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
