"""One mapping in a configuration file, read key by key; keys that nobody read are refused."""

import re
from collections.abc import Mapping
from typing import Any

from stack.errors import BadInput
from stack.logql.golang import duration_ns

_SIZE = re.compile(r"([0-9]{1,15})\s*([kKmM]?)[bB]?")
_SIZE_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20}


class Section:
    """A mapping and where it is, for messages: `file: a.b[0]`. All methods raise BadInput."""

    def __init__(self, content: object, where: str, file: str) -> None:
        self.where, self.file = where, file
        if not isinstance(content, Mapping):
            raise self.bad(f"is {content!r}, expected a mapping")
        self._content: dict[str, Any] = dict(content)
        self._read: set[str] = set()

    def bad(self, problem: str, key: str = "", *, cure: str = "") -> BadInput:
        at = ".".join(part for part in (self.where, key) if part) or "the file"
        return BadInput(f"{self.file}: `{at}` {problem}.", cure=cure)

    def keys(self) -> list[str]:
        return list(self._content)

    def raw(self, key: str, default: object = None) -> Any:
        self._read.add(key)
        return self._content.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without a default it is required."""
        value = self.raw(key, default)
        if value is None:
            raise self.bad("is missing", key)
        if not isinstance(value, str):
            raise self.bad(f"is {value!r}, expected a string", key)
        return value

    def number(self, key: str, default: int) -> int:
        value = self.raw(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.bad(f"is {value!r}, expected a whole number", key)
        return value

    def port(self, key: str, default: int) -> int:
        found = self.number(key, default)
        if found > 65535:
            raise self.bad(f"is {found}, expected a port of at most 65535", key)
        return found

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise self.bad(f"is {value!r}, expected true or false", key)
        return value

    def seconds(self, key: str, default: str, *, zero: bool = True) -> float:
        """A duration as Go writes it, `1m30s`; `zero`: whether none at all makes sense."""
        text = self.text(key, default)
        try:
            length_ns = duration_ns(text)
        except ValueError:
            length_ns = -1
        if length_ns < 0:
            raise self.bad(f"is `{text}`, expected a duration such as 200ms or 1m30s", key)
        if not length_ns and not zero:
            raise self.bad(f"is `{text}`, expected a longer duration", key)
        return length_ns / 1e9

    def size(self, key: str, default: int) -> int:
        """Bytes, from a number or a text such as 256KB; units are powers of 1024, as Promtail's."""
        value = self.raw(key, default)
        match = _SIZE.fullmatch(str(value))
        if not match or isinstance(value, bool):
            raise self.bad(f"is {str(value)[:40]!r}, expected a size such as 256KB", key)
        return int(match[1]) * _SIZE_BYTES[match[2].lower()]

    def texts(self, key: str) -> dict[str, str]:
        """A mapping of strings; a missing value is the key itself, as in Promtail's stages."""
        found = self.raw(key, {})
        if not isinstance(found, Mapping):
            raise self.bad(f"is {found!r}, expected a mapping", key)
        for name, value in found.items():
            if not isinstance(name, str) or not isinstance(value, str | None):
                raise self.bad(f"is {value!r}, expected a string", f"{key}.{name}")
        return {name: value or name for name, value in found.items()}

    def section(self, key: str, *, optional: bool = False) -> "Section":
        value = self.raw(key, {} if optional else None)
        if value is None:
            raise self.bad("is missing", key)
        return Section(value, ".".join(part for part in (self.where, key) if part), self.file)

    def items(self, key: str) -> list[Any]:
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise self.bad(f"is {value!r}, expected a list", key)
        return value

    def sections(self, key: str) -> list["Section"]:
        at = ".".join(part for part in (self.where, key) if part)
        return [Section(item, f"{at}[{n}]", self.file) for n, item in enumerate(self.items(key))]

    def done(self) -> None:
        """Refuse every key that was not read."""
        for key in self._content:
            if key not in self._read:
                raise self.bad(
                    "is not known to the lab's shipper", str(key),
                    cure="Remove it, or run Promtail itself: STACK_LOGS=loki.",
                )  # fmt: skip
