"""Which labels a metric query needs of its parsers.

Loki tells its parsers, so that they can stop early. That shows: `sum(rate({…} | json [1m]))` needs
no label, does not parse, and so does not fail at a line that is no JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stack.logql.entry import DUPLICATE, ERROR, PRESERVE, Entry

StageFunction = Callable[[str, Entry], str | None]
"""Takes a line and its labels; gives the line, or None when the entry is filtered out."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    required: frozenset[str] | None = None
    """The only names that count; None when all do."""
    nothing: bool = False
    """No label counts at all."""

    def wants(self, name: str) -> bool:
        return self.required is None or name in self.required

    def wants_prefix(self, prefix: str) -> bool:
        return self.required is None or any(name.startswith(prefix) for name in self.required)

    def all_found(self, entry: Entry) -> bool:
        return self.required is not None and self.required <= entry.parsed

    def complete(self, entry: Entry) -> bool:
        """Whether a parser has nothing to do."""
        return self.nothing or (self.required is not None and self.required <= entry.parsed)

    def parser_failed(self, entry: Entry, error: str, details: str | None) -> None:
        entry.error = error
        if details is not None:
            entry.details = details
        if self.required is not None and ERROR in self.required:
            entry.set(PRESERVE, "true")


ALL = Hints()


def required(names: list[str]) -> Hints:
    """Hints for exactly these; also without the suffix that tells them from stream labels."""
    wanted = [name for name in names if name]
    bare = [name.removesuffix(DUPLICATE) for name in wanted]
    return Hints(required=frozenset(wanted + bare))
