"""Which labels a metric query needs from its parsers.

Loki passes this to its parsers, so that they can stop early. It has visible effects: `sum(rate({…}
| json [1m]))` needs no label, does not parse, and so does not fail at a line that is not JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stack.logql.entry import DUPLICATE, ERROR, PRESERVE, Entry

StageFunction = Callable[[str, Entry], str | None]
"""(line, labels) → the line, or None if the entry is filtered out."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    required: frozenset[str] | None = None
    """The only names that matter; None if all do."""
    nothing: bool = False
    """No label matters at all."""

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
    """Hints for exactly these names, with and without the suffix of extracted labels."""
    wanted = [name for name in names if name]
    bare = [name.removesuffix(DUPLICATE) for name in wanted]
    return Hints(required=frozenset(wanted + bare))
