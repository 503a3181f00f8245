"""Regular expressions in Go's syntax, by RE2."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from stack.logql.errors import LogQLError

_GO_WORDS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid escape sequence": "invalid escape sequence",
    "invalid character class range": "invalid character class range",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "trailing \\": "trailing backslash at end of expression",
}


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:  # the package has no types
    """A pattern of the `re2` package. Raises LogQLError with Go's words for a bad one."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise LogQLError(f"error parsing regexp: {_go_words(error)}") from None
    except UnicodeEncodeError:
        raise LogQLError("error parsing regexp: invalid UTF-8") from None


def _go_words(error: Exception) -> str:
    raw = error.args[0] if error.args else ""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    what, colon, where = text.partition(": ")
    return _GO_WORDS.get(what, what) + (f": `{where}`" if colon else "")


def finds(pattern: str) -> Callable[[str], bool]:
    """Whether a line has a match anywhere. Raises LogQLError."""
    literal = _literal(pattern)
    if literal is not None:
        return lambda text: literal in text
    return _tester(pattern)


def fits(pattern: str) -> Callable[[str], bool]:
    """Whether a whole label value matches. Raises LogQLError."""
    compiled(pattern)
    literal = _literal(pattern)
    if literal is not None:
        return lambda text: text == literal
    words = pattern.split("|")
    if all(_literal(word) is not None for word in words):
        return frozenset(words).__contains__
    if pattern == ".*":
        return lambda text: "\n" not in text
    if pattern == ".+":
        return lambda text: text != "" and "\n" not in text
    return lru_cache(maxsize=4096)(_tester(f"^(?:{pattern})$"))


def _tester(pattern: str) -> Callable[[str], bool]:
    # The package's own `search` turns byte positions into character positions, which costs more
    # than the search; here only the answer is wanted.
    match = compiled(pattern)._regexp.Match
    anchor = re2._Anchor.UNANCHORED

    def test(text: str) -> bool:
        encoded = text.encode("utf-8", "surrogateescape")
        return bool(match(anchor, encoded, 0, len(encoded))[0][0] != -1)

    return test


def _literal(pattern: str) -> str | None:
    """The text that a pattern without operators searches for."""
    return None if set(pattern) & set(r"\.+*?()|[]{}^$") else pattern


def groups(pattern: str) -> tuple[list[tuple[int, str]], Callable[[str], list[str] | None]]:
    """Numbers and names of the named groups, and a function that gives the text of all groups.

    The first text is the whole match; a group that takes no part is "". The function gives None if
    nothing matches. Raises LogQLError.
    """
    expression = compiled(pattern)
    named = sorted((number, name) for name, number in expression.groupindex.items())
    match = expression._regexp.Match
    anchor = re2._Anchor.UNANCHORED

    def find(text: str) -> list[str] | None:
        encoded = text.encode("utf-8", "surrogateescape")
        spans = match(anchor, encoded, 0, len(encoded))
        if spans[0][0] == -1:
            return None
        return [
            encoded[start:end].decode("utf-8", "surrogateescape") if start >= 0 else ""
            for start, end in spans
        ]

    return named, find


def count(pattern: str, text: str) -> int:
    """How many matches there are, side by side. Raises LogQLError."""
    return sum(1 for _ in compiled(pattern).finditer(text))


def replaced(pattern: str, text: str, replacement: str, *, literal: bool) -> str:
    """Every match replaced; `$1` and `${name}` mean groups unless `literal`. Raises LogQLError."""
    expression = compiled(pattern)
    names: dict[str, int] = expression.groupindex

    def new(match: Any) -> str:
        if literal:
            return replacement
        return expanded(
            replacement, [match.group(at) or "" for at in range(expression.groups + 1)], names
        )

    return str(expression.sub(new, text))


_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)


def expanded(template: str, groups: list[str], names: dict[str, int]) -> str:
    """Go's `Regexp.Expand`: an unknown group is empty, `$$` is a dollar."""

    def one(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        if name is None:
            return "$"
        number = int(name) if name.isdecimal() else names.get(name, -1)
        return groups[number] if 0 <= number < len(groups) else ""

    return _REFERENCE.sub(one, template)
