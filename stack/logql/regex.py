"""Regular expressions in Go's syntax, by RE2."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import re2  # type: ignore[import-untyped]

from stack.logql.errors import LogQLError
from stack.logql.golang import printable
from stack.logql.keeping import kept

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


@kept(512)
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


def _encoded(text: str) -> bytes:
    """For RE2. A byte that is not UTF-8 is one character U+FFFD to Go's expressions."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return printable(text).encode()


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
    return kept(4096)(_tester(f"^(?:{pattern})$"))


def _tester(pattern: str) -> Callable[[str], bool]:
    # The package's own `search` turns byte positions into character positions, which costs more
    # than the search; here only the answer is wanted.
    match = compiled(pattern)._regexp.Match
    anchor = re2._Anchor.UNANCHORED

    def test(text: str) -> bool:
        encoded = _encoded(text)
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
        encoded = _encoded(text)
        spans = match(anchor, encoded, 0, len(encoded))
        if spans[0][0] == -1:
            return None
        return [encoded[start:end].decode() if start >= 0 else "" for start, end in spans]

    return named, find


def count(pattern: str, text: str) -> int:
    """How many matches there are, side by side. Raises LogQLError."""
    return sum(1 for _ in _all(pattern, _encoded(text)))


def _all(pattern: str, text: bytes) -> Iterator[list[tuple[int, int]]]:
    """The spans of every match and its groups, as Go's `FindAll` finds them."""
    match = compiled(pattern)._regexp.Match
    anchor = re2._Anchor.UNANCHORED
    at, last = 0, -1
    while at <= len(text):
        spans = match(anchor, text, at, len(text))
        start, end = spans[0]
        if start == -1:
            return
        # An empty match right behind another one does not count.
        if end > start or start != last:
            yield spans
        last = end
        at = end if end > start else end + _width(text, end)


def _width(text: bytes, at: int) -> int:
    """Bytes of the character at a place; 1 for a byte that is not UTF-8."""
    first = text[at] if at < len(text) else 0
    width = 1 if first < 0xC2 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    more = text[at + 1 : at + width]
    return width if len(more) == width - 1 and all(0x80 <= one < 0xC0 for one in more) else 1


def replaced(
    pattern: str,
    text: str,
    replacement: str,
    *,
    literal: bool,
    check: Callable[[int], None] = lambda characters: None,
) -> str:
    """Every match replaced; `$1` and `${name}` mean groups unless `literal`. Raises LogQLError.

    `check` is told how long the text has become, and may raise.
    """
    names: dict[str, int] = compiled(pattern).groupindex
    encoded = _encoded(text)
    parts: list[str] = []
    at = size = 0
    for spans in _all(pattern, encoded):
        start, end = spans[0]
        parts.append(encoded[at:start].decode())
        new = replacement
        if not literal:
            groups = [encoded[low:high].decode() if low >= 0 else "" for low, high in spans]
            new = expanded(replacement, groups, names, check)
        parts.append(new)
        size += start - at + len(new)
        check(size)
        at = end
    parts.append(encoded[at:].decode())
    return "".join(parts)


_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)


def expanded(
    template: str,
    groups: list[str],
    names: dict[str, int],
    check: Callable[[int], None] = lambda characters: None,
) -> str:
    """Go's `Regexp.Expand`: an unknown group is empty, `$$` is a dollar. For `check` see
    `replaced`."""
    size = 0

    def one(found: re.Match[str]) -> str:
        nonlocal size
        name = found.group(1) or found.group(2)
        if name is None:
            return "$"
        number = names.get(name, -1)
        if name.isdecimal():
            number = int(name) if len(name) < 9 else -1
        text = groups[number] if 0 <= number < len(groups) else ""
        size += len(text)
        check(size)
        return text

    return _REFERENCE.sub(one, template)
