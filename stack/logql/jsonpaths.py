"""`| json a="b.c[0]"` and `| unpack`: members of a JSON line one by one."""

import re

from stack.logql import jsonscan
from stack.logql.ast import Extraction
from stack.logql.entry import Entry
from stack.logql.errors import LogQLError
from stack.logql.hints import Hints, StageFunction
from stack.logql.jsonscan import JsonError
from stack.logql.jsonstage import FAILED, clean

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
    """Extracts what is at the paths; a label is empty if there is nothing."""
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
    """The value at a path, as text for the label; None if there is none."""
    kind: jsonscan.Kind
    try:
        kind, raw, _ = jsonscan.value_at(text, len(text) - len(text.lstrip(" \t\r\n")))
    except JsonError:
        # As far as it goes: what comes before the mistake counts.
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
