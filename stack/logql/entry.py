"""The labels of one entry while the stages work on it.

Three sources, as in Loki: the stream's labels, structured metadata, and what stages extracted. An
extracted label whose name one of the first two already has becomes `<name>_extracted`; among
parsers the first to extract a name wins.
"""

from collections.abc import Mapping

from stack.logql.budget import Account, Meter

ERROR = "__error__"
DETAILS = "__error_details__"
PRESERVE = "__preserve_error__"
DUPLICATE = "_extracted"
SPECIAL = {ERROR, DETAILS, PRESERVE}

LabelKey = tuple[tuple[str, str], ...]
"""Labels as sorted pairs: the identity of a series or a result stream."""


def key_of(labels: Mapping[str, str]) -> LabelKey:
    return tuple(sorted(labels.items()))


class Entry:
    """Reused for every entry of a query: `begin` resets it for the next one."""

    __slots__ = (
        "added", "base", "details", "error", "gone", "metadata", "meter", "parsed", "timestamp_ns",
    )  # fmt: skip

    def __init__(self, account: Account | None = None) -> None:
        self.base: Mapping[str, str] = {}
        self.added: dict[str, str] = {}
        """Structured metadata and extracted labels."""
        self.metadata: set[str] = set()
        """Names in `added` that are structured metadata."""
        self.parsed: set[str] = set()
        """Names that a stage has set, even if they were dropped since."""
        self.gone: set[str] = set()
        """Names of stream labels that were dropped."""
        self.error = ""
        self.details = ""
        self.timestamp_ns = 0
        self.meter = Meter(account)
        """What templates make of it."""

    def begin(
        self, base: Mapping[str, str], metadata: Mapping[str, str] | None, timestamp_ns: int
    ) -> None:
        self.base = base
        if self.added or self.gone:
            self.added = {}
            self.parsed.clear()
            self.gone.clear()
        if self.metadata:
            self.metadata.clear()
        self.error = self.details = ""
        self.timestamp_ns = timestamp_ns
        if metadata:
            self._add_metadata(metadata)

    def _add_metadata(self, metadata: Mapping[str, str]) -> None:
        for name, value in metadata.items():
            if name == ERROR:
                self.error = value
            elif name == DETAILS:
                self.details = value
            else:
                free = name + DUPLICATE if name in self.base else name
                self.added[free] = value
                self.metadata.add(free)

    def changed(self) -> bool:
        """Whether its labels differ from the stream's."""
        return bool(self.added or self.gone or self.error)

    def get(self, name: str) -> str | None:
        """The label's value; None if there is none. An empty stream label counts as missing."""
        value = self.added.get(name)
        if value is not None:
            return value
        if name in self.gone:
            return None
        return self.base.get(name) or None

    def text(self, name: str) -> str:
        """The value that string filters see; `__error__` is one of them."""
        return self.error if name == ERROR else self.get(name) or ""

    def set(self, name: str, value: str) -> None:
        self.added[name] = value
        self.parsed.add(name)
        self.metadata.discard(name)

    def free_name(self, name: str) -> str:
        """The name under which a parser may store `name`."""
        return name + DUPLICATE if name in self.base or name in self.metadata else name

    def drop(self, name: str) -> None:
        self.added.pop(name, None)
        self.metadata.discard(name)
        self.gone.add(name)

    def fail(self, error: str, details: str) -> None:
        self.error = error
        self.details = details

    def fail_first(self, error: str, details: str) -> None:
        """As `fail`, but an earlier error stays, since it says more."""
        if not self.error:
            self.fail(error, details)

    def labels(self) -> dict[str, str]:
        """All labels, with those that describe an error."""
        added, gone = self.added, self.gone
        labels = {**self.base, **added}
        for name in gone:
            if name not in added:
                labels.pop(name, None)
        if self.error:
            labels[ERROR] = self.error
        if self.details:
            labels[DETAILS] = self.details
        return labels
