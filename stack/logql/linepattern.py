"""`| pattern "<method> <path> <_>"` and the line filters `|>` and `!>`.

Semantics: Loki's documentation, "Pattern" parser and "Pattern match filter operators".
"""

import re
from collections.abc import Callable
from itertools import pairwise

from stack.logql.errors import LogQLError

_CAPTURE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>", re.ASCII)
Part = tuple[bool, str]
"""(is a capture, its name or the literal text)"""


def _parts(pattern: str) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for found in _CAPTURE.finditer(pattern):
        if found.start() > at:
            parts.append((False, pattern[at : found.start()]))
        parts.append((True, found.group(1)))
        at = found.end()
    if at < len(pattern):
        parts.append((False, pattern[at:]))
    for (left, name), (right, follower) in pairwise(parts):
        if left and right:
            raise LogQLError(
                f"found consecutive capture '<{name}><{follower}>': invalid expression"
            )
    return parts


def captures(pattern: str) -> Callable[[str], list[tuple[str, str]]]:
    """The (name, text) pairs of a line. Raises LogQLError for a bad pattern."""
    if not pattern:
        raise LogQLError("invalid pattern parser: syntax error: unexpected $end")
    try:
        parts = _parts(pattern)
    except LogQLError as error:
        raise LogQLError(f"invalid pattern parser: {error.message}") from None
    names = [name for is_capture, name in parts if is_capture and name != "_"]
    if not names:
        raise LogQLError("invalid pattern parser: at least one capture is required")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise LogQLError(
            f"invalid pattern parser: duplicate capture name ({twice}): invalid expression"
        )
    prefix = "" if parts[0][0] else parts[0][1]
    rest = parts if parts[0][0] else parts[1:]
    steps = [
        (rest[at][1], rest[at + 1][1] if at + 1 < len(rest) else "")
        for at in range(0, len(rest), 2)
    ]

    def capture(line: str) -> list[tuple[str, str]]:
        if not line or not line.startswith(prefix):
            return []
        found = []
        at = len(prefix)
        for name, stop in steps:
            end = line.find(stop, at) if stop else -1
            if name != "_":
                found.append((name, line[at:] if end < 0 else line[at:end]))
            if end < 0:
                break
            at = end + len(stop)
        return found

    return capture


def fits(pattern: str) -> Callable[[str], bool]:
    """Whether a line has the pattern's texts in order, with something at each `<_>`."""
    parts = _parts(pattern)
    for is_capture, name in parts:
        if is_capture and name != "_":
            raise LogQLError(f"named captures are not allowed: found '<{name}>'")
    ends_open = bool(parts) and parts[-1][0]
    literals = [(at, text) for at, (is_capture, text) in enumerate(parts) if not is_capture]

    def test(line: str) -> bool:
        if not line or not parts:
            return not line and not parts
        at = 0
        for index, text in literals:
            found = line.find(text, at)
            if found < 0 or (index and found == at):
                return False
            at = found + len(text)
        return ends_open == (at != len(line))

    return test
