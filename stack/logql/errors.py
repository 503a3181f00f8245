"""The one exception of the language, with the words that Loki uses for the same mistakes."""

from enum import Enum


class Kind(Enum):
    """What went wrong; the client can fix all of them (400) but the last two."""

    PARSE = "parse error"
    PIPELINE = "pipeline error"
    LIMIT = "limit"
    EXECUTION = "execution"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"


class LogQLError(Exception):
    """A query that cannot be answered. `line` and `column` count from 1; 0 where not known."""

    def __init__(
        self, message: str, *, kind: Kind = Kind.PARSE, line: int = 0, column: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """As Loki writes it in the body of its answer."""
        if self.kind is not Kind.PARSE:
            return self.message
        where = f"at line {self.line}, col {self.column}" if self.line or self.column else ""
        return f"parse error {where}: {self.message}"
