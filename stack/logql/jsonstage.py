"""`| json`: every member of a line becomes a label."""

import re
from collections.abc import Mapping
from functools import lru_cache

import orjson

from stack.logql import jsonscan
from stack.logql.entry import DUPLICATE, Entry
from stack.logql.hints import Hints, StageFunction
from stack.logql.jsonscan import JsonError

FAILED = "JSONParserErr"
_UNCLEAN = re.compile(r"[^A-Za-z0-9_]", re.ASCII)
_WORDS = {True: "true", False: "false"}


def clean(key: str) -> str:
    """A key as a label name: invalid characters become `_`; "" if nothing is left."""
    key = key.strip()
    if key[:1].isdecimal() and key[:1].isascii():
        key = "_" + key
    return _UNCLEAN.sub("_", key)


def nested(path: tuple[str, ...]) -> str:
    """The name of a nested member: the parts that are not blank, joined by `_`."""
    name = "_".join(_UNCLEAN.sub("_", part.strip()) for part in path if part.strip())
    return "_" + name if name[:1].isdecimal() else name


class _NotPlain(Exception):  # no error: the lenient scanner reads the line instead
    """orjson would give a different answer than Loki for this line."""


@lru_cache(maxsize=1024)
def _number_after(key: str) -> re.Pattern[str]:
    return re.compile(rf'"{re.escape(key)}"[ \t\r\n]*:[ \t\r\n]*(-?\d[^ \t\r\n,}}\]]*)', re.ASCII)


def _as_written(line: str, key: str) -> str:
    """The text of a number with a fraction or an exponent."""
    found = _number_after(key).findall(line)
    if len(found) != 1:
        raise _NotPlain
    return str(found[0])


def _odd(line: str) -> bool:
    return "\ufffd" in line or "\\uf" in line or "\\uF" in line


class _Names:
    """The label names of keys, computed once; "" for a key that gives no label."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._known: dict[str, str] = {}

    def of(self, key: str, path: tuple[str, ...]) -> str:
        if path:
            return self._wanted(nested((*path, key)))
        name = self._known.get(key)
        if name is None:
            name = self._wanted(clean(key))
            if len(self._known) < 4096:
                self._known[key] = name
        return name

    def _wanted(self, name: str) -> str:
        return name if self._hints.wants(name) or self._hints.wants(name + DUPLICATE) else ""


def _flatten(
    document: Mapping[str, object],
    line: str,
    path: tuple[str, ...],
    names: _Names,
    found: list[tuple[str, str]],
) -> int:
    """Adds the members that become labels to `found`; returns the number of all keys.

    Raises _NotPlain for a number whose original text is not certain, and where it is too deep.
    """
    if len(path) >= jsonscan.DEEPEST:
        raise _NotPlain
    count = len(document)
    for key, value in document.items():
        kind = type(value)
        if kind is dict:
            count += _flatten(value, line, (*path, key), names, found)  # type: ignore[arg-type]
            continue
        if kind is list:
            count += _members_in(value)  # type: ignore[arg-type]
            continue
        name = names.of(key, path)
        if not name or value is None:
            continue
        if kind is str:
            found.append((name, value))  # type: ignore[arg-type]
        elif kind is int and (value or "-0" not in line):
            found.append((name, str(value)))
        elif kind is bool:
            found.append((name, _WORDS[value]))  # type: ignore[index]
        else:
            found.append((name, _as_written(line, key)))
    return count


def json_stage(hints: Hints) -> StageFunction:
    """Extracts every member as a label."""
    names = _Names(hints)
    required = hints.required

    def run(line: str, entry: Entry) -> str | None:
        if hints.complete(entry):
            return line
        try:
            document = orjson.loads(line)
            if type(document) is not dict or _odd(line):
                raise _NotPlain
            found: list[tuple[str, str]] = []
            # As many keys as the text has: no key occurs twice, or else the first one would count.
            if _flatten(document, line, (), names, found) != line.count('":'):
                raise _NotPlain
        except (ValueError, _NotPlain):
            return _scan(line, entry, hints)
        added, base, metadata, parsed = entry.added, entry.base, entry.metadata, entry.parsed
        for name, text in found:
            if name in base or name in metadata:
                name += DUPLICATE
            if name in parsed or (required is not None and name not in required):
                continue
            added[name] = text
            parsed.add(name)
        return line

    return run


def _members_in(values: list[object]) -> int:
    """How many keys the objects in an array have."""
    count = 0
    left = [values]
    while left:
        for value in left.pop():
            if type(value) is dict:
                count += len(value)
                left.append(list(value.values()))
            elif type(value) is list:
                left.append(value)
    return count


class _Enough(Exception):  # no error: everything required was found
    pass


def _scan(line: str, entry: Entry, hints: Hints) -> str:
    try:
        _scan_object(line, (), entry, hints)
    except _Enough:
        pass
    except JsonError as error:
        hints.parser_failed(entry, FAILED, str(error))
    return line


def _scan_object(text: str, path: tuple[str, ...], entry: Entry, hints: Hints) -> None:
    if len(path) >= jsonscan.DEEPEST:
        raise JsonError(f"nested too deeply (limit: {jsonscan.DEEPEST} levels)")
    for key, kind, raw in jsonscan.members(text):
        if kind == "object":
            inner = (*path, key)
            if hints.wants_prefix(nested(inner)):
                _scan_object(raw, inner, entry, hints)
            continue
        if kind in ("string", "number", "boolean"):
            name = nested((*path, key)) if path else clean(key)
            if name:
                _put(entry, hints, name, jsonscan.label_value(raw) if kind == "string" else raw)
        if hints.all_found(entry):
            raise _Enough


def _put(entry: Entry, hints: Hints, name: str, value: str) -> None:
    name = entry.free_name(name)
    if name not in entry.parsed and hints.wants(name):
        entry.set(name, value)
