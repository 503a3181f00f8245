"""Streams: sets of labels, their names, and where each of them ends."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stack.logql import Stream


class BadLabels(ValueError):
    """Labels that cannot be read; the message is what the client reads."""


@dataclass(kw_only=True, eq=False)
class Known:
    """One stream of the store; the same object for as long as the store is open."""

    ident: int
    """63 bits of the labels' hash: the same in every segment of every store."""
    text: str
    """`{job="a", level="b"}`, names sorted, as Loki writes it."""
    stream: Stream
    highest_ns: int = -1
    """Timestamp of its newest entry; -1 before the first one."""
    settled_ns: int = -1
    """Timestamp of its newest entry in a segment: segments have nothing later."""

    @property
    def labels(self) -> Mapping[str, str]:
        return self.stream.labels


def known(labels: Mapping[str, str]) -> Known:
    """A stream with nothing in it. Labels with empty values are dropped."""
    ordered = {name: labels[name] for name in sorted(labels) if labels[name]}
    text = text_of(ordered)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    ident = int.from_bytes(digest) >> 1
    return Known(ident=ident, text=text, stream=Stream(labels=MappingProxyType(ordered)))


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_UNESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SPECIAL = re.compile(r'[\n\r\t"\\]')
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S)
_PAIR = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)\s*(,|\Z)', re.S
)
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def text_of(labels: Mapping[str, str]) -> str:
    """Labels as a selector."""
    pairs = ", ".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def _quoted(value: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


def parse(text: str) -> list[tuple[str, str]]:
    """The pairs of `{job="a", level="b"}` as written, including duplicates. Raises BadLabels."""
    inner = text.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise BadLabels(
            f'couldn\'t parse labels: `{text[:200]}` is not of the form `{{name="value"}}`'
        )
    inner, at, pairs = inner[1:-1], 0, []
    while inner[at:].strip():
        found = _PAIR.match(inner, at)
        if not found:
            raise BadLabels(
                f"couldn't parse labels: 1:{at + 2}: parse error: unexpected "
                f"`{inner[at : at + 40]}` in `{text[:200]}`"
            )
        quoted = found[2]
        pairs.append((found[1], found[3] if quoted is None else _unquoted(quoted)))
        at = found.end()
    return pairs


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: "re.Match[str]") -> str:
    if found[4]:
        return _UNESCAPES.get(found[4], found[4])
    number = int(found[1] or found[2] or found[3], 16)
    return "\ufffd" if number > 0x10FFFF or 0xD800 <= number < 0xE000 else chr(number)


class Registry:
    """The streams of a store."""

    def __init__(self) -> None:
        self._by_ident: dict[int, Known] = {}

    def __len__(self) -> int:
        return len(self._by_ident)

    def __iter__(self) -> Iterator[Known]:
        return iter(list(self._by_ident.values()))

    def __getitem__(self, ident: int) -> Known:
        return self._by_ident[ident]

    def get(self, stream: Known) -> Known | None:
        """The stream with the same labels that was kept."""
        return self._by_ident.get(stream.ident)

    def keep(self, stream: Known) -> Known:
        """The stream itself, or the one with the same labels that came first."""
        return self._by_ident.setdefault(stream.ident, stream)

    def forget(self, idents: Iterable[int]) -> None:
        """Forget streams that retention has emptied."""
        for ident in idents:
            self._by_ident.pop(ident, None)
