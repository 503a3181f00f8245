"""`| json`, `| json a="b.c[0]"` and `| unpack`."""

import re
from collections.abc import Mapping
from functools import lru_cache

import orjson

from stack.logstore.logql import jsonscan
from stack.logstore.logql.ast import Extraction
from stack.logstore.logql.entry import DUPLICATE, Entry
from stack.logstore.logql.errors import LogQLError
from stack.logstore.logql.hints import Hints, StageFunction
from stack.logstore.logql.jsonscan import JsonError

FAILED = "JSONParserErr"
_UNCLEAN = re.compile(r"[^A-Za-z0-9_]", re.ASCII)
_WORDS = {True: "true", False: "false"}


def clean(key: str) -> str:
    """A key as a label name: what cannot stand in one becomes `_`; "" where nothing is left."""
    key = key.strip()
    if key[:1].isdecimal() and key[:1].isascii():
        key = "_" + key
    return _UNCLEAN.sub("_", key)


def _joined(path: tuple[str, ...]) -> str:
    """The name of a nested member: the parts that are not blank, joined by `_`."""
    name = "_".join(_UNCLEAN.sub("_", part.strip()) for part in path if part.strip())
    return "_" + name if name[:1].isdecimal() else name


class _NotPlain(Exception):  # no error: the scanner takes the line
    """orjson would give another answer than Loki for this line."""


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
    """The label names of keys, made once; "" for a key that no label comes from."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._known: dict[str, str] = {}

    def of(self, key: str, path: tuple[str, ...]) -> str:
        if path:
            return self._wanted(_joined((*path, key)))
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
    """Adds the members that labels come from to `found`; gives the number of all keys.

    Raises _NotPlain for a number whose text cannot be told.
    """
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
            # As many keys as the text has: no key stands twice, for then the first would count.
            if _flatten(document, line, (), names, found) != line.count('":'):
                raise _NotPlain
        except (ValueError, _NotPlain, RecursionError):
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
    for value in values:
        if type(value) is dict:
            count += len(value) + _members_in(list(value.values()))
        elif type(value) is list:
            count += _members_in(value)
    return count


class _Enough(Exception):  # no error: all that is required was found
    pass


def _scan(line: str, entry: Entry, hints: Hints) -> str:
    try:
        _scan_object(line, (), entry, hints)
    except _Enough:
        pass
    except JsonError as error:
        hints.parser_failed(entry, FAILED, str(error))
    except RecursionError:
        hints.parser_failed(entry, FAILED, "nested too deeply")
    return line


def _scan_object(text: str, path: tuple[str, ...], entry: Entry, hints: Hints) -> None:
    for key, kind, raw in jsonscan.members(text):
        if kind == "object":
            inner = (*path, key)
            if hints.wants_prefix(_joined(inner)):
                _scan_object(raw, inner, entry, hints)
            continue
        if kind in ("string", "number", "boolean"):
            name = _joined((*path, key)) if path else clean(key)
            if name:
                _put(entry, hints, name, jsonscan.label_value(raw) if kind == "string" else raw)
        if hints.all_found(entry):
            raise _Enough


def _put(entry: Entry, hints: Hints, name: str, value: str) -> None:
    name = entry.free_name(name)
    if name not in entry.parsed and hints.wants(name):
        entry.set(name, value)


# ── json with paths ──

_PATH = re.compile(r'(?:^|\.)([A-Za-z_]\w*)|\[(\d+)\]|\["([^"\]]*)"\]', re.ASCII)
Path = tuple[str | int, ...]


def path_of(text: str) -> Path:
    """`a.b[0]["c d"]` as its steps. Raises LogQLError."""
    bare = "".join(text.split(" ")) if '"' not in text else text
    steps: list[str | int] = []
    at = 0
    while at < len(bare):
        found = _PATH.match(bare, at)
        if not found:
            raise LogQLError(
                f"cannot parse expression [{text}]: syntax error: unexpected char {bare[at]}"
            )
        field, index, key = found.groups()
        steps.append(int(index) if index is not None else field if field is not None else key)
        at = found.end()
    if not steps:
        raise LogQLError(f"cannot parse expression [{text}]: syntax error: unexpected $end")
    return tuple(steps)


def json_paths_stage(extractions: tuple[Extraction, ...], hints: Hints) -> StageFunction:
    """Extracts what stands at the paths; a label is empty where nothing does."""
    paths = [(extraction.name, path_of(extraction.path)) for extraction in extractions]

    def run(line: str, entry: Entry) -> str | None:
        if not line or hints.complete(entry):
            return line
        if line[0] not in '"{[':
            hints.parser_failed(entry, FAILED, None)
            return line
        matches = 0
        for name, path in paths:
            value = _value_at(line, path)
            if value is not None:
                entry.set(entry.free_name(name), value)
                matches += 1
        if matches < len(paths):
            for name, _ in paths:
                if entry.get(name) is None:
                    entry.set(name, "")
        return line

    return run


def _value_at(text: str, path: Path) -> str | None:
    """The value at a path, as the label says it; None where there is none."""
    kind: jsonscan.Kind
    try:
        kind, raw, _ = jsonscan.value_at(text, len(text) - len(text.lstrip(" \t\r\n")))
    except JsonError:
        # As far as it goes: what stands before the mistake counts.
        kind, raw = ("object" if text[0] == "{" else "array"), text
    for step in path:
        inner = _step(kind, raw, step)
        if inner is None:
            return None
        kind, raw = inner
    if kind == "null":
        return ""
    return raw if kind == "object" else jsonscan.label_value(raw)


def _step(kind: jsonscan.Kind, raw: str, step: str | int) -> tuple[jsonscan.Kind, str] | None:
    if isinstance(step, int):
        if kind != "array":
            return None
        for at, item in enumerate(jsonscan.items(raw)):
            if at == step:
                return item
        return None
    if kind != "object":
        return None
    try:
        for member in jsonscan.members(raw):
            if member.key == step:
                return member.kind, member.raw
    except JsonError:
        pass
    return None


# ── unpack ──


def unpack_stage(hints: Hints) -> StageFunction:
    """Undoes Promtail's `pack` stage: `_entry` becomes the line, the other strings labels."""

    def run(line: str, entry: Entry) -> str | None:
        if not line or hints.complete(entry):
            return line
        if line[0] != "{":
            hints.parser_failed(entry, FAILED, "expecting json object(6), but it is not")
            return line
        packed: str | None = None
        found: list[tuple[str, str]] = []
        try:
            for key, kind, raw in jsonscan.members(line):
                if kind != "string":
                    continue
                if key == "_entry":
                    packed = jsonscan.unescaped(raw)
                    if packed is None:
                        raise JsonError("Encountered an invalid escape sequence in a string")
                    continue
                name = entry.free_name(key)
                if hints.wants(name) and name not in entry.parsed:
                    found.append((clean(name), jsonscan.label_value(raw)))
        except JsonError as error:
            hints.parser_failed(entry, FAILED, str(error))
            return line
        if packed is None:
            return line
        for name, value in found:
            entry.set(name, value)
        return packed

    return run
